"""Throughput against the number of agents: flat, under a tree, and structured (S, L1, M7, R2, R4, D4).

**Flat.** Everything goes through one orchestrator after every task: the law of `scalability` over all agents.

**The tree.** The same agents, the same two parameters, but nobody coordinates more than `span` others (R2). A
coordinator pays contention and coherency over its own direct reports only; then it reports one result, for one
`contention`, to the coordinator above it. So a round takes the task, and for each level what a flat group of that
level's size would take; levels add. Up to `span` agents the tree has one level: it *is* the flat group, and both curves
agree. The ninth agent makes throughput jump, because nine in one group become five and four: a coordinator's queue is
never longer than the span again. Groups are as even as can be and counted by their mean size.

**Structured** is the tree with two more things. Work comes together once in `tasks_per_sync` tasks, not after every one
(D4): waiting is paid once for all of them. The default is the smallest whole number with which the queues of a tree of
the default span stay within the usual overhead from the smallest teams to 1,000 agents (R4); from about 2,400 on they
leave it, long after a structure must federate (R5). And it is never promised more than R4 leaves: queues are not all
that coordination costs, so of these two limits the lower one holds. With the default parameters that is R4's in most
places up to 1,000 agents: there the usual overhead is what bounds a structure, not its queues.

`overhead` of a point is the share of the agents' time that coordination takes from work, *waiting included*.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise

from echelon.model.errors import InvalidInput
from echelon.model.scaling import Ceiling, Curve, Parameters, ScalingPoint, Stretch
from echelon.planning.overhead import overhead
from echelon.planning.regime import DEFAULT_SPAN, check_span
from echelon.scaling.scalability import ceiling, extra_time, flat_speedup

DEFAULT_TASKS_PER_SYNC = 6  # tasks of each agent from one sync point to the next; see above
EVERY_TASK = 1  # task: everything is brought together after each, as in flat coordination

Speedup = Callable[[int], float]


def flat(agents: Sequence[int], parameters: Parameters) -> Curve:
    """Return the curve of one coordinator for all; its ceiling is that of the law, wherever `agents` end."""
    points = _points(agents, lambda n: flat_speedup(n, parameters), parameters)
    return Curve(points=points, ceiling=ceiling(parameters) or _best(points), limited_by=_queues(agents))


def tree(agents: Sequence[int], parameters: Parameters, span: int = DEFAULT_SPAN) -> Curve:
    """Return the curve of a tree that brings everything together after every task, as flat coordination does (R2)."""
    points = _points(agents, lambda n: tree_speedup(n, parameters, span, EVERY_TASK), parameters)
    return Curve(points=points, ceiling=_best(points), limited_by=_queues(agents))


def structured(
    agents: Sequence[int],
    parameters: Parameters,
    span: int = DEFAULT_SPAN,
    tasks_per_sync: int = DEFAULT_TASKS_PER_SYNC,
) -> Curve:
    """Return the curve of a tree with sync points, never above what the usual overhead leaves (R2, R4, D4)."""
    bounds = [(tree_speedup(n, parameters, span, tasks_per_sync), n * (1 - overhead(n).predicted)) for n in agents]
    points = tuple(_point(n, min(both), parameters) for n, both in zip(agents, bounds, strict=True))
    usual = [by_queues >= by_usual for by_queues, by_usual in bounds]
    return Curve(points=points, ceiling=_best(points), limited_by=_stretches(agents, usual))


def _queues(agents: Sequence[int]) -> tuple[Stretch, ...]:
    return _stretches(agents, [False] * len(agents))


def _stretches(agents: Sequence[int], usual: Sequence[bool]) -> tuple[Stretch, ...]:
    """Return where the usual overhead decides, and where queues do."""
    bounded = [(n, by_usual) for n, by_usual in zip(agents, usual, strict=True) if n > 1]
    found: list[Stretch] = []
    for by_usual, group in groupby(bounded, key=lambda pair: pair[1]):
        numbers = [n for n, _ in group]
        found.append(Stretch(first=numbers[0], last=numbers[-1], by="R4" if by_usual else "queues"))
    return tuple(found)


def tree_speedup(agents: int, parameters: Parameters, span: int, tasks_per_sync: int) -> float:
    """Return what the queues of a tree's coordinators leave, in multiples of one agent.

    Raises `InvalidInput` for a span below 2 or fewer than one task to a sync point.
    """
    check_tasks_per_sync(tasks_per_sync)
    sizes = [members / groups for members, groups in pairwise(level_sizes(agents, span))]
    waiting = sum(extra_time(size, parameters) for size in sizes)
    reporting = parameters.contention * max(0, len(sizes) - 1)
    return agents / (1 + (waiting + reporting) / tasks_per_sync)


def level_sizes(agents: int, span: int) -> list[int]:
    """Return how many there are on each level: the agents, then ever fewer coordinators, at last one (R2)."""
    sizes = [agents]
    while len(sizes) == 1 or sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // check_span(span)))
    return sizes


def check_tasks_per_sync(tasks: int) -> int:
    """Return `tasks` when work comes together after at least one, else raise `InvalidInput` (D4)."""
    if tasks < EVERY_TASK:
        raise InvalidInput(
            f"cannot bring work together once in {tasks} tasks: give 1 to do so after every task, or more "
            f"(default {DEFAULT_TASKS_PER_SYNC})"
        )
    return tasks


def spread(first: int, last: int, most: int) -> list[int]:
    """Return at most `most` numbers from `first` to `last`, both included, by about equal factors."""
    if last - first < most:
        return list(range(first, last + 1))
    return sorted(set(_by_factors(first, last, most)))


def _by_factors(first: int, last: int, most: int) -> Iterator[int]:
    for index in range(most):
        yield round(first * (last / first) ** (index / (most - 1)))


def _points(agents: Sequence[int], speedup: Speedup, parameters: Parameters) -> tuple[ScalingPoint, ...]:
    return tuple(_point(n, speedup(n), parameters) for n in agents)


def _point(agents: int, speedup: float, parameters: Parameters) -> ScalingPoint:
    return ScalingPoint(
        agents=agents,
        throughput=speedup * parameters.single,
        speedup=speedup,
        overhead=1 - speedup / agents,
    )


def _best(points: Sequence[ScalingPoint]) -> Ceiling:
    """Return the point with the most throughput; it is no ceiling that was found when it is the last."""
    best = max(points, key=lambda point: (point.throughput, -point.agents))
    return Ceiling(agents=best.agents, throughput=best.throughput, found=best is not points[-1])
