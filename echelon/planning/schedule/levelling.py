"""Level phases by duration: a long task that can wait stands beside other long ones, so that it holds nobody up (D4).

A phase lasts as long as its longest task. A task may stand anywhere behind its producers and before its consumers; the
number of phases stays as it is, and so does every phase that was declared, gated or keeps shared things apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple, Self

from echelon.model.graph import TaskSpec
from echelon.model.plan import PhasePlan
from echelon.planning.schedule.makespan import list_scheduled
from echelon.planning.schedule.order import consumers_of, producers_of, topological


def levelled(
    tasks: Sequence[TaskSpec], phases: Sequence[PhasePlan], seconds: Mapping[str, float] | None, width: int | None
) -> tuple[PhasePlan, ...]:
    """Return the phases with tasks moved where that makes the whole shorter; as they were where nothing is gained.

    `width` is the number of agents at work at one time, None for all. Nothing moves without a gain, and then only as
    far as needed: every task stands in the first phase that it makes no longer.
    """
    fixed = any(task.phase is not None or task.touches or task.at_gate or task.needs for task in tasks)
    if seconds is None or fixed or len(phases) < 2:
        return tuple(phases)
    places = {task: number for number, phase in enumerate(phases) for task in phase.tasks}
    order = _Order.of(tasks)
    before = _Levels(order, places, seconds, width)
    tried = [before]
    for start in (places, _as_late_as_possible(order, len(phases))):
        levels = _Levels(order, start, seconds, width)
        levels.lower_peaks()
        levels.settle()
        while levels.advance_peaks():
            levels.settle()
        tried.append(levels)
    best = min(tried, key=lambda levels: levels.total())
    return tuple(phases) if best is before else _moved(phases, tasks, best.places)


def _moved(phases: Sequence[PhasePlan], tasks: Sequence[TaskSpec], places: Mapping[str, int]) -> tuple[PhasePlan, ...]:
    held: list[list[str]] = [[] for _ in phases]
    for task in tasks:
        held[places[task.id]].append(task.id)
    hubs = {hub for phase in phases for hub in phase.sync.hubs}
    return tuple(
        phase.model_copy(
            update={
                "tasks": tuple(here),
                "sync": phase.sync.model_copy(update={"hubs": tuple(task for task in here if task in hubs)}),
            }
        )
        for phase, here in zip(phases, held, strict=True)
    )


class _Order(NamedTuple):
    """Who comes before whom."""

    tasks: Sequence[str]
    """Producers first."""
    producers: Mapping[str, Sequence[str]]
    consumers: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, tasks: Sequence[TaskSpec]) -> Self:
        producers = {task.id: producers_of(task) for task in tasks}
        return cls([task.id for task in topological(tasks)], producers, consumers_of(tasks))


def _as_late_as_possible(order: _Order, phases: int) -> dict[str, int]:
    places: dict[str, int] = {}
    for task in reversed(order.tasks):
        places[task] = min((places[user] for user in order.consumers[task]), default=phases) - 1
    return places


class _Levels:
    """Where tasks stand, and how long each phase takes."""

    def __init__(
        self, order: _Order, places: Mapping[str, int], seconds: Mapping[str, float], width: int | None
    ) -> None:
        self.places = dict(places)
        self.seconds = seconds
        self.width = width or len(places)
        self.order = order
        self.work = [0.0] * (max(places.values()) + 1)
        #: Those who stand, or once stood, in each phase, the longest first.
        self.longest: list[list[tuple[float, str]]] = [[] for _ in self.work]
        for task, place in self.places.items():
            self.longest[place].append((-seconds[task], task))
            self.work[place] += seconds[task]
        for heap in self.longest:
            heapify(heap)

    def total(self) -> float:
        """Return the sum of what the phases take when tasks start one after the other, in seconds."""
        held: list[list[float]] = [[] for _ in self.work]
        for task in self.order.tasks:
            held[self.places[task]].append(self.seconds[task])
        return sum(max(list_scheduled(here, self.width), default=0.0) for here in held)

    def takes(self, place: int) -> float:
        """Return what a phase takes at least: its longest task, or its work shared by all who may work at a time."""
        heap = self.longest[place]
        while heap and self.places[heap[0][1]] != place:
            heappop(heap)
        return max(-heap[0][0] if heap else 0.0, self.work[place] / self.width)

    def lower_peaks(self) -> None:
        """Move the longest task of each phase, and the next, while there is a phase that it does not lengthen."""
        for place in reversed(range(len(self.work))):
            here = sorted({entry for entry in self.longest[place] if self.places[entry[1]] == place})
            for _, task in here:
                others = [other for other in self._allowed(task) if other != place]
                if not self._move(task, others):
                    break

    def settle(self) -> None:
        """Move every task to the first phase that it does not lengthen, so that nothing waits without a reason (D4)."""
        for task in self.order.tasks:
            self._move(task, range(self._allowed(task).start, self.places[task]))

    def advance_peaks(self) -> bool:
        """Move the longest task of a phase forward where another phase grows by less than its own shrinks."""
        moved = False
        for place in range(1, len(self.work)):
            takes = self.takes(place)
            if not self.longest[place]:
                continue
            task = self.longest[place][0][1]
            gain = takes - self._takes_without(task)
            earlier = range(self._allowed(task).start, place)
            target = next((one for one in earlier if self._grows(one, task) < gain), None)
            if target is not None:
                self._put(task, target)
                moved = True
        return moved

    def _takes_without(self, task: str) -> float:
        """Return what the phase of a task would take at least without it."""
        place, size = self.places[task], self.seconds[task]
        self.places[task] = -1
        self.work[place] -= size
        takes = self.takes(place)
        self.places[task] = place
        self.work[place] += size
        heappush(self.longest[place], (-size, task))
        return takes

    def _grows(self, place: int, task: str) -> float:
        """Return by how much a phase would take longer with one more task."""
        takes, size = self.takes(place), self.seconds[task]
        return max(takes, size, (self.work[place] + size) / self.width) - takes

    def _allowed(self, task: str) -> range:
        first = max((self.places[used] for used in self.order.producers[task]), default=-1) + 1
        return range(first, min((self.places[user] for user in self.order.consumers[task]), default=len(self.work)))

    def _move(self, task: str, wanted: Iterable[int]) -> bool:
        size = self.seconds[task]
        for place in wanted:
            takes = self.takes(place)
            if size <= takes and (self.work[place] + size) / self.width <= takes:
                self._put(task, place)
                return True
        return False

    def _put(self, task: str, place: int) -> None:
        size = self.seconds[task]
        self.work[self.places[task]] -= size
        self.work[place] += size
        self.places[task] = place
        heappush(self.longest[place], (-size, task))
