"""When tasks end of which only so many may be at work, or begin in a minute: list scheduling under limits (F5)."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    work = Dispatcher(limits, seconds, dispatch_seconds)
    work.add("", tasks, 0.0)
    ended = {started.task: started.end for started in work.starts()}
    return [ended[task.id] for task in tasks]


class Started(NamedTuple):
    """A task that has started."""

    group: str
    """The phase, or whatever else it was added under."""
    task: str
    end: float
    """When it ends, in seconds from the beginning of all."""


class Dispatcher:
    """Starts tasks, in seconds of its own; those of a group may start from a time on, in their order.

    Groups at work at the same time share the limits: of those who could start, the ones of the highest priority come
    first, and of these the group that has started the least, as slots are given in a run (F5, X12). One processor
    starts everything, a task after the other.
    """

    def __init__(
        self, limits: Sequence[CapacityLimit], seconds: Mapping[str, float], dispatch_seconds: float = 0.0
    ) -> None:
        self._limits = limits
        self._seconds = seconds
        self._dispatch_seconds = dispatch_seconds
        self._timeline = _Timeline(limits)
        #: Tasks under the same limits and of one priority are alike: only the first in each group has to be looked at.
        self._queues: dict[tuple[str, tuple[int, ...], int], deque[tuple[int, TaskSpec]]] = {}
        self._from: dict[str, float] = {}
        self._started: dict[str, int] = {}
        self._added = 0
        self._dispatched_at = 0.0

    def add(self, group: str, tasks: Sequence[TaskSpec], at: float) -> None:
        """Let the tasks of a group start from a time on that is not over, in seconds."""
        self._from[group], self._started[group] = at, 0
        bounded_by = {
            _role(task): tuple(at for at, limit in enumerate(self._limits) if limit.bounds(task))
            for task in _one_of_each(tasks)
        }
        for task in tasks:
            key = (group, bounded_by[_role(task)], task.priority)
            self._queues.setdefault(key, deque()).append((self._added, task))
            self._added += 1

    def starts(self) -> Iterator[Started]:
        """Start everything, and yield each task as it starts; more may be added meanwhile."""
        while self._queues:
            yield self._start_next()

    def _start_next(self) -> Started:
        start, _, _, _, key = min(
            (
                max(self._timeline.earliest(bounded), self._from[group]),
                -priority,
                self._started[group],
                queue[0][0],
                (group, bounded, priority),
            )
            for (group, bounded, priority), queue in self._queues.items()
        )
        group, bounded, _ = key
        _, task = self._queues[key].popleft()
        if not self._queues[key]:
            del self._queues[key]
        self._started[group] += 1
        self._dispatched_at = max(self._dispatched_at, self._from[group]) + self._dispatch_seconds
        start = max(start, self._dispatched_at)
        end = start + self._seconds[task.id]
        self._timeline.take(bounded, start, end, task.tokens or 0)
        return Started(group, task.id, end)


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
        Bound(work / limit.at_once if limit.at_once else 0.0, _at_a_time(limit)),
        Bound(len(bound) * _pace(requests), f"{limit.name}: {_written(requests)} requests a minute"),
        Bound(tokens * _pace(rate), f"{limit.name}: {_written(rate)} tokens a minute"),
    )
    return max(bounds, key=lambda one: one.seconds)


def turns(tasks: Iterable[TaskSpec]) -> tuple[CapacityLimit, ...]:
    """Return the limits of shared things that several tasks touch: one of these tasks is at work at a time (D4)."""
    touching = Counter(thing for task in tasks for thing in dict.fromkeys(task.touches))
    return tuple(CapacityLimit(thing=thing, at_once=1) for thing, count in sorted(touching.items()) if count > 1)


def _at_a_time(limit: CapacityLimit) -> str:
    if limit.thing is not None:
        return f"{limit.name} take turns"
    return f"{_written(limit.at_once)} {limit.name} at a time"


def _role(task: TaskSpec) -> tuple[WorkerKind | None, str | None, bool, tuple[str, ...]]:
    """Return what decides which limits hold for a task."""
    return task.kind, task.provider, task.model is None, task.touches


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
