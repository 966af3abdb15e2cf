"""What the rules of a retrospective look at, and what a change would make of the makespan. Pure."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from echelon.model.graph import CapacityLimit
from echelon.model.learning.lesson import RunLesson
from echelon.model.plan import PhasePlan, Plan
from echelon.planning.features import stages_of
from echelon.planning.schedule.makespan import PhaseOverhead, Schedule, ends_of_phases
from echelon.planning.schedule.remaining import schedule_of, unit_of
from echelon.runlog.learning.worked import WorkedTask, worked_tasks
from echelon.runlog.state import RunState

Change = Callable[[Schedule], Schedule]
"""What would be different."""


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """A run that has ended, what it measured, and what the run before it did."""

    state: RunState
    plan: Plan
    lesson: RunLesson
    before: RunLesson | None

    @cached_property
    def worked(self) -> dict[str, WorkedTask]:
        """Tasks that were worked on."""
        return worked_tasks(self.state, self.plan)

    def own_of(self, phase: PhasePlan) -> list[WorkedTask]:
        """Return the tasks of a phase that were worked on."""
        return [self.worked[task] for task in phase.tasks if task in self.worked]

    @cached_property
    def _schedule(self) -> Schedule:
        """The run as it was: with what each task really took, and what phases took beyond their tasks."""
        overheads = {
            name: PhaseOverhead(one.lead_seconds or 0.0, one.tail_seconds or 0.0, one.task_overhead_seconds)
            for name, one in self.lesson.phases.items()
            if one.task_overhead_seconds is not None
        }
        own = {task: one.seconds for task, one in self.worked.items()}
        return schedule_of(self.plan, own, overheads=overheads)

    @cached_property
    def _as_it_was(self) -> float:
        return _length(self._schedule, {})

    @cached_property
    def _units(self) -> dict[str, str]:
        stages = stages_of(self.plan.phases)
        return {task: unit_of(self.plan, stage.name, task) for stage in stages for task in stage.tasks}

    def makespan_with(
        self, seconds: Mapping[str, float] | None = None, change: Change = lambda schedule: schedule
    ) -> float | None:
        """Return what the run would have taken with other seconds of some tasks, or another schedule.

        The schedule of the planner says what that makes of the makespan: what it saves is taken from what was measured.
        """
        measured = self.lesson.makespan_seconds
        if measured is None or not self.worked:
            return None
        longer: dict[str, float] = defaultdict(float)
        for task, took in (seconds or {}).items():
            longer[self._units[task]] += took - self.worked[task].seconds
        return max(0.0, measured - (self._as_it_was - _length(change(self._schedule), longer)))


def _length(schedule: Schedule, longer: Mapping[str, float]) -> float:
    seconds = {unit.id: max(0.0, (unit.seconds or 0.0) + longer.get(unit.id, 0.0)) for unit in schedule.agents}
    return max(ends_of_phases(schedule, seconds).values(), default=0.0)


def in_parts(plan: Plan, task: str, parts: int) -> Change:
    """Return the change that a task is done in so many parts of one length, side by side."""
    stage = next(one.name for one in stages_of(plan.phases) if task in one.tasks)
    unit = unit_of(plan, stage, task)

    def change(schedule: Schedule) -> Schedule:
        whole = next(one for one in schedule.agents if one.id == unit)
        pieces = [
            whole.model_copy(update={"id": f"{unit} {part}", "seconds": (whole.seconds or 0.0) / parts})
            for part in range(parts)
        ]
        agents = [one for one in schedule.agents if one.id != unit]
        names = tuple(one.id for one in pieces)
        phases = [
            phase.model_copy(update={"tasks": _put(phase.tasks, unit, names)}) if phase.name == stage else phase
            for phase in schedule.phases
        ]
        return replace(schedule, agents=[*agents, *pieces], phases=phases)

    return change


def _put(tasks: Sequence[str], unit: str, pieces: tuple[str, ...]) -> tuple[str, ...]:
    place = tasks.index(unit)
    return (*tasks[:place], *pieces, *tasks[place + 1 :])


def with_twice(limit: CapacityLimit) -> Change:
    """Return the change that a limit lets twice as many be at work."""
    wider = limit.model_copy(update={"at_once": 2 * (limit.at_once or 1)})

    def change(schedule: Schedule) -> Schedule:
        return replace(schedule, limits=[wider if one == limit else one for one in schedule.limits])

    return change


def with_tail(plan: Plan, phase: PhasePlan, factor: float) -> Change:
    """Return the change that what integrates a phase takes `factor` times as long."""
    stage = next(one.name for one in stages_of(plan.phases) if set(phase.tasks) <= set(one.tasks))

    def change(schedule: Schedule) -> Schedule:
        known = schedule.overheads.get(stage)
        if known is None:
            return schedule
        shorter = known._replace(tail=known.tail * factor)
        return replace(schedule, overheads={**schedule.overheads, stage: shorter})

    return change
