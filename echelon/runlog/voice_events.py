"""What agents say while they work, and what becomes of it: a part of the union in `runlog.events` (X15, D10)."""

from typing import Literal

from pydantic import Field

from echelon.model.concern import Escaped
from echelon.model.voice.proposals import ProposalDecision, ProposalRecord
from echelon.runlog.run_events import Event, StepEvent


class ConfidenceStated(StepEvent):
    """An agent said how sure it is of what it is about to deliver."""

    kind: Literal["confidence_stated"] = "confidence_stated"
    confidence: float = Field(ge=0, le=1)
    """0 to 1."""


class BlockedReported(StepEvent):
    """An agent said that it cannot do its task yet."""

    kind: Literal["blocked_reported"] = "blocked_reported"
    on: str
    """What it waits for."""
    reason: str = ""
    """Why it cannot do without."""


class TaskProposed(Event):
    """An agent said that a task should be done that is not planned (D10)."""

    kind: Literal["task_proposed"] = "task_proposed"
    record: ProposalRecord
    """The task, and who proposed it."""

    @property
    def subject(self) -> str:
        """The task of whoever proposed it."""
        return self.record.task_id


class ProposalsDecided(Event):
    """Owners took or declined proposed tasks at a sync point (D10)."""

    kind: Literal["proposals_decided"] = "proposals_decided"
    phase: str
    """The phase that would do them; empty where none takes any."""
    decisions: dict[str, ProposalDecision]
    """By proposal."""

    @property
    def subject(self) -> str:
        """The phase."""
        return self.phase


class ConcernReopened(Event):
    """Somebody took the end of a concern back: it proved wrong."""

    kind: Literal["concern_reopened"] = "concern_reopened"
    concern_id: str
    """The concern."""
    by: str = Field(min_length=1)
    """Who takes it back."""
    reason: Escaped = Field(min_length=1)
    """Why."""
    evidence: tuple[Escaped, ...] = ()
    """What it rests on."""

    @property
    def subject(self) -> str:
        """The concern."""
        return self.concern_id
