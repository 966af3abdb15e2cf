"""Everything that can happen in a run, as one closed union of frozen values.

Nothing else is ever reported about a run: who wants to know something folds these events (`runlog.state`). An event
says what happened, in which run, and when; it never says what is to be done about it. A kind that was released keeps
its name and its fields, since journals keep their events for good.
"""

from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter

from echelon.model.breaker_news import BreakerNews
from echelon.model.concern import ConcernRecord, Disposition
from echelon.model.exception_report import ExceptionReport
from echelon.model.handoff import ErrorReport, UsedDependency
from echelon.model.run import Conversation, RunStatus, StepKind, StepRecord
from echelon.model.session import EffectIntent
from echelon.model.usage import Usage
from echelon.runlog.exceptions.watch_events import WatchMeasured
from echelon.runlog.gate_events import (
    ApprovalReturned,
    ApprovalUsed,
    GateAnswered,
    GateClosed,
    GateExtended,
    GateRaised,
)
from echelon.runlog.judging.audit_events import IntegrationAudited, VerifierProbed
from echelon.runlog.judging.autonomy_events import AutonomyDecided
from echelon.runlog.judging.conflict_events import ConflictFound, ConflictSettled
from echelon.runlog.judging.flat_events import FlatMomentHeld
from echelon.runlog.judging.sync_events import DriftMeasured, PhaseStopped, WaveEnded
from echelon.runlog.learning.adjusting_events import AdjustmentsApplied, AdjustmentsReverted
from echelon.runlog.learning.review_events import RunReviewed
from echelon.runlog.notify_events import (
    NotificationFailed,
    NotificationQueued,
    NotificationSent,
    TokensIssued,
    TokenUsed,
)
from echelon.runlog.quota_events import QuotaClosed
from echelon.runlog.run_events import (
    Event,
    PhaseEnded,
    PhaseSkipped,
    PhaseStarted,
    PlanChangeProposed,
    PlanExtended,
    RunReopened,
    RunStarted,
    RunTaken,
    SampleAsked,
    StepEvent,
)
from echelon.runlog.voice_events import (
    BlockedReported,
    ConcernReopened,
    ConfidenceStated,
    ProposalsDecided,
    TaskProposed,
)


class StepStarted(StepEvent):
    """An agent or a coordinator is at work on a step."""

    kind: Literal["step_started"] = "step_started"
    phase: str
    """The phase."""
    node: str
    """The agent or coordinator."""
    step: StepKind
    """Task or integration."""
    replica: int = Field(default=0, ge=0)
    """Which replica of its task, from 1; 0: it is none (F9)."""


class StepReused(StepEvent):
    """A step is not done again, since an earlier process completed it (F8)."""

    kind: Literal["step_reused"] = "step_reused"
    phase: str
    """The phase."""
    step: StepKind
    """Task or integration."""


class Waited(StepEvent):
    """A step waited for a slot, for the next probe of a breaker or for the rate of a provider (F1, F5)."""

    kind: Literal["waited"] = "waited"
    limiter: str
    """What bounds how many are at work at one time, or when they may begin."""
    seconds: float = Field(ge=0)
    """How long it waited."""
    queue_length: int = Field(ge=0)
    """How many waited there when it came, itself left out."""


class AttemptFailed(StepEvent):
    """One attempt at a step failed; another may follow (F3)."""

    kind: Literal["attempt_failed"] = "attempt_failed"
    attempt: int = Field(ge=1)
    """Which one, from 1."""
    error: ErrorReport
    """What went wrong."""
    seconds: float = Field(ge=0)
    """How long the attempt took."""
    stated: float | None = Field(default=None, ge=0, le=1)
    """How sure the agent had said it is of a result that a check rejected; None where it delivered none (X11)."""
    usage: Usage | None = None
    """What it told that it had used, tokens and money; None where it told nothing, and in logs of before (M1)."""


class OutputRead(StepEvent):
    """A step read the output of another one (C6)."""

    kind: Literal["output_read"] = "output_read"
    read: UsedDependency
    """What it read, with the version."""


class Logged(StepEvent):
    """A step wrote to a log, printed, or its command wrote to its standard error."""

    kind: Literal["logged"] = "logged"
    source: Literal["logging", "stdout", "stderr", "echelon"]
    """Where it was written; `echelon` says what was left out, and has the whole error of an attempt that failed."""
    level: int
    """How serious, as `logging` counts."""
    message: str
    """What it says: bounded, without secrets."""


class ModelAsked(Event):
    """A model was asked while a step was done; it has answered, or will not any more."""

    kind: Literal["model_asked"] = "model_asked"
    conversation: Conversation
    """Who was asked, how it ended, and where it can be read."""

    @property
    def subject(self) -> str:
        """The task."""
        return self.conversation.task_id


class StepEnded(Event):
    """A step ended, with the handoff that says how."""

    kind: Literal["step_ended"] = "step_ended"
    record: StepRecord
    """The step."""

    @property
    def subject(self) -> str:
        """The task."""
        return self.record.handoff.task_id


class ConcernRaised(Event):
    """A step raised a concern; only a disposition ends it (O1)."""

    kind: Literal["concern_raised"] = "concern_raised"
    record: ConcernRecord
    """The concern."""

    @property
    def subject(self) -> str:
        """The concern."""
        return self.record.id


class ConcernDisposed(Event):
    """Somebody ended a concern (O1)."""

    kind: Literal["concern_disposed"] = "concern_disposed"
    concern_id: str
    """The concern."""
    disposition: Disposition
    """Who decided what, and why."""

    @property
    def subject(self) -> str:
        """The concern."""
        return self.concern_id


class ExceptionPushed(Event):
    """Something was reported upwards (V1)."""

    kind: Literal["exception_pushed"] = "exception_pushed"
    report: ExceptionReport
    """What."""


class EffectIntended(Event):
    """An agent is about to change the world outside; written before it does (F8)."""

    kind: Literal["effect_intended"] = "effect_intended"
    intent: EffectIntent
    """What it is about to do, and the idempotency key of it."""

    @property
    def subject(self) -> str:
        """The task."""
        return self.intent.task_id


class EffectSettled(StepEvent):
    """The agent said that nothing happened in an attempt to change the world."""

    kind: Literal["effect_settled"] = "effect_settled"
    attempt: int = Field(ge=1)
    """Which one."""


class OperatorDecided(Event):
    """A person said what became of irreversible work whose end is not on record (F8)."""

    kind: Literal["operator_decided"] = "operator_decided"
    task_id: str
    """The task."""
    decision: Literal["redo", "done"]
    """Do it again, or it happened."""

    @property
    def subject(self) -> str:
        """The task."""
        return self.task_id


class TasksRetried(Event):
    """Steps are to be done again, whatever came of them: what they ended with before is not recalled any more (F8)."""

    kind: Literal["tasks_retried"] = "tasks_retried"
    tasks: tuple[str, ...]
    """The tasks, and what integrations are recorded as."""
    redo: tuple[str, ...] = ()
    """Those of them that cannot be undone, were begun before, and may happen twice: a person says so."""
    by: str = ""
    """Who asked for it; empty when that is not known."""


class BreakerChanged(Event):
    """A breaker that the run uses changed its state (F1)."""

    kind: Literal["breaker_changed"] = "breaker_changed"
    news: BreakerNews
    """What it did."""

    @property
    def subject(self) -> str:
        """The breaker."""
        return self.news.name


class RunEnded(Event):
    """The work on a run ended, for good or until it is resumed."""

    kind: Literal["run_ended"] = "run_ended"
    status: RunStatus
    """How."""
    finished: datetime | None = None
    """When the work had ended, in UTC; None when it only waits."""
    report: str | None = None
    """Folder of the report."""


RunEvent = Annotated[
    RunStarted
    | RunTaken
    | RunReopened
    | SampleAsked
    | PlanExtended
    | PlanChangeProposed
    | PhaseStarted
    | PhaseEnded
    | PhaseSkipped
    | StepStarted
    | StepReused
    | Waited
    | AttemptFailed
    | OutputRead
    | Logged
    | ModelAsked
    | StepEnded
    | ConcernRaised
    | ConcernDisposed
    | ConcernReopened
    | ConfidenceStated
    | BlockedReported
    | TaskProposed
    | ProposalsDecided
    | AutonomyDecided
    | ExceptionPushed
    | EffectIntended
    | EffectSettled
    | OperatorDecided
    | TasksRetried
    | GateRaised
    | GateAnswered
    | GateExtended
    | GateClosed
    | ApprovalUsed
    | ApprovalReturned
    | NotificationQueued
    | TokensIssued
    | NotificationSent
    | NotificationFailed
    | TokenUsed
    | ConflictFound
    | ConflictSettled
    | FlatMomentHeld
    | DriftMeasured
    | WaveEnded
    | PhaseStopped
    | BreakerChanged
    | QuotaClosed
    | IntegrationAudited
    | VerifierProbed
    | RunReviewed
    | WatchMeasured
    | AdjustmentsApplied
    | AdjustmentsReverted
    | RunEnded,
    Field(discriminator="kind"),
]
"""An event of any kind."""

_READER: TypeAdapter[RunEvent] = TypeAdapter(RunEvent)


class LoggedEvent(NamedTuple):
    """An event with its place in the log of its run."""

    seq: int
    """1 for the first event of the run, then one more each."""
    event: RunEvent
    """What happened."""


def read_event(text: str | bytes) -> RunEvent:
    """Return the event that was written as JSON; `ValidationError` when it is none of the kinds."""
    return _READER.validate_json(text)
