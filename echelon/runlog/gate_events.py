"""What happens at gates: a part of the union in `runlog.events` (O5, O8)."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from echelon.model.oversight.gate import GateAnswer, GateRecord
from echelon.runlog.run_events import Event


class GateRaised(Event):
    """A step that was ready to begin waits for a person."""

    kind: Literal["gate_raised"] = "gate_raised"
    record: GateRecord
    """What is asked."""

    @property
    def subject(self) -> str:
        """The gate."""
        return self.record.id


class GateEvent(Event):
    """What events about one gate have."""

    gate_id: str
    """The gate."""

    @property
    def subject(self) -> str:
        """The gate."""
        return self.gate_id


class GateAnswered(GateEvent):
    """Somebody answered; the first answer that is not refused decides."""

    kind: Literal["gate_answered"] = "gate_answered"
    answer: GateAnswer
    """What was answered."""


class GateExtended(GateEvent):
    """Somebody asked for more time."""

    kind: Literal["gate_extended"] = "gate_extended"
    until: datetime
    """When it ends now, in UTC."""
    by: str = Field(min_length=1)
    """Who asked for it."""
    reason: str = ""
    """Why."""


class GateClosed(GateEvent):
    """A gate is not asked any more, although nobody decided: what it asked about has changed, or is not wanted."""

    kind: Literal["gate_closed"] = "gate_closed"
    reason: str = Field(min_length=1)
    """Why."""


class ApprovalUsed(GateEvent):
    """What a gate allowed begins now: the approval cannot be used again."""

    kind: Literal["approval_used"] = "approval_used"
    key: str
    """Identity of the step (F8)."""
    digest: str
    """Of the action that begins, computed once more right before it does."""


class ApprovalReturned(GateEvent):
    """The agent said that nothing happened: what a gate allowed may be begun once more."""

    kind: Literal["approval_returned"] = "approval_returned"
