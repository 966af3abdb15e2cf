"""What a run measured, in brief, for the plans of later runs of its job (X10). Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from echelon.model.learning.lesson import AgentLesson, MeasuredValues, PhaseLesson, RunLesson
from echelon.model.plan import PhasePlan, Plan
from echelon.model.run import StepKind, StepRecord
from echelon.model.session import seconds_without
from echelon.planning.features import stages_of
from echelon.planning.learning.expected import INTEGRATION, agent_name
from echelon.planning.schedule.makespan import PhaseOverhead
from echelon.runlog.costs.measures import measure
from echelon.runlog.learning.timing import overheads_of
from echelon.runlog.learning.worked import WorkedTask, integrations, retry_seconds, worked_tasks
from echelon.runlog.state import RunState


def lesson_of(state: RunState, at: datetime) -> RunLesson | None:
    """Return what a run measured that ended at `at`; None without a plan, and for a sample and a baseline."""
    record, plan = state.record, state.plan
    if record is None or plan is None or state.sample is not None or state.single:
        return None
    worked = worked_tasks(state, plan)
    found = measure(state.steps, 0.0, state.pauses)
    overheads = {} if state.pauses else overheads_of(state, plan, worked)
    tokens, spending = plan.learnt.tokens if plan.learnt else None, plan.spending.tokens
    return RunLesson(
        run_id=record.run_id,
        at=at,
        phases={phase.name: _phase(state, plan, phase, worked, overheads) for phase in plan.phases},
        completed=found.completed,
        failed=found.failed,
        kept=found.kept,
        makespan_seconds=found.makespan_seconds,
        tokens=found.tokens,
        cost=found.cost,
        resumed=bool(state.pauses),
        limits={limit.name: limit.at_once for limit in plan.limits if limit.at_once and not limit.thing},
        predicted_seconds=plan.makespan.predicted,
        predicted_tokens=tokens if tokens is not None else spending and (spending.low + spending.high) / 2,
    )


def _phase(
    state: RunState,
    plan: Plan,
    phase: PhasePlan,
    worked: Mapping[str, WorkedTask],
    overheads: Mapping[str, PhaseOverhead],
) -> PhaseLesson:
    stands, overhead = state.phases.get(phase.name), overheads.get(_stage(plan, phase.name))
    passed = stands is not None and stands.ended is not None
    kept = sum(
        name.kind is StepKind.TASK and name.phase == phase.name and bool(step.handoff.kept_from)
        for name, step in state.latest.items()
    )
    return PhaseLesson(
        tasks=len(phase.tasks),
        kept=kept,
        agents=_agents(state, plan, phase, worked),
        seconds=seconds_without(stands.started, stands.ended, state.pauses) if passed else None,  # type: ignore[union-attr]
        integration=phase.integration or "",
        lead_seconds=overhead and round(overhead.lead, 6),
        tail_seconds=overhead and round(overhead.tail, 6),
        task_overhead_seconds=overhead and round(overhead.per_task, 6),
    )


def _stage(plan: Plan, phase: str) -> str:
    """Return the stage of the schedule that a phase is in: its own, or that of the phase it continues."""
    tasks = {one.name: set(one.tasks) for one in plan.phases}[phase]
    return next((stage.name for stage in stages_of(plan.phases) if tasks <= set(stage.tasks)), phase)


def _agents(state: RunState, plan: Plan, phase: PhasePlan, worked: Mapping[str, WorkedTask]) -> dict[str, AgentLesson]:
    tasks, retried = {task.id: task for task in plan.tasks}, retry_seconds(state)
    by_agent: dict[str, list[WorkedTask]] = defaultdict(list)
    for task in phase.tasks:
        if task in worked:
            by_agent[agent_name(tasks[task])].append(worked[task])
    found = {name: _agent(own, retried) for name, own in by_agent.items()}
    merged = integrations(state, phase.name)
    return {**found, INTEGRATION: _integration(merged)} if merged else found


def _agent(own: Sequence[WorkedTask], retried: Mapping[str, float]) -> AgentLesson:
    done = [one for one in own if one.done]
    return AgentLesson(
        fingerprint=_newest_code((one.finished, one.code) for one in own),
        done=len(done),
        failed=len(own) - len(done),
        attempts=sum(one.attempts for one in own),
        seconds=MeasuredValues.of([one.seconds for one in done]),
        wall=MeasuredValues.of([one.seconds for one in own]),
        tokens=MeasuredValues.of([one.tokens for one in own if one.tokens is not None]),
        cost=MeasuredValues.of([one.cost for one in own if one.cost is not None]),
        retry_seconds=round(sum(retried.get(one.task_id, 0.0) for one in own), 6),
    )


def _integration(steps: Sequence[StepRecord]) -> AgentLesson:
    took = MeasuredValues.of([(step.finished - step.started).total_seconds() for step in steps])
    done = sum(step.handoff.done for step in steps)
    return AgentLesson(
        fingerprint=_newest_code((step.finished, step.code) for step in steps),
        done=done,
        failed=len(steps) - done,
        attempts=sum(step.handoff.attempts for step in steps),
        seconds=took,
        wall=took,
        tokens=MeasuredValues.of([one for step in steps if (one := step.handoff.usage.tokens) is not None]),
        cost=MeasuredValues.of([one for step in steps if (one := step.handoff.usage.cost) is not None]),
    )


def _newest_code(known: Iterable[tuple[datetime, str]]) -> str:
    return max(known, key=lambda one: one[0])[1]
