"""How finely Prefect shows a run: every agent as a task run, or every team (R4: above 200 agents, aggregates)."""

from collections.abc import Awaitable, Callable
from typing import Literal

from echelon.coordination.delivery import Delivery
from echelon.coordination.scheduler import Scheduler
from echelon.coordination.stage import Stage
from echelon.engine.room import RoomKind, work_in_room
from echelon.model.handoff import Handoff

Resolution = Literal["agent", "team"]

#: Up to so many agents each is a task run of its own.
MAX_AGENTS_SHOWN = 200


class AgentResolution:
    """Every agent and every integration is a task run; teams are not."""

    async def domain(self, phase: str, stage: Stage, body: Callable[[], Awaitable[Delivery]]) -> Delivery:
        """Run a domain as a subflow."""
        return await work_in_room(RoomKind.DOMAIN, body, domain=stage.node.id, phase=phase, agents=len(stage.all_tasks))

    async def team(self, phase: str, stage: Stage, body: Callable[[], Awaitable[Delivery]]) -> Delivery:
        """Run a team; its agents show."""
        return await body()

    async def agent(self, phase: str, task_id: str, body: Callable[[], Awaitable[Handoff]]) -> Handoff:
        """Run an agent as a task run."""
        return await work_in_room(RoomKind.AGENT, body, task_id=task_id)

    async def integration(self, phase: str, node: str, body: Callable[[], Awaitable[Handoff]]) -> Handoff:
        """Run an integration as a task run."""
        return await work_in_room(RoomKind.INTEGRATION, body, node=node, phase=phase)


class TeamResolution(AgentResolution):
    """Every team is a task run; its agents and their integration live in the journal, to be pulled on demand (V2)."""

    async def team(self, phase: str, stage: Stage, body: Callable[[], Awaitable[Delivery]]) -> Delivery:
        """Run a team as a task run."""
        return await work_in_room(RoomKind.TEAM, body, team=stage.node.id, phase=phase, agents=len(stage.all_tasks))

    async def agent(self, phase: str, task_id: str, body: Callable[[], Awaitable[Handoff]]) -> Handoff:
        """Run an agent; its team shows."""
        return await body()

    async def integration(self, phase: str, node: str, body: Callable[[], Awaitable[Handoff]]) -> Handoff:
        """Run an integration; its team shows."""
        return await body()


def resolution_for(n_agents: int, wanted: Resolution | None = None) -> Scheduler:
    """Return the scheduler for a run of so many agents, or the one the caller wants."""
    fine = n_agents <= MAX_AGENTS_SHOWN if wanted is None else wanted == "agent"
    return AgentResolution() if fine else TeamResolution()
