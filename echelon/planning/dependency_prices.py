"""What a dependency costs beside its handoffs: how far a failure reaches, and who must change with it (D1, D3, C8).

Pure. Between tasks the coupling is that of the dependency; between phases it is that of their terms, and the sync point
stands for all tasks of the phase.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import NamedTuple

from echelon.model.base import Value
from echelon.model.graph import Coupling
from echelon.model.plan import Plan, Range

SHOWN = 5  # producers


class DependencyPrice(Value):
    """What others pay for depending on one producer."""

    producer: str
    """A task, or a phase whose sync point others wait for."""
    consumers: int
    """Tasks that use it."""
    handoffs: int
    """How often its work changes hands; at a sync point each task of the phase hands on once, and each user takes."""
    tokens: Range | None
    """What those handoffs cost (P4); None where the work is not known to cost tokens."""
    failure_reach: int
    """Tasks that cannot start when it fails, or when one task of the phase does: all behind it that are tight (D3)."""
    change_together: int
    """Consumers that must change together with it, since they are tight (C8)."""
    change_notified: int
    """Consumers that must be informed of a change, since they are medium (C8)."""


class Point(NamedTuple):
    """What is used: a task, or the sync point of a phase; both may have one name."""

    name: str
    phase: bool


class Use(NamedTuple):
    """A task that uses something."""

    used: Point
    user: str
    coupling: Coupling | None


def dearest_dependencies(plan: Plan, most: int = SHOWN) -> tuple[DependencyPrice, ...]:
    """Return the producers whose dependencies cost most, by failure reach, then by who must change with them."""
    uses = list(_uses(plan))
    tight = _tight(plan, uses)
    bounds = _bounds(tight, len(plan.tasks))
    couplings: dict[Point, Counter[Coupling | None]] = defaultdict(Counter)
    for use in uses:
        couplings[use.used][use.coupling] += 1

    def dear(point: Point) -> tuple[int, int, int, int]:
        counted = couplings[point]
        return bounds.get(point, 0), counted[Coupling.TIGHT], counted[Coupling.MEDIUM], counted.total()

    # Bounds end at the number of tasks; where that makes them equal, what stands first reaches further.
    upstream = {point: place for place, point in enumerate(reversed(bounds))}
    dearest = sorted(
        couplings, key=lambda point: (*(-figure for figure in dear(point)), upstream.get(point, 0), point)
    )[:most]
    handed_on = _handed_on(plan, uses, set(dearest))
    return tuple(_price(plan, point, couplings[point], handed_on[point], tight) for point in dearest)


def _price(
    plan: Plan,
    point: Point,
    couplings: Counter[Coupling | None],
    handed_on: int,
    tight: Mapping[Point, Sequence[Point]],
) -> DependencyPrice:
    least, most = (handed_on * each for each in (plan.priors.handoff_tokens_low, plan.priors.handoff_tokens_high))
    return DependencyPrice(
        producer=point.name,
        consumers=couplings.total(),
        handoffs=handed_on,
        tokens=None if plan.spending.tokens is None else Range(low=least, high=most),
        failure_reach=_reach(point, tight),
        change_together=couplings[Coupling.TIGHT],
        change_notified=couplings[Coupling.MEDIUM],
    )


def _uses(plan: Plan) -> Iterator[Use]:
    """Yield who uses what; a coupling of `none` is no use."""
    stated = {(one.phase, one.needs): one.coupling for one in plan.terms}
    for task in plan.tasks:
        for link in task.depends_on:
            if link.coupling is not Coupling.NONE:
                yield Use(Point(link.task, phase=False), task.id, link.coupling)
        for phase in task.needs:
            coupling = stated.get((task.phase or "", phase))
            if coupling is not Coupling.NONE:
                yield Use(Point(phase, phase=True), task.id, coupling)


def _tight(plan: Plan, uses: Sequence[Use]) -> dict[Point, list[Point]]:
    """Return what stops when something fails: a task its tight consumers, and a sync point that others need tightly.

    Unstated, a phase is needed so far that it delivers something: when it has one task, that is all of it.
    """
    tight: dict[Point, list[Point]] = defaultdict(list)
    sizes = Counter(task.phase for task in plan.tasks)
    for use in uses:
        unstated = use.coupling is None and sizes[use.used.name] == 1
        if use.coupling is Coupling.TIGHT or unstated:
            tight[use.used].append(Point(use.user, phase=False))
    for task in plan.tasks:
        point = Point(task.phase or "", phase=True)
        if point in tight:
            tight[Point(task.id, phase=False)].append(point)
    return tight


def _bounds(tight: Mapping[Point, Sequence[Point]], tasks: int) -> dict[Point, int]:
    """Return how many tasks a failure of each reaches at most: exact where no two ways lead to the same task."""
    bounds: dict[Point, int] = {}
    for point in TopologicalSorter(tight).static_order():
        reached = (bounds[other] + (not other.phase) for other in tight.get(point, ()))
        bounds[point] = min(sum(reached), tasks)
    return bounds


def _reach(start: Point, tight: Mapping[Point, Sequence[Point]]) -> int:
    reached, ahead = {start}, [start]
    while ahead:
        new = [point for point in tight.get(ahead.pop(), ()) if point not in reached]
        reached.update(new)
        ahead += dict.fromkeys(new)
    return sum(not point.phase for point in reached - {start})


def _handed_on(plan: Plan, uses: Sequence[Use], points: set[Point]) -> Counter[Point]:
    """Count the handoffs between agents."""
    agent_of, counted = plan.agent_of, Counter[Point]()
    for use in uses:
        if use.used in points and (use.used.phase or agent_of.get(use.used.name) != agent_of.get(use.user)):
            counted[use.used] += 1
    for task in plan.tasks:
        point = Point(task.phase or "", phase=True)
        if point in points:
            counted[point] += 1
    return counted
