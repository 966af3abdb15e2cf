"""Labels that keep agents together: the domains given, or else what agents are able to do (R1, D2)."""

from collections.abc import Sequence

from echelon.model.graph import TaskSpec
from echelon.planning.schedule.order import producers_of


def by_capability(agents: Sequence[TaskSpec]) -> bool:
    """Tell whether teams are formed by capability: no domains, no dependencies, but different abilities."""
    if any(agent.domain for agent in agents) or any(producers_of(agent) for agent in agents):
        return False
    return len({agent.capability for agent in agents}) > 1


def labelled(agents: Sequence[TaskSpec]) -> Sequence[TaskSpec]:
    """Return agents with the labels that their tree is built on."""
    if not by_capability(agents):
        return agents
    # A dot in a domain separates it from its part; in the name of a capability it means nothing.
    return [agent.model_copy(update={"domain": (agent.capability or "").replace(".", "·")}) for agent in agents]
