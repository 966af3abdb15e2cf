"""What phases took beyond their tasks, as the schedule of the planner has them: the engine's own time, measured. Pure.

The schedule is made with what each task really took; what phases took longer than that is the engine's.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from echelon.model.plan import PhasePlan, Plan
from echelon.model.run import StepRecord
from echelon.planning.features import stages_of
from echelon.planning.schedule.makespan import PhaseOverhead, ends_of_phases
from echelon.planning.schedule.phase_graph import needs_of_phases
from echelon.planning.schedule.remaining import schedule_of
from echelon.runlog.learning.worked import WorkedTask
from echelon.runlog.state import RunState


class StageSpan(NamedTuple):
    """When a phase, or several that agents go through item by item, was at work."""

    first_start: datetime
    last_task: datetime
    last_step: datetime


def overheads_of(state: RunState, plan: Plan, worked: Mapping[str, WorkedTask]) -> dict[str, PhaseOverhead]:
    """Return what each phase took beyond its tasks; of phases in which nothing was done there is none."""
    stages = stages_of(plan.phases)
    spans = {stage.name: span for stage in stages if (span := _span(state, stage, plan, worked)) is not None}
    if not spans:
        return {}
    seconds = {task: one.seconds for task, one in worked.items()}
    schedule = schedule_of(plan, seconds)
    needs = needs_of_phases(schedule.phases)
    began = min(span.first_start for span in spans.values())
    ready = {name: max((spans[need].last_step for need in needs[name]), default=began) for name in spans}
    bare = {
        name: PhaseOverhead(
            lead=max(0.0, (span.first_start - ready[name]).total_seconds()),
            tail=max(0.0, (span.last_step - span.last_task).total_seconds()),
        )
        for name, span in spans.items()
    }
    units = {phase.name: len(phase.tasks) for phase in schedule.phases}
    ends = ends_of_phases(replace(schedule, overheads=bare), {unit.id: unit.seconds or 0.0 for unit in schedule.agents})
    made: dict[str, PhaseOverhead] = {}
    for name, overhead in bare.items():
        took = (spans[name].last_step - ready[name]).total_seconds()
        foreseen = ends[name] - max((ends[need] for need in needs[name]), default=0.0)
        made[name] = overhead._replace(per_task=(took - foreseen) / units[name])
    return made


def _span(state: RunState, stage: PhasePlan, plan: Plan, worked: Mapping[str, WorkedTask]) -> StageSpan | None:
    own = [worked[task] for task in stage.tasks if task in worked]
    if not own:
        return None
    phases = {phase.name for phase in plan.phases if set(phase.tasks) <= set(stage.tasks)}
    last_task = max(one.finished for one in own)
    last_step = max([last_task, *(step.finished for step in state.latest.values() if _is_of(step, phases))])
    return StageSpan(min(one.started for one in own), last_task, last_step)


def _is_of(step: StepRecord, phases: set[str]) -> bool:
    return step.phase in phases and not step.handoff.kept_from
