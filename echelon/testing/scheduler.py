"""A scheduler without Prefect: runs bodies where they are, and remembers what was opened."""

from collections.abc import Awaitable, Callable

from echelon.coordination.delivery import Delivery
from echelon.coordination.stage import Stage
from echelon.model.handoff import Handoff


class InlineScheduler:
    """Runs every body directly. `opened` holds what was run: the kind, the phase, and the node or task."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, str, str]] = []

    async def domain(self, phase: str, stage: Stage, body: Callable[[], Awaitable[Delivery]]) -> Delivery:
        """Run a domain."""
        self.opened.append(("domain", phase, stage.node.id))
        return await body()

    async def team(self, phase: str, stage: Stage, body: Callable[[], Awaitable[Delivery]]) -> Delivery:
        """Run a team."""
        self.opened.append(("team", phase, stage.node.id))
        return await body()

    async def agent(self, phase: str, task_id: str, body: Callable[[], Awaitable[Handoff]]) -> Handoff:
        """Run an agent's task."""
        self.opened.append(("agent", phase, task_id))
        return await body()

    async def integration(self, phase: str, node: str, body: Callable[[], Awaitable[Handoff]]) -> Handoff:
        """Run an integration."""
        self.opened.append(("integration", phase, node))
        return await body()
