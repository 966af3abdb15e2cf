"""What happens to a run as a whole, to its plan and to its phases: the first part of the union in `runlog.events`."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from echelon.model.base import Value
from echelon.model.organisation import PlanChange
from echelon.model.plan import Finding, Plan
from echelon.model.run import RunRecord, RunStatus
from echelon.model.session import Session
from echelon.model.views.items import ComparedItems


class Event(Value):
    """What all events have."""

    run_id: str
    """The run it happened in."""
    at: datetime
    """When it happened, in UTC."""

    @property
    def subject(self) -> str:
        """The task, phase, breaker or concern it is about; empty when it is about the run."""
        return ""


class StepEvent(Event):
    """What events about one step have."""

    key: str
    """Identity of the step (F8)."""
    task_id: str
    """The task; for an integration what it is recorded as."""

    @property
    def subject(self) -> str:
        """The task."""
        return self.task_id


class RunStarted(Event):
    """A run was put on record, with its inputs and its plan."""

    kind: Literal["run_started"] = "run_started"
    record: RunRecord
    """The run as it was when it began."""
    fresh: bool = False
    """Is everything to be done in it, whatever earlier runs have done of it?"""
    out: str = ""
    """Folder that was asked for its report; empty: the report is kept with it, and in logs of before."""
    single: bool = False
    """Is one agent at a time at work, so that other runs of the job can be compared with it (M10)?"""


class RunTaken(Event):
    """A process took the run: from now on only what it writes counts (F8)."""

    kind: Literal["run_taken"] = "run_taken"
    token: int = Field(ge=1)
    """Grows with every process that takes the run."""
    host: str
    """Name of its machine."""
    pid: int
    """The process."""
    idle_since: datetime | None = None
    """When the process before it was last known to be alive, in UTC; None for the first."""

    @classmethod
    def by(cls, session: Session, idle_since: datetime | None) -> Self:
        """Return what the log says of the session that took a run."""
        return cls(
            run_id=session.run_id,
            at=session.began,
            token=session.token,
            host=session.host,
            pid=session.pid,
            idle_since=idle_since,
        )


class RunReopened(Event):
    """A run that was on record is at work again (F8)."""

    kind: Literal["run_reopened"] = "run_reopened"
    before: RunStatus
    """Where it stood."""
    finished: datetime | None = None
    """When it had ended, in UTC; None when it had not."""
    out: str = ""
    """Folder that is asked for its report from now on; empty: the one before."""


class SampleAsked(Event):
    """Only a few tasks of each wide phase are to be done, until the run is set to work again (V6)."""

    kind: Literal["sample_asked"] = "sample_asked"
    items: int = Field(ge=1)
    """How many of each."""
    held: dict[str, str] = Field(default_factory=dict[str, str])
    """Phases that are not begun at all, with the reason: what cannot be undone, and what needs it."""


class PlanExtended(Event):
    """The plan of the run has changed; what it asks for is done from now on."""

    kind: Literal["plan_extended"] = "plan_extended"
    plan: Plan
    """The whole plan as it is now."""
    reason: str
    """Why it has changed, in one sentence."""
    phase: str = ""
    """The phase that was planned, where its items were found on the way (X12)."""
    findings: tuple[Finding, ...] = ()
    """What should be changed about it, and was not known before."""

    @property
    def subject(self) -> str:
        """The phase that was planned."""
        return self.phase


class PlanChangeProposed(Event):
    """The structure of the run was found to be outgrown: what would help, and whether it is done (R6, R10)."""

    kind: Literal["plan_change_proposed"] = "plan_change_proposed"
    proposal: PlanChange
    """What was measured, and what should be changed."""

    @property
    def subject(self) -> str:
        """The phase behind which it was measured."""
        return self.proposal.after


class PhaseStarted(Event):
    """A phase began."""

    kind: Literal["phase_started"] = "phase_started"
    phase: str
    """The phase."""
    expected: int = Field(ge=0)
    """Tasks it has."""
    compared: ComparedItems | None = None
    """How they differ from those of an earlier run; None where nothing of that is kept."""

    @property
    def subject(self) -> str:
        """The phase."""
        return self.phase


class PhaseEnded(Event):
    """The sync point behind a phase was passed."""

    kind: Literal["phase_ended"] = "phase_ended"
    phase: str
    """The phase."""

    @property
    def subject(self) -> str:
        """The phase."""
        return self.phase


class PhaseSkipped(Event):
    """A phase was not wanted, so nothing of it is done (X12)."""

    kind: Literal["phase_skipped"] = "phase_skipped"
    phase: str
    """The phase."""
    reason: str
    """Why it is not wanted."""

    @property
    def subject(self) -> str:
        """The phase."""
        return self.phase
