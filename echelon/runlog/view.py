"""What people and programs are shown of a run: made here, from its state and its outputs, and nowhere else. Pure.

`run`, `show`, `checklist`, the report, the page and Prefect's picture print the same figures because they ask the same
function. Where a run has not ended, it is seen as its last event left it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from echelon.model.errors import JournalError
from echelon.model.handoff import Missing, OutputReference
from echelon.model.phrasing import listed
from echelon.model.plan import PhasePlan, Plan
from echelon.model.rolling.phases import PhaseView, RepeatedWork
from echelon.model.run import MissingGroup, RunResult, RunStatus, RunView, StepKind, StepRecord
from echelon.model.views.judged import JudgedWork
from echelon.model.views.rest import PERSON, Rest, Waiting
from echelon.model.views.retry import TaskRetry
from echelon.model.views.waits import WaitView
from echelon.planning.schedule.phase_graph import final_names, phases_awaited
from echelon.runlog.alike import KnownLosses, exceptions_by_cause, missing_by_cause
from echelon.runlog.breakers import breakers_of
from echelon.runlog.causes import awaited_by
from echelon.runlog.costs.account import account_of
from echelon.runlog.costs.bands import graded
from echelon.runlog.costs.measures import measures_of
from echelon.runlog.exceptions.visible import visibility_of
from echelon.runlog.incidents import errors_of, incidents_of
from echelon.runlog.items import changes_of
from echelon.runlog.judging.autonomy import approvals_of, autonomy_of
from echelon.runlog.judging.judged import audits_that_count, judged_of, rejected_by_audit
from echelon.runlog.losses import has_delivered, is_lost, missing_of, stand_in, unchecked
from echelon.runlog.sampling import held_phases, left_out, rest_of
from echelon.runlog.state import RunState, StepName

Read = Callable[[OutputReference], object]
"""Reads an output as JSON; raises `JournalError` when it cannot be read any more."""


def view_of(state: RunState, read: Read, previous: object = None) -> RunView:
    """Return everything that is known about a run; `previous` is the output of the run before it, if there was one."""
    record, latest = state.record, _in_plan(state)
    assert record is not None, "a log begins with the start of its run"
    assert state.last_at is not None, "the start of a run happened at some time"
    missing = _missing(latest, state, record.plan)
    incidents = incidents_of(state.steps, record.plan)
    kinds = {name.task_id: name.kind for name in latest if name.kind is not StepKind.TASK}
    losses = KnownLosses(errors=errors_of(state.steps), incidents=incidents, kinds=kinds)
    launched = len(latest.keys() | set(_planned(state)))
    reader, rest = _Reader(read), rest_of(state)
    return RunView(
        record=record,
        steps=state.steps,
        launched=launched,
        returned=launched - len(missing),
        missing=missing,
        missing_by_cause=tuple(_traced(missing_by_cause(missing, losses), state)),
        items={name: changes for name in state.phases if (changes := changes_of(state, name))},
        concerns=tuple(state.concerns.values()),
        proposals=tuple(state.proposals.values()),
        **dict(_judged_work(state, latest)),
        gates=tuple(state.gates.values()),
        notifications=tuple(state.notifications.values()),
        confidences=dict(state.confidences),
        blocked=dict(state.blocked),
        exceptions=state.exceptions,
        exceptions_by_cause=exceptions_by_cause(state.exceptions),
        incidents=incidents,
        breakers=breakers_of(state.breakers),
        plan_changes=state.plan_changes,
        **_measured(state),
        phases=tuple(_phases(state, latest)),
        extensions=state.extensions,
        waits=_waits(state),
        at_work=tuple(name.task_id for name in state.at_work),
        conversations=state.conversations,
        log_lines=dict(state.log_lines),
        skipped=_skipped(state),
        repeated=tuple(_repeated(latest.values())),
        output=_output(latest.values(), state, reader),
        visibility=visibility_of(state, _planned(state)),
        rest=rest,
        waiting=_waiting(state, missing, rest, latest.values()),
        retrospective=state.review.retrospective if state.review else None,
        retries=tuple(TaskRetry(tasks=one.tasks, by=one.by, at=one.at) for one in state.retries),
        stand_ins={name.task_id: stand_in(step.handoff) for name, step in latest.items() if step.handoff.stands_in},
        unverified={name.task_id: why for name, step in latest.items() if (why := step.handoff.unverified)},
        unchecked=_unchecked(latest.values()),
        lost_outputs=tuple(reader.lost),
        previous=previous,
    )


def _measured(state: RunState) -> dict[str, Any]:
    account = account_of(state)
    measures = measures_of(state, account)
    return {
        "measures": measures,
        "account": account,
        "graded": graded(measures, state.plan),
        "single": state.single,
    }


def _judged_work(state: RunState, latest: Mapping[StepName, StepRecord]) -> JudgedWork:
    """Return how the run judged its own work."""
    record, audits = state.record, audits_that_count(latest, state.audits)
    assert record is not None, "a log begins with the start of its run"
    assert state.last_at is not None, "the start of a run happened at some time"
    return JudgedWork(
        autonomy=autonomy_of(state.autonomy, state.concerns),
        approvals=approvals_of(state.autonomy, state.concerns, state.last_at),
        conflicts=tuple(state.conflicts.values()),
        sync=state.sync,
        judged=judged_of(latest, audits, record.plan.to_verify if record.plan else ()),
        audits=audits,
    )


def waiting_of(state: RunState) -> Waiting | None:
    """Return what a run waits for; None when it does not wait."""
    if state.record is None or state.record.status is not RunStatus.WAITING:
        return None
    latest = _in_plan(state)
    missing = _missing(latest, state, state.record.plan)
    return _waiting(state, missing, rest_of(state), latest.values())


#: Limits that a run waits for named at most.
NAMED = 5

#: What is numbered by rounds.
_IN_ROUNDS = (StepKind.TASK, StepKind.CHECK)


def _unchecked(steps: Iterable[StepRecord]) -> dict[str, tuple[str, ...]]:
    """Return what is stated in words of outputs that are there, and was checked by nobody, by phase."""
    found: dict[str, dict[str, None]] = {}
    for step in steps:
        known = step.handoff.verification
        if known is not None and known.unchecked and step.handoff.done:
            found.setdefault(step.phase, {}).update(dict.fromkeys(known.unchecked))
    return {phase: tuple(texts) for phase, texts in found.items()}


class _Reader:
    """Reads outputs, and collects why some cannot be read."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.lost: list[str] = []

    def __call__(self, reference: OutputReference) -> object:
        try:
            return self._read(reference)
        except JournalError as error:
            self.lost.append(str(error))
            return None


def result_of(view: RunView) -> RunResult:
    """Return what a run returns to its caller."""
    return RunResult(
        run_id=view.record.run_id,
        status=view.record.status,
        output=view.output,
        stand_ins=view.stand_ins,
        unverified=view.unverified,
        unchecked=view.unchecked,
        launched=view.launched,
        returned=view.returned,
        missing=view.missing,
        missing_by_cause=view.missing_by_cause,
        items=view.items,
        concerns=view.concerns,
        proposals=view.proposals,
        **{name: getattr(view, name) for name in JudgedWork.model_fields},
        gates=view.gates,
        measures=view.measures,
        exceptions=view.exceptions,
        visibility=view.visibility,
        rest=view.rest,
        waiting=view.waiting,
        plan_changes=view.plan_changes,
        skipped=view.skipped,
        repeated=view.repeated,
        retrospective=view.retrospective,
        report=view.record.report,
    )


def _traced(groups: Iterable[MissingGroup], state: RunState) -> Iterator[MissingGroup]:
    """Yield the groups, each with the first of its tasks of which there is something to read (V2)."""
    said = state.log_lines.keys() | {one.task_id for one in state.conversations}
    for group in groups:
        yield group.model_copy(update={"traced": next((task for task in group.tasks if task in said), "")})


def _in_plan(state: RunState) -> dict[StepName, StepRecord]:
    """Return the last record of each step that the plan still has; one that changed may have dropped some."""
    plan = state.plan
    if plan is None:
        return dict(state.latest)
    tasks = {task.id for task in plan.tasks}
    return {
        name: step
        for name, step in state.latest.items()
        if (name.task_id in tasks if name.kind is StepKind.TASK else step.node in plan.nodes)
    }


def _wanted(state: RunState) -> list[PhasePlan]:
    """Return the phases of the plan, without those that are not wanted, or not begun in a sample (X12, V6)."""
    phases, left_out = state.plan.phases if state.plan else (), _left_out(state)
    return [phase for phase in phases if phase.name not in left_out]


def rounds_of(state: RunState) -> dict[str, int]:
    """Return the last round that anything of each phase was done in; 1 where it is done once (X12)."""
    found: dict[str, int] = {}
    for step in state.steps:
        if step.kind in _IN_ROUNDS:
            found[step.phase] = max(step.round, found.get(step.phase, 1))
    return found


def _left_out(state: RunState) -> set[str]:
    return {*_skipped(state), *held_phases(state)}


def _skipped(state: RunState) -> dict[str, str]:
    return {name: stands.skipped for name, stands in state.phases.items() if stands.skipped}


def _repeated(latest: Iterable[StepRecord]) -> Iterator[RepeatedWork]:
    for step in latest:
        handoff = step.handoff
        if handoff.stopped_by is not None:
            yield RepeatedWork(task_id=handoff.task_id, rounds=handoff.rounds, stopped_by=handoff.stopped_by)


def _planned(state: RunState) -> list[StepName]:
    """Return the tasks that are to be done: what a sample leaves out is neither launched nor missing."""
    out = {**left_out(state), **state.sync.stopped}
    wanted = ((phase.name, task) for phase in _wanted(state) for task in phase.tasks if task not in out)
    return [StepName(StepKind.TASK, phase, task) for phase, task in wanted]


def _waiting(
    state: RunState, missing: Sequence[Missing], rest: Rest | None, latest: Iterable[StepRecord]
) -> Waiting | None:
    if state.record is None or state.record.status is not RunStatus.WAITING:
        return None
    asked = [PERSON] if any(one.asks for one in missing) else []
    times = [one.until for one in missing if one.until]
    if times:
        return _for_limits(asked, latest, min(times))
    if asked:
        ends = [(gate.expires, gate.terms) for gate in state.gates.values() if gate.is_open and gate.expires]
        first, terms = min(ends, key=lambda end: end[0], default=(None, None))
        return Waiting(for_=PERSON, until=first and first.isoformat(), default=terms.on_expiry if terms else "")
    return Waiting(for_="the rest of a sample") if rest else None


def _for_limits(asked: list[str], latest: Iterable[StepRecord], first: datetime) -> Waiting:
    """Return which quotas or budgets a run waits for, behind who is `asked`, and when the first resets (F10)."""
    until: dict[str, datetime] = {}
    for step in latest:
        error = step.handoff.error
        name = awaited_by(error) if error is not None else ""
        if error is not None and error.until is not None and name:
            until[name] = max(error.until, until.get(name, error.until))
    names = sorted(until, key=lambda name: until[name])
    return Waiting(
        for_=", and ".join([*asked, listed(names or ["a quota"], NAMED)]),
        until=(until[names[0]] if names else first).isoformat(),
        limits=tuple(names),
    )


def _missing(latest: Mapping[StepName, StepRecord], state: RunState, plan: Plan | None) -> tuple[Missing, ...]:
    """Return what was tried without success, with what stands in for it, then what was not begun."""
    tried = [
        unchecked(step) if step.interim else missing_of(step.handoff)
        for step in latest.values()
        if step.interim or is_lost(step.handoff)
    ]
    owners = plan.agent_of if plan else {}
    waiting = [
        Missing(task_id=name.task_id, producer=owners.get(name.task_id, name.task_id), reason=_why_waiting(name, state))
        for name in _planned(state)
        if name not in latest
    ]
    return (*tried, *rejected_by_audit(latest, state.audits), *waiting)


def _why_waiting(name: StepName, state: RunState) -> str:
    if name not in state.at_work:
        return "not begun"
    over = state.record is not None and state.record.finished is not None
    return "cut off: it was at work when the run ended" if over else "at work"


def _phases(state: RunState, latest: Mapping[StepName, StepRecord]) -> Iterator[PhaseView]:
    rounds = rounds_of(state)
    for phase in state.plan.phases if state.plan else ():
        yield _phase(state, phase, latest, rounds)


def _phase(
    state: RunState, phase: PhasePlan, latest: Mapping[StepName, StepRecord], rounds: Mapping[str, int]
) -> PhaseView:
    steps = [step for name, step in latest.items() if name.phase == phase.name]
    tasks = [step for step in steps if step.kind is StepKind.TASK]
    done = sum(map(has_delivered, tasks))
    span = max(s.finished for s in steps) - min(s.started for s in steps) if steps else None
    stands = state.phases.get(phase.name)
    return PhaseView(
        name=phase.name,
        planned=len(phase.tasks),
        completed=done,
        failed=sum(not (step.handoff.done or step.handoff.waits) for step in tasks),
        waiting=sum(step.handoff.waits for step in tasks),
        at_work=sum(name.phase == phase.name and name.kind is StepKind.TASK for name in state.at_work),
        seconds=span.total_seconds() if span else None,
        started=stands.started if stands else None,
        ended=stands.ended if stands else None,
        skipped=stands.skipped if stands else "",
        rounds=rounds.get(phase.name, 1),
        flat=stands.flat if stands else None,
    )


def _waits(state: RunState) -> tuple[WaitView, ...]:
    names = dict.fromkeys(wait.limiter for wait in state.waits)
    groups = {name: [wait for wait in state.waits if wait.limiter == name] for name in names}
    return tuple(
        WaitView(
            limiter=name,
            steps=len(waits),
            seconds=sum(wait.seconds for wait in waits),
            longest_seconds=max(wait.seconds for wait in waits),
            longest_queue=max(wait.queue_length for wait in waits),
        )
        for name, waits in groups.items()
    )


def _output(latest: Iterable[StepRecord], state: RunState, read: Read) -> object:
    """Return the output of the phase at the end; where several are, that of each by its name (X12).

    Of a task graph it is what the tasks made that no other uses, wherever they stand.
    """
    steps, plan = tuple(latest), state.plan
    if plan is None:
        return None
    if plan.delivers:
        made = {step.handoff.task_id: step for step in steps if step.handoff.done}
        return {task: _read(made[task], read) for task in plan.delivers if task in made} or None
    planned = {phase.name: phase for phase in plan.phases}
    outputs = {
        name: _output_of(steps, planned[name], read) if name in planned else None
        for name in final_names(phases_awaited(plan), _left_out(state))
    }
    return next(iter(outputs.values())) if len(outputs) == 1 else outputs or None


def _output_of(latest: Iterable[StepRecord], phase: PhasePlan, read: Read) -> object:
    """Return the output of a phase: of the integration of everything, of the only agent, or task → output."""
    ended = [step for step in latest if step.phase == phase.name]
    done = [step for step in ended if step.handoff.done]
    lost = [step for step in ended if step.kind is StepKind.INTEGRATION and step.node == phase.sync.owner]
    if lost and not any(step.handoff.done for step in lost):
        # The integration of everything failed: its parts were passed on as they are (F7).
        parts = {used.task_id for step in lost for used in step.handoff.dependencies}
        return {step.handoff.task_id: _read(step, read) for step in done if step.handoff.task_id in parts} or None
    integrated = [step for step in done if step.kind is StepKind.INTEGRATION]
    if integrated:
        return _read(integrated[-1], read)  # made or recalled last: it holds the others
    tasks = [step for step in done if step.kind is StepKind.TASK]
    if is_single(phase):
        return _read(tasks[0], read) if tasks else None
    done_by = {step.handoff.task_id: step for step in tasks}
    return {task: _read(done_by[task], read) for task in phase.tasks if task in done_by} or None


def is_single(phase: PhasePlan) -> bool:
    """Say whether the output of a phase is that of its one agent; with items it is a mapping, whatever their count.

    Plans of earlier versions do not say which it is.
    """
    return len(phase.tasks) == 1 if phase.single is None else phase.single


def _read(step: StepRecord, read: Read) -> object:
    return None if step.handoff.output_location is None else read(step.handoff.output_location)
