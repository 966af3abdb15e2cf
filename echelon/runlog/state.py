"""Where a run stands, folded from its events: one function a kind, in one table. Pure.

    state = RunState().apply(*events)        # the same whatever the events are cut into

Folding is the only way to a state; whoever holds one may read everything in it and change nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from echelon.model.breaker_news import BreakerNews
from echelon.model.concern import ConcernRecord
from echelon.model.exception_report import ExceptionReport
from echelon.model.organisation import PlanChange
from echelon.model.plan import Plan
from echelon.model.rolling.phases import PlanExtension
from echelon.model.run import Conversation, RunRecord, StepKind, StepRecord
from echelon.model.session import EffectIntent, Pause
from echelon.runlog import events as happened
from echelon.runlog.changes import extension_of, record_changes
from echelon.runlog.events import RunEvent
from echelon.runlog.standing import PhaseState, RetryMark, SampleState, StepName


@dataclass(frozen=True, kw_only=True)
class RunState:
    """Everything that the log says about a run."""

    events: int = 0
    """How many events were folded."""
    last_at: datetime | None = None
    """When the last of them happened."""
    record: RunRecord | None = None
    """The run, with its plan as it is now; None before it was put on record."""
    steps: tuple[StepRecord, ...] = ()
    """All attempts at steps that ended, in the order they did."""
    latest: Mapping[StepName, StepRecord] = field(default_factory=dict[StepName, StepRecord])
    """The last of them of each step that counts: tasks in the order they first ended, integrations in the order they
    were made or recalled last. What is to be done again is not in it, nor what integrates, until it is there again."""
    at_work: Mapping[StepName, happened.StepStarted] = field(default_factory=dict[StepName, happened.StepStarted])
    """Steps that somebody works on, the longest first."""
    reused: frozenset[StepName] = frozenset()
    """Steps that the process at work did not do again."""
    phases: Mapping[str, PhaseState] = field(default_factory=dict[str, PhaseState])
    """Phases that began, in that order."""
    extensions: tuple[PlanExtension, ...] = ()
    """Phases that were planned on the way, in that order (X12)."""
    failed_attempts: tuple[happened.AttemptFailed, ...] = ()
    """Attempts that failed, whatever came of their steps."""
    waits: tuple[happened.Waited, ...] = ()
    """Waits for a slot that are over."""
    reads: tuple[happened.OutputRead, ...] = ()
    """Who read what."""
    log_lines: Mapping[str, int] = field(default_factory=dict[str, int])
    """Lines that each task logged; the lines themselves stay in the log."""
    conversations: tuple[Conversation, ...] = ()
    """What models were asked and answered, by reference, in the order they ended."""
    concerns: Mapping[str, ConcernRecord] = field(default_factory=dict[str, ConcernRecord])
    """Everything raised, by id, with what ended it (O1)."""
    exceptions: tuple[ExceptionReport, ...] = ()
    """Everything pushed upwards (V1)."""
    intents: Mapping[tuple[str, int], EffectIntent] = field(default_factory=dict[tuple[str, int], EffectIntent])
    """What was begun that changes the world outside, by step and attempt (F8)."""
    retries: tuple[happened.TasksRetried, ...] = ()
    """What was to be done again, whatever had come of it (F8)."""
    retried: Mapping[str, RetryMark] = field(default_factory=dict[str, RetryMark])
    """The same by task."""
    sample: SampleState | None = None
    """What is to be done where only a sample was asked for; None: everything."""
    breakers: tuple[BreakerNews, ...] = ()
    """What breakers did (F1)."""
    plan_changes: tuple[PlanChange, ...] = ()
    """Changes of the structure that were proposed or made (R10)."""
    pauses: tuple[Pause, ...] = ()
    """Times in which nobody worked on the run."""
    token: int = 0
    """Of the process that took the run last; 0 when none did."""
    holders: frozenset[tuple[str, int]] = frozenset()
    """Machine and number of every process that took the run."""

    def apply(self, *events: RunEvent) -> "RunState":
        """Return the state behind more events."""
        if not events:
            return self
        draft = _Draft(self)
        for event in events:
            draft.events += 1
            draft.last_at = event.at if draft.last_at is None else max(draft.last_at, event.at)
            _APPLY[type(event)](draft, event)
        return draft.seal()

    @property
    def plan(self) -> Plan | None:
        """The plan as it is now."""
        return self.record.plan if self.record else None

    @property
    def spans(self) -> dict[str, int]:
        """The most direct reports in parts of the tree that the run has changed, by phase (R10)."""
        applied = (change for change in self.plan_changes if change.applied)
        return {phase: change.span for change in applied if change.span for phase in change.phases}

    @property
    def finished_steps(self) -> dict[str, StepRecord]:
        """Steps that were completed, by key: they are not done again (F8), unless somebody asked for that since."""
        return {
            step.key: step
            for place, step in enumerate(self.steps)
            if step.handoff.done and self._counts(place, step.handoff.task_id)
        }

    def _counts(self, place: int, task_id: str) -> bool:
        mark = self.retried.get(task_id)
        return mark is None or place >= mark.steps


def fold(events: Iterable[RunEvent], state: RunState | None = None) -> RunState:
    """Return the state behind `events`, which follow those that made `state`."""
    return (state or RunState()).apply(*events)


class _Draft:
    """A state while it is folded: copies of its own, changed in place."""

    def __init__(self, state: RunState) -> None:
        self.events = state.events
        self.last_at = state.last_at
        self.record = state.record
        self.steps = list(state.steps)
        self.latest = dict(state.latest)
        self.at_work = dict(state.at_work)
        self.reused = set(state.reused)
        self.phases = dict(state.phases)
        self.extensions = list(state.extensions)
        self.failed_attempts = list(state.failed_attempts)
        self.waits = list(state.waits)
        self.reads = list(state.reads)
        self.log_lines = dict(state.log_lines)
        self.conversations = list(state.conversations)
        self.concerns = dict(state.concerns)
        self.exceptions = list(state.exceptions)
        self.intents = dict(state.intents)
        self.retries = list(state.retries)
        self.retried = dict(state.retried)
        self.sample = state.sample
        self.breakers = list(state.breakers)
        self.plan_changes = list(state.plan_changes)
        self.pauses = list(state.pauses)
        self.token = state.token
        self.holders = set(state.holders)

    def seal(self) -> RunState:
        """Return the state; the draft is not used any more."""
        return RunState(
            events=self.events,
            last_at=self.last_at,
            record=self.record,
            steps=tuple(self.steps),
            latest=self.latest,
            at_work=self.at_work,
            reused=frozenset(self.reused),
            phases=self.phases,
            extensions=tuple(self.extensions),
            failed_attempts=tuple(self.failed_attempts),
            waits=tuple(self.waits),
            reads=tuple(self.reads),
            log_lines=self.log_lines,
            conversations=tuple(self.conversations),
            concerns=self.concerns,
            exceptions=tuple(self.exceptions),
            intents=self.intents,
            retries=tuple(self.retries),
            retried=self.retried,
            sample=self.sample,
            breakers=tuple(self.breakers),
            plan_changes=tuple(self.plan_changes),
            pauses=tuple(self.pauses),
            token=self.token,
            holders=frozenset(self.holders),
        )

    def set_latest(self, name: StepName, record: StepRecord) -> None:
        """Take note of what counts of a step now; the last integration is the one that holds the others."""
        if name.kind is StepKind.INTEGRATION:
            self.latest.pop(name, None)
        self.latest[name] = record

    def update_record(self, **changes: object) -> None:
        """Change what is known about the run, once it is on record."""
        if self.record is not None:
            self.record = self.record.model_copy(update=changes)


def _run_started(draft: _Draft, event: happened.RunStarted) -> None:
    draft.record = event.record


def _run_taken(draft: _Draft, event: happened.RunTaken) -> None:
    # Work that ended after the last sign of life was work all the same.
    worked = [moment for moment in (event.idle_since, _last_end(draft)) if moment is not None]
    if event.idle_since is not None and max(worked) < event.at:
        draft.pauses.append((max(worked), event.at))
    draft.token = event.token
    draft.holders.add((event.host, event.pid))
    draft.at_work.clear()  # whoever was at work lost the run
    draft.reused.clear()


def _last_end(draft: _Draft) -> datetime | None:
    return max((step.finished for step in draft.steps), default=None)


def _run_reopened(draft: _Draft, event: happened.RunReopened) -> None:
    draft.sample = None  # unless it is asked for again, everything is done
    draft.update_record(**record_changes(event))


def _sample_asked(draft: _Draft, event: happened.SampleAsked) -> None:
    draft.sample = SampleState(event.items, event.held)


def _plan_extended(draft: _Draft, event: happened.PlanExtended) -> None:
    draft.update_record(**record_changes(event))
    draft.latest = dict(_in_phases(event.plan, draft.latest))
    if event.phase:
        draft.extensions.append(extension_of(event))


def _in_phases(plan: Plan, latest: Mapping[StepName, StepRecord]) -> Iterator[tuple[StepName, StepRecord]]:
    """Yield the last record of each step where the plan has it now: a task may be moved to another phase."""
    phase_of = {task: phase.name for phase in plan.phases for task in phase.tasks}
    for name, step in latest.items():
        phase = phase_of.get(name.task_id, name.phase) if name.kind is StepKind.TASK else name.phase
        moved = step if phase == name.phase else step.model_copy(update={"phase": phase})
        yield name._replace(phase=phase), moved


def _plan_change_proposed(draft: _Draft, event: happened.PlanChangeProposed) -> None:
    draft.plan_changes.append(event.proposal)


def _phase_started(draft: _Draft, event: happened.PhaseStarted) -> None:
    before = draft.phases.get(event.phase)
    started = before.started if before else event.at
    draft.phases[event.phase] = PhaseState(expected=event.expected, started=started, taken_up=event.at)


def _phase_ended(draft: _Draft, event: happened.PhaseEnded) -> None:
    before = draft.phases.get(event.phase) or PhaseState(expected=0, started=event.at, taken_up=event.at)
    draft.phases[event.phase] = before._replace(ended=event.at)


def _phase_skipped(draft: _Draft, event: happened.PhaseSkipped) -> None:
    draft.phases[event.phase] = PhaseState(
        expected=0, started=event.at, taken_up=event.at, ended=event.at, skipped=event.reason
    )


def _step_started(draft: _Draft, event: happened.StepStarted) -> None:
    draft.at_work[StepName(event.step, event.phase, event.task_id)] = event


def _step_reused(draft: _Draft, event: happened.StepReused) -> None:
    name = StepName(event.step, event.phase, event.task_id)
    draft.reused.add(name)
    found = draft.latest.get(name)
    if found is None or found.key != event.key:  # something else was done of it in between, or was to be
        done = (step for step in reversed(draft.steps) if step.key == event.key and step.handoff.done)
        found = next((step for step in done if step_name(step) == name), found)
    if found is not None:
        draft.set_latest(name, found)


def _step_ended(draft: _Draft, event: happened.StepEnded) -> None:
    name = step_name(event.record)
    draft.at_work.pop(name, None)
    draft.steps.append(event.record)
    draft.set_latest(name, event.record)


def _waited(draft: _Draft, event: happened.Waited) -> None:
    draft.waits.append(event)


def _attempt_failed(draft: _Draft, event: happened.AttemptFailed) -> None:
    draft.failed_attempts.append(event)


def _output_read(draft: _Draft, event: happened.OutputRead) -> None:
    draft.reads.append(event)


def _logged(draft: _Draft, event: happened.Logged) -> None:
    draft.log_lines[event.task_id] = draft.log_lines.get(event.task_id, 0) + 1


def _model_asked(draft: _Draft, event: happened.ModelAsked) -> None:
    draft.conversations.append(event.conversation)


def _concern_raised(draft: _Draft, event: happened.ConcernRaised) -> None:
    draft.concerns[event.record.id] = event.record


def _concern_disposed(draft: _Draft, event: happened.ConcernDisposed) -> None:
    raised = draft.concerns.get(event.concern_id)
    if raised is not None and raised.disposition is None:  # the first disposition is final
        draft.concerns[event.concern_id] = raised.model_copy(update={"disposition": event.disposition})


def _exception_pushed(draft: _Draft, event: happened.ExceptionPushed) -> None:
    draft.exceptions.append(event.report)


def _effect_intended(draft: _Draft, event: happened.EffectIntended) -> None:
    draft.intents[event.intent.key, event.intent.attempt] = event.intent


def _effect_settled(draft: _Draft, event: happened.EffectSettled) -> None:
    intent = draft.intents.get((event.key, event.attempt))
    if intent is not None:
        draft.intents[event.key, event.attempt] = intent.model_copy(update={"settled": True})


def _operator_decided(_draft: _Draft, _event: happened.OperatorDecided) -> None:
    """On record for people; what follows from it is in the events behind it."""


def _tasks_retried(draft: _Draft, event: happened.TasksRetried) -> None:
    draft.retries.append(event)
    draft.update_record(**record_changes(event))
    for task in event.tasks:
        before = draft.retried.get(task)
        draft.retried[task] = RetryMark(times=before.times + 1 if before else 1, steps=len(draft.steps))
    for name in list(draft.latest):
        # Any integration may hold something else from now on: it counts when it is recalled or made anew.
        if name.kind is StepKind.INTEGRATION or name.task_id in event.tasks:
            del draft.latest[name]
    for key, intent in list(draft.intents.items()):
        if intent.task_id in event.redo:
            del draft.intents[key]


def _breaker_changed(draft: _Draft, event: happened.BreakerChanged) -> None:
    draft.breakers.append(event.news)


def _run_ended(draft: _Draft, event: happened.RunEnded) -> None:
    draft.update_record(**record_changes(event))
    draft.at_work.clear()


_APPLY: dict[type[happened.Event], Callable[[_Draft, Any], None]] = {
    happened.RunStarted: _run_started,
    happened.RunTaken: _run_taken,
    happened.RunReopened: _run_reopened,
    happened.SampleAsked: _sample_asked,
    happened.PlanExtended: _plan_extended,
    happened.PlanChangeProposed: _plan_change_proposed,
    happened.PhaseStarted: _phase_started,
    happened.PhaseEnded: _phase_ended,
    happened.PhaseSkipped: _phase_skipped,
    happened.StepStarted: _step_started,
    happened.StepReused: _step_reused,
    happened.StepEnded: _step_ended,
    happened.Waited: _waited,
    happened.AttemptFailed: _attempt_failed,
    happened.OutputRead: _output_read,
    happened.Logged: _logged,
    happened.ModelAsked: _model_asked,
    happened.ConcernRaised: _concern_raised,
    happened.ConcernDisposed: _concern_disposed,
    happened.ExceptionPushed: _exception_pushed,
    happened.EffectIntended: _effect_intended,
    happened.EffectSettled: _effect_settled,
    happened.OperatorDecided: _operator_decided,
    happened.TasksRetried: _tasks_retried,
    happened.BreakerChanged: _breaker_changed,
    happened.RunEnded: _run_ended,
}
"""Kind → what it changes. A test holds it complete."""


def step_name(record: StepRecord) -> StepName:
    """Return which step a record is an attempt at."""
    return StepName(record.kind, record.phase, record.handoff.task_id)
