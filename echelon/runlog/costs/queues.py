"""What waited before each coordinator and each limit, and whether that grew (M9). Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from echelon.model.costs.account import CostKind
from echelon.model.costs.measures import QueueDepth
from echelon.model.run import StepKind
from echelon.runlog.costs.waits import ReadyTimes
from echelon.runlog.state import RunState

Before = Literal["coordinator", "limit"]
Queued = tuple[float, float]
"""From when until when something waited, in seconds from the beginning of the run."""


class _Queue(NamedTuple):
    before: Before
    name: str


def queues_of(state: RunState) -> tuple[QueueDepth, ...]:
    """Return what waited before each coordinator and each limit of a run, the longest queue first."""
    if state.record is None or state.last_at is None:
        return ()
    began = state.record.started
    length = ((state.record.finished or state.last_at) - began).total_seconds()
    if length <= 0:
        return ()
    waiting: dict[_Queue, list[Queued]] = defaultdict(list)
    for queue, first, last in _waits(state):
        since, until = ((moment - began).total_seconds() for moment in (first, last))
        waiting[queue].append((min(max(0.0, since), length), min(max(0.0, until), length)))
    depths = (depth_of(queue.name, queue.before, times, length) for queue, times in waiting.items())
    return tuple(sorted(depths, key=lambda depth: (-depth.most, -depth.mean, depth.name)))


def depth_of(name: str, before: Before, times: Sequence[Queued], length: float) -> QueueDepth:
    """Return the depth of one queue over a run of so many seconds.

    Each wait adds one to the depth while it lasts, so the mean and the line through the depth are sums over waits.
    """
    middle = length / 2
    # The integral of (t - middle) over a wait; a line through the depth rises by 12 / length² of the sum.
    leaning = sum((until - middle) ** 2 - (since - middle) ** 2 for since, until in times) / 2
    return QueueDepth(
        name=name,
        before=before,
        most=_most(times),
        mean=sum(until - since for since, until in times) / length,
        growth=12 * leaning / length**2,
    )


def _most(times: Sequence[Queued]) -> int:
    """Return how many waited at one time; who leaves at a moment does not stand behind who comes then."""
    changes = sorted([(since, 1) for since, _ in times] + [(until, -1) for _, until in times])
    most = depth = 0
    for _, change in changes:
        depth += change
        most = max(most, depth)
    return most


def _waits(state: RunState) -> Iterator[tuple[_Queue, datetime, datetime]]:
    for wait in state.waits:
        yield _Queue("limit", wait.limiter), wait.at - timedelta(seconds=wait.seconds), wait.at
    for one in ReadyTimes(state).waits():
        if one.kind is CostKind.COORDINATOR and one.step.kind is not StepKind.TASK and one.ready < one.step.started:
            yield _Queue("coordinator", one.step.node), one.ready, one.step.started
