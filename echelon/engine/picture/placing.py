"""Where the steps of a run are shown: in which flow run, and as a task run of their own or of their team (R4). Pure."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from echelon.engine.picture.request import Granularity
from echelon.model.plan import NodeKind, Plan
from echelon.model.run import StepKind

#: Up to so many agents each is a task run of its own.
MAX_AGENTS_SHOWN = 200


class Spot(NamedTuple):
    """Where a step is shown."""

    domain: str
    """The node right below the primary whose flow run it is in; empty: in the job's own."""
    team: str
    """The team whose task run stands for it; empty: none does."""
    own: bool
    """Is it a task run of its own?"""


def granularity_for(plan: Plan, wanted: Granularity | None) -> Granularity:
    """Return how finely a run is shown: as wanted, or by its size."""
    return wanted or ("agent" if plan.n_agents <= MAX_AGENTS_SHOWN else "team")


def spot_of(plan: Plan, granularity: Granularity, node_id: str, kind: StepKind) -> Spot:
    """Return where a step of a node is shown. Shown by team, integrations above the teams are in the journal only.

    What finds the items of a phase is a task run of its own: a phase has one of them.
    """
    path = plan.path(node_id) if node_id in plan.nodes else ()
    below = path[1] if len(path) > 1 else ""
    domain = below if below and plan.nodes[below].kind is NodeKind.DOMAIN else ""
    if granularity == "agent":
        return Spot(domain, "", own=True)
    team = next((node for node in reversed(path) if plan.nodes[node].kind is NodeKind.TEAM), "")
    return Spot(domain, team, own=kind is StepKind.PLANNING or (not team and kind is StepKind.TASK))


def planned_parts(plan: Plan, granularity: Callable[[str], Granularity]) -> Mapping[tuple[str, str], frozenset[str]]:
    """Return the tasks of every domain and team that is shown, by phase and node; each phase has its granularity."""
    parts: dict[tuple[str, str], set[str]] = {}
    for phase in plan.phases:
        grain = granularity(phase.name)
        for task in phase.tasks:
            spot = spot_of(plan, grain, plan.agent_of[task], StepKind.TASK)
            for node in filter(None, (spot.domain, spot.team)):
                parts.setdefault((phase.name, node), set()).add(task)
    return {key: frozenset(tasks) for key, tasks in parts.items()}
