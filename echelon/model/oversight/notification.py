"""What is in the outbox of a run: that somebody is to be told of a gate or a concern, and how far that came (O8)."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from echelon.model.base import Value
from echelon.model.oversight.channel import NotifyChannel

#: What a person is told of.
Topic: TypeAlias = Literal["gate", "concern", "exception"]


class Notification(Value):
    """Somebody is to be told of something through a channel."""

    id: str
    """Unique within the journal, and the same for the same subject, channel and approver."""
    topic: Topic
    """What it is about."""
    subject_id: str
    """The gate, the concern or the exception."""
    channel: NotifyChannel
    """How it is delivered."""
    approver: str = ""
    """Whom it is for: only this one can answer with its token. Empty: whoever reads it."""
    at: datetime
    """When it was put into the outbox, in UTC."""


class IssuedToken(Value):
    """A token that was made for a message. The token itself is in the message, and nowhere else."""

    digest: str
    """SHA-256 of the token."""
    notification_id: str
    """The notification whose message has it."""
    expires: datetime
    """When it ends, in UTC; the gate may end before."""


class NotificationRecord(Value):
    """A notification on record, with what came of it."""

    notification: Notification
    """Who is told what, and how."""
    tokens: tuple[IssuedToken, ...] = ()
    """Those that were made for it: one for each process that tried to send it."""
    used: frozenset[str] = frozenset()
    """Digests of those that were used."""
    attempts: int = Field(default=0, ge=0)
    """Attempts that failed."""
    error: str = ""
    """Why the last of them failed; empty where none did."""
    sent: datetime | None = None
    """When it was delivered, in UTC; None while it was not."""
