"""Say what a number of agents asks for: structure, depth, profile, next transition, pairs (R1, R2, R4, R5, R7).

Only tables and look-ups in them may live here; every aspect of R4 has a table and boundaries of its own.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeVar, get_args

from echelon.model.errors import InvalidInput
from echelon.model.organisation import Structure
from echelon.model.plan import Pairs, Profile, Share, Transition

#: What a plan is optimised for when it cannot have everything (R1).
Priority = Literal["coherence", "speed", "resilience"]

DEFAULT_SPAN = 8  # direct reports
MINIMUM_SPAN = 2  # direct reports; with fewer there is no tree
DEPTH_BASE = 7  # direct reports a coordinator has on average in the recommended depth (R2)
FLAT_UP_TO = 8  # agents

T = TypeVar("T")

#: Rows (last number of agents it holds for, value); None is open-ended.
Table = Sequence[tuple[int | None, T]]

STRUCTURES: Table[Structure] = (
    (1, Structure.SINGLE),
    (8, Structure.FLAT),
    (20, Structure.HIERARCHICAL),
    (100, Structure.MULTI_TIER),
    (None, Structure.FEDERATED),
)

OVERHEAD: Table[Share] = (
    (1, Share(low=0.0, high=0.0)),
    (5, Share(low=0.10, high=0.15)),
    (20, Share(low=0.15, high=0.25)),
    (50, Share(low=0.25, high=0.35)),
    (None, Share(low=0.30, high=0.40)),
)

#: No design gets below this share of coordination from so many agents on (R4).
OVERHEAD_FLOOR = Share(low=0.20, high=0.25)
OVERHEAD_FLOOR_FROM = 100  # agents

COUNTERMEASURES: Table[str] = (
    (1, "none needed"),
    (3, "simple escalation"),
    (10, "simple escalation, independent verification"),
    (30, "simple escalation, independent verification, audit agents, concern log"),
    (
        None,
        (
            "simple escalation, independent verification, audit agents, full concern tracking, pattern detection, "
            "mandatory pauses"
        ),
    ),
)


class Topology(NamedTuple):
    """A communication topology and what breaks first in it (R4)."""

    name: str
    """Who talks to whom."""
    fails_first: str
    """What breaks first."""


TOPOLOGIES: Table[Topology] = (
    (1, Topology("none", "the agent itself")),
    (FLAT_UP_TO, Topology("hub; a mesh is still affordable", "saturation of the hub")),
    (14, Topology("hub with a level of leads", "saturation of the hub")),
    (50, Topology("two-level hierarchy", "aggregation errors")),
    (200, Topology("three-level hierarchy", "stale decisions")),
    (None, Topology("federation", "drift between federations")),
)

INTEGRATION: Table[str] = (
    (1, "none needed"),
    (3, "direct, with simple contracts"),
    (10, "event-driven preferred"),
    (50, "event-driven required, with boundaries between teams"),
    (None, "federated, with adapter agents between domains"),
)

VISIBILITY: Table[str] = (
    (10, "everyone sees everything"),
    (50, "aggregates by team, exceptions surfaced"),
    (200, "aggregates on several levels"),
    (1000, "events and hierarchy"),
    (None, "statistical sampling"),
)

SYNC: Table[str] = (
    (1, "none needed"),
    (3, "as needed"),
    (10, "at phase boundaries"),
    (30, "leads of clusters aggregate at phase boundaries"),
    (None, "multi-tier: teams, then domains, then the whole"),
)

LEVELS: Table[str] = ((1, "1"), (5, "2"), (30, "3"), (100, "4"), (None, "5+"))


class Threshold(NamedTuple):
    """A number of agents from which a structure changes (R1, R5, R10)."""

    at: int
    """Number of agents."""
    change: str
    """What changes."""
    why: str
    """What would fail otherwise."""


TRANSITIONS: tuple[Threshold, ...] = (
    Threshold(
        2, "divide the work, integrate it, and see that the pieces fit", "one agent has one context and one pace"
    ),
    Threshold(9, "add a level of leads", f"nobody coordinates more than {DEFAULT_SPAN} direct reports"),
    Threshold(15, "complete the domain layer", "a single orchestrator saturates"),
    Threshold(
        21,
        "organise in tiers: deeper for coherence, flatter for speed, federated for resilience",
        "one pattern does not serve coherence, speed and resilience alike any more",
    ),
    Threshold(50, "complete the team layer", "the domain leads saturate"),
    Threshold(
        101, "federate: explicit contracts between domains, and verification", "the whole is not held coherent any more"
    ),
    Threshold(200, "extend the dedicated coordination agents", "coordination has become a complex system of its own"),
    Threshold(
        1000, "federate to the full, and accept eventual consistency", "no single point can hold the whole coherently"
    ),
)


def structure_for(n: int, priority: Priority | None = None) -> Structure:
    """Return how `n` agents are organised (R1); 0 counts as one agent.

    Between 21 and 100 agents the priority `resilience` federates earlier than the number alone would.
    """
    check_priority(priority)
    structure = row(STRUCTURES, n)
    early = structure is Structure.MULTI_TIER and priority == "resilience"
    return Structure.FEDERATED if early else structure


def exponent_for(n: int, base: int) -> int:
    """Return the smallest e with base**e >= n: ceil(log_base n), in integers so that no rounding can be wrong."""
    exponent, reach = 0, 1
    while reach < n:
        exponent, reach = exponent + 1, reach * base
    return exponent


def recommended_levels(n: int) -> int:
    """Return the recommended coordinating levels above `n` agents (R2): ceil(log7 n), one up to 8 agents."""
    return 1 if n <= FLAT_UP_TO else exponent_for(n, DEPTH_BASE)


def minimum_levels(n: int, span: int = DEFAULT_SPAN) -> int:
    """Return the fewest coordinating levels that keep everybody at `span` direct reports or fewer (R2)."""
    return max(1, exponent_for(n, check_span(span)))


def allowed_levels(n: int, span: int = DEFAULT_SPAN) -> int:
    """Return the most coordinating levels a plan builds: the recommended ones, more only if the span asks (R2)."""
    return max(recommended_levels(n), minimum_levels(n, span))


def profile(n: int) -> Profile:
    """Return what to expect and to provide at `n` agents: the row of each table (R4), and what comes next (R5)."""
    topology = row(TOPOLOGIES, n)
    return Profile(
        overhead=row(OVERHEAD, n),
        countermeasures=row(COUNTERMEASURES, n),
        topology=topology.name,
        fails_first=topology.fails_first,
        integration=row(INTEGRATION, n),
        visibility=row(VISIBILITY, n),
        sync=row(SYNC, n),
        levels=row(LEVELS, n),
        next_transition=next_transition(n),
    )


def next_transition(n: int) -> Transition | None:
    """Return the nearest larger size at which the structure changes, None from 1,000 agents on (R5, R10)."""
    for step in TRANSITIONS:
        if n < step.at:
            return Transition(at=step.at, agents_away=step.at - n, change=step.change, why=step.why)
    return None


def overhead_floor(n: int) -> Share | None:
    """Return the share of coordination that no design gets below, None where none is known (R4)."""
    return OVERHEAD_FLOOR if n >= OVERHEAD_FLOOR_FROM else None


def pairs(agents: int, coordinators: int = 1, scoped: int | None = None) -> Pairs:
    """Count who talks to whom: everybody to everybody, along the tree, and within scope where that is known (R7).

    A tree has one pair for every node but its root; with a single coordinator it is a hub with as many pairs as agents.
    """
    return Pairs(mesh=agents * (agents - 1) // 2, structure=agents + coordinators - 1, scoped=scoped)


def scoped_pairs(agents: int, scope: int) -> int:
    """Count the pairs when each agent sees `scope` others only: upstream, downstream, its team (R7, V4)."""
    return agents * scope


def row(table: Table[T], n: int) -> T:
    """Return the value of the row that holds for `n` agents; `InvalidInput` for a negative number."""
    if n < 0:
        raise InvalidInput(f"cannot choose a structure for {n} agents: the number must be 0 or more; give another one")
    return next(value for last, value in table if last is None or n <= last)


def check_span(span: int) -> int:
    """Return `span` when a tree can be built with it, else raise `InvalidInput` (R2)."""
    if span < MINIMUM_SPAN:
        raise InvalidInput(
            f"cannot build a tree with a span of {span}: each coordinator needs room for {MINIMUM_SPAN} direct reports "
            f"at least; give a span of {MINIMUM_SPAN} or more (default {DEFAULT_SPAN})"
        )
    return span


def check_priority(priority: Priority | None) -> Priority | None:
    """Return `priority` when it is one of those known, else raise `InvalidInput` (R1)."""
    if priority is not None and priority not in get_args(Priority):
        known = ", ".join(get_args(Priority))
        raise InvalidInput(
            f"cannot plan for the priority {priority!r}: it is not known; choose one of {known}, or none"
        )
    return priority
