"""Which change of the structure helps against what was measured, and what span it asks for (R6, R10). Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from echelon.model.organisation import StructureChange, StructureSignal
from echelon.planning.regime import DEFAULT_SPAN, FLAT_UP_TO, MINIMUM_SPAN

FEW = 5  # agents; so many come with the first transition, which a run may take back (R5, R10)
WIDE = DEFAULT_SPAN // 2  # direct reports; with more it is the coordinator that costs, and not its level


class Load(NamedTuple):
    """A coordinator at which a signal was measured, and what it coordinates in the phase."""

    signal: StructureSignal
    """What was measured."""
    measured: float
    """The share; for waiting it may be more than 1."""
    coordinator: str
    """The node."""
    agents: int
    """Agents at work in the phase."""
    reports: int
    """Those whose handoffs it integrates itself."""
    leads: int
    """Of these, how many coordinate others."""
    peers: int
    """Coordinators beside it, in the same phase, that report where it does."""


def _no_slower_alone(load: Load) -> bool:
    """Say whether one agent would be as fast: n equal agents and their wait take 1/n + w of what one takes."""
    return load.measured >= 1 - 1 / max(1, load.agents)


def _dividing_helps(load: Load) -> bool:
    """Say whether leads with half the reports would have enough to lead."""
    return load.reports > WIDE


def _dear_and_few(load: Load) -> bool:
    return load.agents <= FEW and load.signal is StructureSignal.COORDINATION


def _slow_and_few(load: Load) -> bool:
    return load.agents <= FEW and load.signal is StructureSignal.WAITING and _no_slower_alone(load)


def _stands_alone(load: Load) -> bool:
    return _dividing_helps(load) and not load.peers


def _leads_few(load: Load) -> bool:
    return load.leads > 0 and load.agents <= FLAT_UP_TO


def _is_one_of_many_leads(load: Load) -> bool:
    """Say whether leads could be fewer; where agents wait for a small team of their own, that would not help them."""
    return load.leads > 0 or (load.peers > 0 and load.signal is not StructureSignal.WAITING)


class Remedy(NamedTuple):
    """A row of the table: the first that holds decides."""

    holds: Callable[[Load], bool]
    """Is this the remedy?"""
    change: StructureChange
    """What to change."""
    why: str
    """Why it helps."""


REMEDIES: Sequence[Remedy] = (
    Remedy(
        _dear_and_few,
        StructureChange.SINGLE_AGENT,
        "coordinating so few costs more than they work",
    ),
    Remedy(
        _slow_and_few,
        StructureChange.SINGLE_AGENT,
        "one agent alone would be as fast",
    ),
    Remedy(
        _stands_alone,
        StructureChange.ADD_LEVEL,
        "leads in between integrate at the same time, and each has fewer handoffs to hold",
    ),
    Remedy(
        _dividing_helps,
        StructureChange.SPLIT_DOMAINS,
        "leads with fewer reports integrate at the same time, and each has fewer handoffs to hold",
    ),
    Remedy(
        _leads_few,
        StructureChange.FLATTEN,
        "so few need no leads in between",
    ),
    Remedy(
        _is_one_of_many_leads,
        StructureChange.JOIN_DOMAINS,
        "fewer leads have less to coordinate between them",
    ),
)


def remedy_for(load: Load) -> Remedy | None:
    """Return what helps; None where no change of the structure does."""
    return next((remedy for remedy in REMEDIES if remedy.holds(load)), None)


def span_for(change: StructureChange, load: Load, span: int) -> int | None:
    """Return the most direct reports that a change asks for, never more than `span`; None where it asks for none (R2).

    Dividing halves what a coordinator has; joining gives everybody as many as a plan allows.
    """
    if change is StructureChange.SINGLE_AGENT:
        return None
    if change in {StructureChange.FLATTEN, StructureChange.JOIN_DOMAINS}:
        return span
    return min(span, max(MINIMUM_SPAN, -(-load.reports // 2)))
