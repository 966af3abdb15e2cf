"""Forecast a plan by what earlier runs of its job measured instead of what is stated and assumed (X10, V6). Pure.

The structure stays as it is: what was measured changes what is expected of it, not what it is.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterator

from echelon.model.learning.foreseen import LearntDifference, LearntForecast
from echelon.model.learning.learnt import Learnt
from echelon.model.plan import Makespan, Plan, Range, Spending
from echelon.model.views.rest import Estimate
from echelon.planning.features import stages_of
from echelon.planning.learning.expected import (
    by_agent,
    expected_seconds,
    expected_sum,
    learnt_agent,
    learnt_overheads,
)
from echelon.planning.schedule.makespan import Schedule, critical_path, durations, ends_of_phases, makespan
from echelon.planning.schedule.remaining import schedule_of, unit_of

#: Orders in which tasks are laid that differ in an unknown way; the middle one counts.
TURNS = 3


def with_learnt(plan: Plan, learnt: Learnt | None) -> Plan:
    """Return a plan with the forecast that earlier runs teach; as it is where nothing was learnt."""
    if learnt is None or not plan.tasks:
        return plan
    made, unknown = _makespan(plan, learnt)
    tokens = expected_sum(plan, learnt, lambda one: one.tokens)
    cost = expected_sum(plan, learnt, lambda one: one.cost)
    known = LearntForecast(
        runs=learnt.runs,
        newest=learnt.newest,
        stated_seconds=plan.makespan.predicted,
        makespan_seconds=made.predicted,
        tokens=tokens and tokens.expected,
        cost=cost and cost.expected,
        failures=_failures(plan, learnt),
        differences=tuple(one for one in _differences(plan, learnt) if one.contradicts),
        basis=learnt,
        unknown=unknown,
    )
    return plan.model_copy(update={"makespan": made, "spending": _spending(plan, tokens, cost), "learnt": known})


def _makespan(plan: Plan, learnt: Learnt) -> tuple[Makespan, tuple[str, ...]]:
    """Return how long a plan takes, and the phases of which nothing was learnt."""
    seconds, unknown = expected_seconds(plan, learnt)
    schedule = schedule_of(plan, seconds, overheads=learnt_overheads(plan, learnt))
    made = makespan(schedule)
    if made.predicted is None:
        return plan.makespan, unknown
    others = [_end(plan, learnt, schedule, turn) for turn in range(1, TURNS)]
    by_tasks = [task.model_copy(update={"seconds": seconds.get(task.id)}) for task in plan.tasks]
    chain = critical_path(by_tasks, durations(by_tasks) or {})
    changes: dict[str, object] = {
        "predicted": round(max(statistics.median([made.predicted, *others]), made.bound_seconds or 0.0), 6),
        "critical_path": round(chain, 6),
    }
    if (made.bound_seconds or 0.0) <= chain:
        changes |= {"bound_by": None, "bound_seconds": None}
    return made.model_copy(update=changes), unknown


def _end(plan: Plan, learnt: Learnt, schedule: Schedule, turn: int) -> float:
    """Return when the same schedule ends where tasks that differ come in another order."""
    seconds, _ = expected_seconds(plan, learnt, turn)
    units: dict[str, float] = defaultdict(float)
    for stage in stages_of(plan.phases):
        for task in stage.tasks:
            units[unit_of(plan, stage.name, task)] += seconds.get(task, 0.0)
    return max(ends_of_phases(schedule, units).values(), default=0.0)


def _spending(plan: Plan, tokens: Estimate | None, cost: Estimate | None) -> Spending:
    """Return what a plan consumes: what was learnt of it, and of all else what is stated."""
    stated = plan.spending
    if tokens is None:
        return stated
    changes: dict[str, object] = {
        "work_tokens": round(tokens.expected),
        "assumed": 0,
        "coordination_tokens": Range(low=0, high=0),  # measured, and in the sum
        "tokens": _range(tokens, 0),
        "cost": None if cost is None else _range(cost, 6),
        "unpriced": () if cost is not None else stated.unpriced,
    }
    return stated.model_copy(update=changes)


def _range(estimate: Estimate, digits: int) -> Range:
    low, high = (estimate.expected if one is None else one for one in (estimate.low, estimate.high))
    return Range(low=round(low, digits), high=round(high, digits))


def _failures(plan: Plan, learnt: Learnt) -> float | None:
    shares = [
        (len(own), known.failure_share)
        for phase in plan.phases
        for agent, own in by_agent(plan, phase).items()
        if (known := learnt_agent(learnt, phase.name, agent)) is not None and known.failure_share is not None
    ]
    return sum(number * share for number, share in shares) if shares else None


def _differences(plan: Plan, learnt: Learnt) -> Iterator[LearntDifference]:
    """Yield what phases state of each task, beside what their tasks took."""
    for phase in plan.phases:
        for agent, own in by_agent(plan, phase).items():
            known = learnt_agent(learnt, phase.name, agent)
            if known is None:
                continue
            seconds = [task.seconds for task in own if task.seconds is not None]
            tokens = [task.tokens for task in own if task.tokens is not None]
            if seconds and known.seconds is not None:
                mean = statistics.fmean(seconds)
                yield LearntDifference(phase=phase.name, what="seconds", stated=mean, learnt=known.seconds.usual)
            if tokens and known.tokens is not None:
                mean = statistics.fmean(tokens)
                yield LearntDifference(phase=phase.name, what="tokens", stated=mean, learnt=known.tokens.usual)
