"""Where a run stands, folded from its events. Pure.

    state = RunState().apply(*events)        # the same whatever the events are cut into

Folding is the only way to a state; whoever holds one may read everything in it and change nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from echelon.model.audit.audit import AuditRecord
from echelon.model.audit.probe import VerifierProbe
from echelon.model.breaker_news import BreakerNews
from echelon.model.concern import ConcernRecord
from echelon.model.conflicts.conflict import ConflictRecord
from echelon.model.diagnosis.adjustment import AppliedAdjustments
from echelon.model.exception_report import ExceptionReport
from echelon.model.organisation import PlanChange
from echelon.model.oversight.gate import GateRecord
from echelon.model.oversight.notification import NotificationRecord
from echelon.model.plan import Plan
from echelon.model.quota.window import QuotaWindow
from echelon.model.rolling.phases import PlanExtension
from echelon.model.run import Conversation, RunRecord, StepRecord
from echelon.model.session import EffectIntent, Pause
from echelon.model.sync.seen import SyncSeen
from echelon.model.voice.proposals import ProposalRecord
from echelon.runlog import events as happened
from echelon.runlog.draft import StateDraft
from echelon.runlog.events import RunEvent
from echelon.runlog.folding import APPLY
from echelon.runlog.standing import CutOff, PhaseState, RetryMark, SampleState, StepName


@dataclass(frozen=True, kw_only=True)
class RunState:
    """Everything that the log says about a run."""

    events: int = 0
    """How many events were folded."""
    last_at: datetime | None = None
    """When the last of them happened."""
    record: RunRecord | None = None
    """The run, with its plan as it is now; None before it was put on record."""
    fresh: bool = False
    """Is everything to be done in it, whatever earlier runs have done of it?"""
    out: str = ""
    """Folder that was asked for its report, the last time; empty: it is kept with the run."""
    single: bool = False
    """Is one agent at a time at work, so that other runs of the job can be compared with it (M10)?"""
    steps: tuple[StepRecord, ...] = ()
    """All attempts at steps that ended, in the order they did."""
    latest: Mapping[StepName, StepRecord] = field(default_factory=dict[StepName, StepRecord])
    """The last of them of each step that counts: tasks in the order they first ended, integrations in the order they
    were made or recalled last. What is to be done again is not in it, nor what integrates, until it is there again."""
    at_work: Mapping[StepName, happened.StepStarted] = field(default_factory=dict[StepName, happened.StepStarted])
    """Steps that somebody works on, the longest first."""
    cut_off: tuple[CutOff, ...] = ()
    """Work that ended with the process that did it: what it used is lost, and only its time is known (F8)."""
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
    confidences: Mapping[str, float] = field(default_factory=dict[str, float])
    """How sure agents said they are while they worked, by task; the last word of each (X15)."""
    blocked: Mapping[str, str] = field(default_factory=dict[str, str])
    """What agents said they wait for, by task (X15)."""
    proposals: Mapping[str, ProposalRecord] = field(default_factory=dict[str, ProposalRecord])
    """Tasks that agents proposed, by id, with what became of them (D10)."""
    autonomy: Mapping[str, happened.AutonomyDecided] = field(default_factory=dict[str, happened.AutonomyDecided])
    """What was decided about the results of each phase, the last time (X6)."""
    exceptions: tuple[ExceptionReport, ...] = ()
    """Everything pushed upwards (V1)."""
    gates: Mapping[str, GateRecord] = field(default_factory=dict[str, GateRecord])
    """Steps that waited for a person, or do, by id of their gate, with what was answered (O5)."""
    notifications: Mapping[str, NotificationRecord] = field(default_factory=dict[str, NotificationRecord])
    """Who was to be told of gates and urgent concerns, by id, with what came of that (O8)."""
    conflicts: Mapping[str, ConflictRecord] = field(default_factory=dict[str, ConflictRecord])
    """Outputs that said different things about one subject, by id, with what was decided (X9)."""
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
    quotas: Mapping[str, QuotaWindow] = field(default_factory=dict[str, QuotaWindow])
    """Windows in which dependencies take no calls, the last of each, whether it is over by now or not (F10)."""
    audits: Mapping[str, AuditRecord] = field(default_factory=dict[str, AuditRecord])
    """What audits found, by the identity of each (O4)."""
    probes: Mapping[str, VerifierProbe] = field(default_factory=dict[str, VerifierProbe])
    """Verifiers that were asked about results made wrong on purpose, by name (O3)."""
    plan_changes: tuple[PlanChange, ...] = ()
    """Changes of the structure that were proposed or made (R10)."""
    adjusted: AppliedAdjustments | None = None
    """What was changed of the job behind a diagnosis of this run; None: nothing, or it was taken back (G)."""
    review: happened.RunReviewed | None = None
    """What was learnt from it when it ended, the last time; None before that (X10)."""
    pauses: tuple[Pause, ...] = ()
    """Times in which nobody worked on the run."""
    sync: SyncSeen = SyncSeen()
    """What sync points found, waves that ended, and what they made needless (X3, X4)."""
    watches: tuple[happened.WatchMeasured, ...] = ()
    """What watching the run measured, of each process that did (V9, V10)."""
    token: int = 0
    """Of the process that took the run last; 0 when none did."""
    holders: frozenset[tuple[str, int]] = frozenset()
    """Machine and number of every process that took the run."""

    def apply(self, *events: RunEvent) -> "RunState":
        """Return the state behind more events."""
        if not events:
            return self
        draft = StateDraft(self)
        for event in events:
            draft.events += 1
            draft.last_at = event.at if draft.last_at is None else max(draft.last_at, event.at)
            APPLY[type(event)](draft, event)
        return RunState(**draft.values())

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
