"""Which tasks took, or used, far more than others that did the same; and who fails far more often (V1). Pure.

Sizes are compared by their logarithms, as work varies by factors: one is far off when it is more than five robust
deviations (1.4826 times the median deviation from the median) above the median, and more than twice as large. Shares of
failures are compared with those of all others by the exact binomial tail.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import NamedTuple

from echelon.model.exception_report import ExceptionReport, Trigger
from echelon.model.phrasing import count, duration
from echelon.model.plan import Plan
from echelon.model.run import StepKind, StepRecord
from echelon.oversight.exceptions.saying import named, warning

#: Fewer of one kind say nothing about what is usual.
LEAST = 20

#: Robust deviations from the median, and the factor, from which on one is far off. Iglewicz and Hoaglin (1993) look at
#: what is 3.5 away; of a thousand that only vary as work does, one in five groups has one, which is no news.
DEVIATIONS, FACTOR = 5.0, 2.0

#: Makes the median deviation that of a normal distribution.
_NORMAL = 1.4826

#: A share of failures is no accident when it would be one in a thousand times only; and of at least so many that were
#: tried so many have failed.
ACCIDENT, LEAST_TRIED, LEAST_FAILED = 0.001, 5, 3


class Far(NamedTuple):
    """What is far from the others."""

    places: tuple[int, ...]
    """Which they are, the farthest first."""
    usual: float
    """The median of all."""


def far_above(numbers: Sequence[float]) -> Far | None:
    """Return which of some sizes are far above the others; None where there are too few, or none is."""
    if len(numbers) < LEAST or min(numbers) <= 0:
        return None
    logs = [math.log(number) for number in numbers]
    middle = median(logs)
    deviation = _NORMAL * median(abs(log - middle) for log in logs)
    limit = max(DEVIATIONS * deviation, math.log(FACTOR))
    far = sorted((at for at, log in enumerate(logs) if log - middle > limit), key=lambda at: -logs[at])
    return Far(tuple(far), math.exp(middle)) if far else None


def fails_more_often(failed: int, tried: int, others_failed: int, others: int) -> bool:
    """Say whether some failed so much more often than all others that it is no accident."""
    if (
        tried < LEAST_TRIED
        or others < LEAST
        or failed < LEAST_FAILED
        or failed * others < FACTOR * others_failed * tried
    ):
        return False
    usual = (others_failed + 1) / (others + 2)  # never 0 or 1: so few others are not all that could be
    return _tail(failed, tried, usual) < ACCIDENT


def _tail(least: int, tried: int, share: float) -> float:
    """Return how probable at least so many failures are, each with this probability."""
    logs = (
        math.lgamma(tried + 1)
        - math.lgamma(n + 1)
        - math.lgamma(tried - n + 1)
        + n * math.log(share)
        + (tried - n) * math.log1p(-share)
        for n in range(least, tried + 1)
    )
    return sum(map(math.exp, logs))


class _Size(NamedTuple):
    """Something that tasks take or use."""

    name: str
    verb: str
    of: Callable[[StepRecord], float | None]
    show: Callable[[float], str]


def _took(step: StepRecord) -> float:
    return (step.finished - step.started).total_seconds()


def _used(step: StepRecord) -> float | None:
    return step.handoff.usage.tokens


def _plain(number: float) -> str:
    return f"{number:,.0f}"


_SIZES = (
    _Size("duration", "took far longer than others of their kind", _took, duration),
    _Size("tokens", "used far more tokens than others of their kind", _used, _plain),
)


def outliers_of(
    plan: Plan, phase: str, steps: Iterable[StepRecord], known: Iterable[ExceptionReport], now: datetime
) -> Iterator[ExceptionReport]:
    """Yield what is to be said of a phase at its sync point, one exception for a group, without what is on record.

    Tasks that are known to be late are not told of again for the time that they took.
    """
    reports = tuple(known)
    said = {report.about for report in reports if report.trigger is Trigger.OUTLIER}
    late = {task for report in reports if report.trigger is Trigger.LATE for task in report.tasks}
    tasks = [step for step in steps if step.kind is StepKind.TASK and not step.replica and not step.handoff.kept_from]
    kind_of = {task.id: task.capability or "" for task in plan.tasks}
    kinds = _grouped(tasks, lambda step: kind_of.get(step.handoff.task_id, ""))
    found = [
        *(one for kind, own in kinds.items() for size in _SIZES for one in _far_off(plan, phase, kind, own, size, now)),
        *_failures(plan, phase, kinds, now, "agent"),
        *_failures(plan, phase, _grouped(tasks, lambda step: _part_of(plan, step.node)), now, "domain"),
    ]
    for report in found:
        is_known = report.about.startswith(_SIZES[0].name) and late.issuperset(report.tasks)
        if report.about not in said and not is_known:
            yield report


def _part_of(plan: Plan, node: str) -> str:
    return plan.part_of(node) if node in plan.nodes else ""


def _grouped(tasks: Iterable[StepRecord], by: Callable[[StepRecord], str]) -> dict[str, list[StepRecord]]:
    groups: defaultdict[str, list[StepRecord]] = defaultdict(list)
    for step in tasks:
        groups[by(step)].append(step)
    return groups


def _far_off(
    plan: Plan, phase: str, kind: str, own: Iterable[StepRecord], size: _Size, now: datetime
) -> Iterator[ExceptionReport]:
    """Yield what is to be said of tasks of one kind that took or used far more than the others."""
    sizes = {step.handoff.task_id: number for step in own if step.handoff.done and (number := size.of(step))}
    far = far_above(tuple(sizes.values()))
    if far is None:
        return
    names = tuple(sizes)
    tasks = [names[place] for place in far.places]
    said = (
        f"{count(len(tasks), 'task')} of phase {phase!r} {size.verb}: {size.show(sizes[tasks[0]])} at most, "
        f"{size.show(far.usual)} in the middle of {len(names):,}; {named(tasks)}"
    )
    yield warning(plan, Trigger.OUTLIER, said, now, about=f"{size.name} in phase {phase} of {kind}", tasks=tasks)


def _failures(
    plan: Plan, phase: str, groups: Mapping[str, Sequence[StepRecord]], now: datetime, what: str
) -> Iterator[ExceptionReport]:
    """Yield which groups of tasks failed far more often than all others of their phase."""
    failed = {name: [step.handoff.task_id for step in own if _has_failed(step)] for name, own in groups.items()}
    all_failed, all_tried = sum(map(len, failed.values())), sum(map(len, groups.values()))
    for name, own in groups.items():
        lost, tried = len(failed[name]), len(own)
        others_failed, others = all_failed - lost, all_tried - tried
        if name and fails_more_often(lost, tried, others_failed, others):
            said = (
                f"{what} {named([name])} fails far more often than others of phase {phase!r}: {lost:,} of {tried:,} "
                f"tasks, {others_failed:,} of {others:,} elsewhere"
            )
            about = f"failures in phase {phase} of {what} {name}"
            yield warning(plan, Trigger.OUTLIER, said, now, about=about, tasks=failed[name])


def _has_failed(step: StepRecord) -> bool:
    return not step.handoff.done and not step.handoff.waits
