"""When a run at work will end: from what is done, at work and left, and what earlier runs measured (V6). Pure.

What this run has done so far says how fast it is: each agent's own pace, drawn towards that of all, the more so the
less it has done. The rest is laid out by the planner's own schedule, some times over, with times as they were measured.
The draws are the same at each call with the same state.
"""

import math
import random
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from echelon.model.graph import TaskSpec
from echelon.model.learning.learnt import Learnt, Spread
from echelon.model.learning.lesson import MeasuredValues, level_of
from echelon.model.learning.outlook import LATE, Outlook
from echelon.model.plan import PhasePlan, Plan
from echelon.model.run import StepKind
from echelon.model.session import seconds_without
from echelon.planning.features import stages_of
from echelon.planning.learning.expected import agent_name, learnt_agent, learnt_overheads
from echelon.planning.schedule.makespan import PhaseOverhead, ends_of_phases
from echelon.planning.schedule.remaining import schedule_of, unit_of
from echelon.runlog.learning.worked import WorkedTask, worked_tasks
from echelon.runlog.state import RunState

#: How often the rest is laid out; one of ten is below the low end, and one above the high one.
DRAWS = 19

#: So many tasks of an agent weigh as much as what is known without them.
WEIGHT_OF_KNOWN = 4.0

#: After so many tasks of an agent what one of them says counts half.
HALF_LIFE_TASKS = 14.0

#: The most that one task says of the pace of all, as a logarithm: a little more than twice as slow, or as fast.
MOST_SAID = 0.8

#: How much the pace of runs of one job differs where that was not measured, as a share.
USUAL_SPREAD = 0.1

#: A task that takes longer than any before it takes so much of its time so far once more, in the middle; and how heavy
#: the tail of that is: one of six takes more than twice of it.
LINGERS, TAIL_INDEX = 0.5, 1.7


def foresee(state: RunState, learnt: Learnt | None, now: datetime) -> Outlook | None:
    """Return when a run will end; None where nothing has begun, or nothing is known of how long anything takes."""
    plan = state.plan
    began = _began(state)
    if plan is None or began is None:
        return None
    view = _View(state, plan, learnt, now)
    if not view.known:
        return None
    ends = sorted(_rest(view, draw) for draw in range(DRAWS))
    low, likely, high = (level_of(ends, level) for level in (0.1, 0.5, 0.9))
    elapsed, forecast = seconds_without(began, now, state.pauses), plan.makespan.predicted
    late = sum(elapsed + end > (1 + LATE) * forecast for end in ends) / DRAWS if forecast else None
    return Outlook(elapsed=elapsed, low=low, likely=likely, high=high, forecast=forecast, late=late)


def _began(state: RunState) -> datetime | None:
    """Return when the first step began."""
    begun = [*(step.started for step in state.steps), *(started.at for started in state.at_work.values())]
    return min(begun, default=None)


class _Kind(NamedTuple):
    """An agent in a phase: tasks of one kind are alike."""

    phase: str
    agent: str


class _View:
    """A run as it stands: what is left of it, how long that takes, and how fast it is."""

    def __init__(self, state: RunState, plan: Plan, learnt: Learnt | None, now: datetime) -> None:
        self.state, self.plan, self.now = state, plan, now
        self.worked = worked_tasks(state, plan)
        self.overheads = learnt_overheads(plan, learnt) if learnt else {}
        tasks = {task.id: task for task in plan.tasks}
        self.kinds = {task: _Kind(one.name, agent_name(tasks[task])) for one in plan.phases for task in one.tasks}
        self.known = {kind: known for kind, known in self._known(learnt, tasks) if known is not None}
        self.elapsed = self._elapsed()
        self.left = self._left()
        self.paces = self._paces()
        self.spread = _spread_of_runs(learnt)
        stages = stages_of(plan.phases)
        self.units = {task: unit_of(plan, stage.name, task) for stage in stages for task in stage.tasks}
        # Of a phase in which only whoever integrates is at work, a task stands for it that takes no time.
        integrating = {stage.tasks[-1] for stage in stages if _integrates(self, stage)}
        self.schedule = schedule_of(
            plan, dict.fromkeys((*self.left, *integrating), 0.0), overheads=self._beyond(stages)
        )

    def _beyond(self, stages: Sequence[PhasePlan]) -> dict[str, PhaseOverhead]:
        """Return what phases still take beyond their tasks; nothing where that was not measured."""
        return {stage.name: _overhead(self, stage) for stage in stages} if self.overheads else {}

    def _known(self, learnt: Learnt | None, tasks: Mapping[str, TaskSpec]) -> Iterator[tuple[_Kind, Spread | None]]:
        """Yield how long tasks of each kind take: as runs measured it, or as is stated, or as in this run."""
        own: dict[_Kind, list[WorkedTask]] = defaultdict(list)
        for task, one in self.worked.items():
            own[self.kinds[task]].append(one)
        for kind in dict.fromkeys(self.kinds.values()):
            known = learnt_agent(learnt, *kind) if learnt else None
            stated = [tasks[task].seconds for task, one in self.kinds.items() if one == kind]
            here = [one.seconds for one in own[kind]] or [one for one in stated if one is not None]
            yield kind, (known.wall or known.seconds if known else None) or _described(here)

    def _elapsed(self) -> dict[str, float]:
        """Return how long tasks at work have been so far."""
        return {
            name.task_id: seconds_without(started.at, self.now, self.state.pauses)
            for name, started in self.state.at_work.items()
            if name.kind is StepKind.TASK and name.task_id in self.kinds
        }

    def _left(self) -> list[str]:
        """Return the tasks that have not ended, those at work included, as far as they will be done."""
        ended = {name.task_id for name in self.state.latest if name.kind is StepKind.TASK}
        over = {name for name, stands in self.state.phases.items() if stands.ended is not None}
        return [
            task
            for task, kind in self.kinds.items()
            if kind.phase not in over and kind in self.known and (task not in ended or task in self.elapsed)
        ]

    def _paces(self) -> dict[_Kind, float]:
        """Return how many times as long as usual tasks of each kind take in this run.

        One at work counts as long as such tasks take on average that have taken as long: so those that ended first,
        which are the short ones, do not make a run look fast. What ended last says more than what ended long ago.
        """
        seen: dict[_Kind, list[_Ratio]] = defaultdict(list)
        for task, known in self._measurable(self.worked):
            one = self.worked[task]
            seen[self.kinds[task]].append(_Ratio(one.finished, _log(one.seconds) - _mean_log(_values(known)), 1.0))
        for task, known in self._measurable(self.elapsed):
            took, values = self.elapsed[task], _values(known)
            longer = [value for value in values if value > took] or [took * (1 + LINGERS)]
            weight = min(1.0, took / known.usual)
            seen[self.kinds[task]].append(_Ratio(self.now, _mean_log(longer) - _mean_log(values), weight))
        whole = _drawn([one for ratios in seen.values() for one in ratios], 0.0)
        return {kind: math.exp(_drawn(seen.get(kind, []), whole)) for kind in self.known}

    def _measurable(self, tasks: Iterable[str]) -> Iterator[tuple[str, Spread]]:
        """Yield tasks of which it is known how long they take."""
        for task in tasks:
            known = self.known.get(self.kinds[task])
            if known is not None and known.usual > 0:
                yield task, known


class _Ratio(NamedTuple):
    """How long a task took, by what is usual, as a logarithm."""

    at: datetime
    value: float
    weight: float

    @property
    def bounded(self) -> float:
        """What it says of the others: one that takes very long does not stand for all."""
        return min(max(self.value, -MOST_SAID), MOST_SAID)


def _values(known: Spread) -> Sequence[float]:
    return known.quantiles or (known.usual,)


def _log(seconds: float) -> float:
    return math.log(max(1e-6, seconds))


def _mean_log(values: Sequence[float]) -> float:
    return statistics.fmean(_log(value) for value in values)


def _drawn(ratios: Sequence[_Ratio], towards: float) -> float:
    """Return the mean of what was seen, drawn towards what is known without it, as it weighs."""
    newest_first = sorted(ratios, key=lambda one: one.at, reverse=True)
    weights = [one.weight * 0.5 ** (place / HALF_LIFE_TASKS) for place, one in enumerate(newest_first)]
    weighed = sum(one.bounded * weight for one, weight in zip(newest_first, weights, strict=True))
    return (weighed + WEIGHT_OF_KNOWN * towards) / (sum(weights) + WEIGHT_OF_KNOWN)


def _spread_of_runs(learnt: Learnt | None) -> float:
    known = learnt.makespan_seconds if learnt else None
    return known.deviation / known.mean if known and known.count > 1 and known.mean else USUAL_SPREAD


def _described(values: list[float]) -> Spread | None:
    sample = MeasuredValues.of(values)
    if sample is None:
        return None
    return Spread(
        count=sample.count,
        mean=sample.mean,
        median=sample.at(0.5),
        p90=sample.at(0.9),
        deviation=sample.deviation,
        quantiles=sample.quantiles,
    )


def _rest(view: _View, draw: int) -> float:
    """Return how long the rest takes in one draw, in seconds."""
    chance = random.Random(f"{view.plan.job}/{draw}")  # noqa: S311
    # The middle draw is the run at the pace that it has.
    whole = math.exp(view.spread * statistics.NormalDist().inv_cdf((draw + 0.5) / DRAWS))
    seconds: dict[str, float] = defaultdict(float)
    for task in view.left:
        seconds[view.units[task]] += _seconds(view, task, chance, whole)
    ends = ends_of_phases(view.schedule, {unit.id: seconds[unit.id] for unit in view.schedule.agents})
    return max(ends.values(), default=0.0)


def _seconds(view: _View, task: str, chance: random.Random, whole: float) -> float:
    """Return how long a task still takes in one draw."""
    kind = view.kinds[task]
    known, pace = view.known[kind], view.paces[kind] * whole
    values = _values(known)
    took = view.elapsed.get(task)
    if took is None:
        return level_of(values, chance.random()) * pace
    longer = [value * pace for value in values if value * pace > took]
    level = chance.random()
    # Longer than any before it: the longer it has taken, the longer it still takes, as heavy tails have it (Pareto).
    return level_of(longer, level) - took if longer else took * ((1 - level) ** (-1 / TAIL_INDEX) - 1)


def _overhead(view: _View, stage: PhasePlan) -> PhaseOverhead:
    """Return what a phase still takes beyond its tasks."""
    known = view.overheads.get(stage.name, PhaseOverhead())
    if not any(name.phase == stage.name for name in (*view.state.latest, *view.state.at_work)):
        return known
    ended = [view.worked[task].finished for task in stage.tasks if task in view.worked]
    if not _integrates(view, stage) or not ended:
        return known._replace(lead=0.0)
    since = (view.now - max(ended)).total_seconds()
    return PhaseOverhead(tail=max(0.0, known.tail - since))


def _integrates(view: _View, stage: PhasePlan) -> bool:
    """Say whether all tasks of a phase have ended, and its sync point is not passed."""
    stands = view.state.phases.get(stage.name)
    left = set(view.left)
    return stands is not None and stands.ended is None and bool(stage.tasks) and not left.intersection(stage.tasks)
