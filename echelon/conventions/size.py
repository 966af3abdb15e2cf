"""What conventions say about a number of agents: rows of its profile, and when that changes (R1, R4, R5)."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from echelon.conventions.texts import Aspect
from echelon.model.organisation import Structure
from echelon.planning.infrastructure import WHY_ROLE, roles_for
from echelon.planning.regime import STRUCTURES, overhead_floor, profile

Lines = Mapping[Aspect, tuple[str, ...]]


def size_lines(agents: int) -> Lines:
    """Return what a number of agents alone asks for, by aspect; nothing for a single one (R3, R4, R5)."""
    if agents <= 1:
        return {}
    rows = profile(agents)
    return {
        Aspect.STRUCTURE: (f"What fails first at this size: {rows.fails_first}.",),
        Aspect.INFORMATION: (f"Who sees what at this size: {rows.visibility}.",),
        Aspect.SYNC: (f"When at this size: {rows.sync}.",),
        Aspect.INTEGRATION: (f"How at this size: {rows.integration}.",),
        Aspect.VERIFICATION: (f"Against bad news that gets stuck: {rows.countermeasures}.", *_roles(agents)),
        Aspect.BUDGETS: tuple(_overhead(agents)),
        Aspect.CHANGE: tuple(_changes(agents)),
    }


def _roles(agents: int) -> Iterator[str]:
    for role, count in roles_for(agents).items():
        yield f"{role.value.replace('_', ' ').capitalize()} ({count}): {WHY_ROLE[role]}."


def _overhead(agents: int) -> Iterator[str]:
    band, floor = profile(agents).overhead, overhead_floor(agents)
    least = f"; no design gets below {floor.low:.0%} to {floor.high:.0%}" if floor else ""
    yield f"Coordination takes {band.low:.0%} to {band.high:.0%} of the cost at this size{least}."


def _changes(agents: int) -> Iterator[str]:
    """Say what comes next: the structure of more agents (R1), and the next transition (R5)."""
    later = _next_structure(agents)
    if later is not None:
        yield f"From {later[0]:,} agents on the structure is {later[1].replace('_', '-')}."
    step = profile(agents).next_transition
    if step is not None:
        yield f"At {step.at:,} agents, {step.agents_away:,} more than now: {step.change}, because {step.why}."
    else:
        yield "No further change of structure is known."


def _next_structure(agents: int) -> tuple[int, Structure] | None:
    """Return the number of agents that the next structure begins with, None behind the last (R1)."""
    for (last, _), (_, following) in pairwise(STRUCTURES):
        if last is not None and agents <= last:
            return last + 1, following
    return None
