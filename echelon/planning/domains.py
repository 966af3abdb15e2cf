"""What is chosen for each domain, from its own size, coupling and error consequence (R9, X3, X14, C5). Pure.

A run acts on the size, by which the tree is built, and on the strictness, which holds wherever a contract is checked.
When to synchronise is advice: a run synchronises where a phase ends. Federation is advice, too.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

from echelon.model.graph import Coupling, ErrorConsequence, TaskSpec
from echelon.model.organisation import Structure
from echelon.model.phrasing import count
from echelon.model.plan import Plan
from echelon.model.terms import DomainPlan, Terms
from echelon.planning.regime import DEFAULT_SPAN, structure_for

SyncStart = Literal["milestone", "phase", "interval"]

#: From the weakest to the strongest.
_STRENGTH = (Coupling.NONE, Coupling.LOOSE, Coupling.MEDIUM, Coupling.TIGHT)
_CONSEQUENCES: tuple[ErrorConsequence, ...] = get_args(ErrorConsequence)


class DriftFactors(NamedTuple):
    """The rows of the frequency table that say how often to synchronise (X3)."""

    fast: bool
    """Does it drift fast: do its tasks build on each other tightly, or in more ways than there are tasks?"""
    dear: bool
    """Is drift dear: is a wrong output significant or worse?"""
    hidden: bool
    """Does drift stay unseen between sync points: does a task promise no contract?"""
    costly: bool
    """Is a sync point dear: are there more agents than one coordinator has room for?"""


def sync_start(factors: DriftFactors) -> SyncStart:
    """Return when to synchronise to begin with: each factor counts for or against more often (X3)."""
    often = factors.fast + factors.dear + factors.hidden - factors.costly
    return "interval" if often >= 2 else "phase" if often == 1 else "milestone"


class _Links(NamedTuple):
    """How the tasks of domains use each other."""

    inside: Mapping[str, Coupling]
    """The strongest coupling between tasks of a domain."""
    outward: Mapping[str, Coupling]
    """The strongest coupling with tasks of other domains."""
    edges: Mapping[str, int]
    """Dependencies between tasks of a domain."""


def domains_of(plan: Plan) -> tuple[DomainPlan, ...]:
    """Return what is chosen for each domain of a plan, in the order of their first tasks; none where it has none."""
    of = {task.id: plan.domain_of(task.id, plan.agent_of[task.id]) for task in plan.tasks}
    members: dict[str, list[TaskSpec]] = defaultdict(list)
    for task in plan.tasks:
        members[of[task.id]].append(task)
    links = _links(plan.tasks, of, plan.terms)
    flexible = {(one.phase, one.consumer) for one in plan.terms if one.strictness == "flexible"}
    return tuple(
        _domain(name, held, len({plan.agent_of[task.id] for task in held}), links, flexible)
        for name, held in members.items()
        if name
    )


def _links(tasks: Sequence[TaskSpec], of: Mapping[str, str], terms: Sequence[Terms]) -> _Links:
    inside: dict[str, Coupling] = {}
    outward: dict[str, Coupling] = {}
    for one, other, coupling in (*_dependencies(tasks, of), *_through_phases(tasks, of, terms)):
        if one == other:
            inside[one] = _stronger(inside.get(one), coupling)
        else:
            for name in (one, other):
                outward[name] = _stronger(outward.get(name), coupling)
    return _Links(inside, outward, Counter(one for one, other, _ in _dependencies(tasks, of) if one == other))


def _dependencies(tasks: Sequence[TaskSpec], of: Mapping[str, str]) -> Iterator[tuple[str, str, Coupling]]:
    for task in tasks:
        for used in task.depends_on:
            yield of[used.task], of[task.id], used.coupling


def _through_phases(
    tasks: Sequence[TaskSpec], of: Mapping[str, str], terms: Sequence[Terms]
) -> Iterator[tuple[str, str, Coupling]]:
    """Yield the domains that meet at the sync point of a phase; loosely, where nothing else is stated (D3)."""
    stated = {(one.phase, one.needs): one.coupling for one in terms if one.coupling is not None}
    there: dict[str, dict[str, None]] = defaultdict(dict)
    for task in tasks:
        there[task.phase or ""][of[task.id]] = None
    met = {(of[task.id], task.phase or "", needed) for task in tasks for needed in task.needs}
    for consumer, phase, needed in met:
        for producer in there.get(needed, ()):
            yield producer, consumer, stated.get((phase, needed), Coupling.LOOSE)


def _stronger(one: Coupling | None, other: Coupling) -> Coupling:
    return other if one is None else max(one, other, key=_STRENGTH.index)


def _domain(
    name: str, tasks: Sequence[TaskSpec], agents: int, links: _Links, flexible: set[tuple[str, str]]
) -> DomainPlan:
    worst = max(tasks, key=lambda task: _CONSEQUENCES.index(task.error_consequence)).error_consequence
    inside = links.inside.get(name)
    factors = DriftFactors(
        fast=inside is Coupling.TIGHT or links.edges.get(name, 0) > len(tasks),
        dear=worst != "minor",
        hidden=any(task.contract is None for task in tasks),
        costly=agents > DEFAULT_SPAN,
    )
    loosely = [(task.phase or "", task.capability or "") in flexible for task in tasks]
    structure = structure_for(agents)
    return DomainPlan(
        name=name,
        agents=agents,
        structure=structure,
        coupling_inside=inside,
        coupling_outward=links.outward.get(name),
        error_consequence=worst,
        sync=sync_start(factors),
        strictness="flexible" if all(loosely) else "mixed" if any(loosely) else "strict",
        advised=("structure", "sync") if structure is Structure.FEDERATED else ("sync",),
        reason=_reason(agents, structure, factors),
    )


def _reason(agents: int, structure: Structure, factors: DriftFactors) -> str:
    """Say what decided: the size, and what speaks for syncing more or less often."""
    said = (
        (factors.fast, "its tasks build on each other"),
        (factors.dear, "a wrong output is dear"),
        (factors.hidden, "without contracts drift stays unseen"),
        (factors.costly, "a sync point of so many is dear"),
    )
    why = [text for holds, text in said if holds] or ["little drifts, and it is seen"]
    return f"{count(agents, 'agent')}: {structure.value}; {', '.join(why)}"
