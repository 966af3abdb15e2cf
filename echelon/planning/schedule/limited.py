"""When tasks end of which only so many may be at work, or begin in a minute: list scheduling under limits (F5)."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from echelon.model.graph import CapacityLimit, TaskSpec, WorkerKind

MINUTE_SECONDS = 60.0


def common_width(tasks: Sequence[TaskSpec], limits: Sequence[CapacityLimit]) -> int | None:
    """Return how many of the tasks may be at work at one time, as far as one limit for all of them says; None: all."""
    alike = _one_of_each(tasks)
    widths = [limit.at_once for limit in limits if limit.at_once is not None and all(map(limit.bounds, alike))]
    return min(widths, default=None)


def ends_within(
    tasks: Sequence[TaskSpec], seconds: Mapping[str, float], limits: Sequence[CapacityLimit], dispatch_seconds: float
) -> list[float]:
    """Return when each task ends if it starts as soon as all its limits let it, the first in order first.

    One processor starts them, so that the k-th start cannot be before k dispatches are over.

    >>> tasks = [TaskSpec(id=name, goal="ask", provider="p") for name in "abc"]
    >>> ends_within(tasks, {"a": 1, "b": 1, "c": 1}, [CapacityLimit(provider="p", requests_per_minute=6)], 0)
    [1.0, 11.0, 21.0]
    """
    # Tasks under the same limits are alike: only the first of them that waits has to be looked at.
    bounded_by = {
        _role(task): tuple(at for at, limit in enumerate(limits) if limit.bounds(task)) for task in _one_of_each(tasks)
    }
    queues: dict[tuple[int, ...], deque[int]] = {}
    for number, task in enumerate(tasks):
        queues.setdefault(bounded_by[_role(task)], deque()).append(number)
    timeline, ends = _Timeline(limits), [0.0] * len(tasks)
    for started in range(1, len(tasks) + 1):
        soonest = ((timeline.earliest(bounded), queue[0], bounded) for bounded, queue in queues.items())
        free_at, number, bounded = min(soonest)
        queues[bounded].popleft()
        if not queues[bounded]:
            del queues[bounded]
        start = max(free_at, started * dispatch_seconds)
        ends[number] = start + seconds[tasks[number].id]
        timeline.take(bounded, start, ends[number], tasks[number].tokens or 0)
    return ends


class Bound(NamedTuple):
    """What a limit makes tasks take at least."""

    seconds: float
    why: str
    """The number that does, in words."""


def at_least(limit: CapacityLimit, tasks: Sequence[TaskSpec], seconds: Mapping[str, float] | None) -> Bound:
    """Return what a limit makes tasks take at least; where no seconds are known, by its rates alone."""
    roles = {_role(task) for task in _one_of_each(tasks) if limit.bounds(task)}
    bound = [task for task in tasks if _role(task) in roles] if roles else []
    work = sum(seconds[task.id] for task in bound) if seconds else 0.0
    tokens = sum(task.tokens or 0 for task in bound)
    requests, rate = limit.requests_per_minute, limit.tokens_per_minute
    bounds = (
        Bound(work / limit.at_once if limit.at_once else 0.0, f"{_written(limit.at_once)} {limit.name} at a time"),
        Bound(len(bound) * _pace(requests), f"{limit.name}: {_written(requests)} requests a minute"),
        Bound(tokens * _pace(rate), f"{limit.name}: {_written(rate)} tokens a minute"),
    )
    return max(bounds, key=lambda one: one.seconds)


def _role(task: TaskSpec) -> tuple[WorkerKind | None, str | None, bool]:
    """Return what decides which limits hold for a task."""
    return task.kind, task.provider, task.model is None


def _one_of_each(tasks: Iterable[TaskSpec]) -> Iterable[TaskSpec]:
    """Return a task of each role: what holds for it holds for all of them."""
    return {_role(task): task for task in tasks}.values()


class _Timeline:
    """When each limit lets another task begin."""

    def __init__(self, limits: Sequence[CapacityLimit]) -> None:
        self._limits = limits
        #: By limit: the ends of those who were the last to take its slots, the first one first.
        self._ends: list[list[float]] = [[] for _ in limits]
        self._next_at = [0.0] * len(limits)

    def earliest(self, bounded: Sequence[int]) -> float:
        """Return when a task under these limits may start."""
        return max((max(self._next_at[at], self._slot_at(at)) for at in bounded), default=0.0)

    def take(self, bounded: Sequence[int], start: float, end: float, tokens: int) -> None:
        """Start a task."""
        for at in bounded:
            limit = self._limits[at]
            spaced = max(_pace(limit.requests_per_minute), tokens * _pace(limit.tokens_per_minute))
            self._next_at[at] = start + spaced
            if limit.at_once is not None:
                heappush(self._ends[at], end)
                if len(self._ends[at]) > limit.at_once:
                    heappop(self._ends[at])

    def _slot_at(self, at: int) -> float:
        ends, width = self._ends[at], self._limits[at].at_once
        return ends[0] if width is not None and len(ends) == width else 0.0


def _pace(per_minute: float | None) -> float:
    return MINUTE_SECONDS / per_minute if per_minute else 0.0


def _written(number: float | None) -> str:
    return f"{number:,.6g}" if number else ""
