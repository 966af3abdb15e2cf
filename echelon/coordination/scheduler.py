"""The port behind which the scheduler stands: it runs bodies and shows them; what they do is decided here."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from echelon.coordination.delivery import Delivery
from echelon.coordination.stage import Stage
from echelon.model.handoff import Handoff


class Scheduler(Protocol):
    """Runs the parts of a phase. A body never raises for a failure of work; it must be run exactly once."""

    async def domain(self, phase: str, stage: Stage, body: Callable[[], Awaitable[Delivery]]) -> Delivery:
        """Run a domain that reports to the primary."""
        ...

    async def team(self, phase: str, stage: Stage, body: Callable[[], Awaitable[Delivery]]) -> Delivery:
        """Run a team."""
        ...

    async def agent(self, phase: str, task_id: str, body: Callable[[], Awaitable[Handoff]]) -> Handoff:
        """Run one agent's task."""
        ...

    async def integration(self, phase: str, node: str, body: Callable[[], Awaitable[Handoff]]) -> Handoff:
        """Run the integration that a coordinator owns."""
        ...
