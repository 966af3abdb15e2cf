"""What happens in the outbox of a run: a part of the union in `runlog.events` (O8)."""

from typing import Literal

from pydantic import Field

from echelon.model.oversight.notification import IssuedToken, Notification
from echelon.runlog.run_events import Event


class NotificationQueued(Event):
    """Somebody is to be told; written together with what happened."""

    kind: Literal["notification_queued"] = "notification_queued"
    notification: Notification
    """Who is to be told what, and how."""

    @property
    def subject(self) -> str:
        """The gate or concern."""
        return self.notification.subject_id


class TokensIssued(Event):
    """Tokens were made for a message that is about to be sent."""

    kind: Literal["tokens_issued"] = "tokens_issued"
    tokens: tuple[IssuedToken, ...]
    """What can be known of them."""


class LetterEvent(Event):
    """What events about one message have."""

    key: str
    """Idempotency key of the message: the same when it is sent again."""
    notifications: tuple[str, ...]
    """The notifications that it carries, by id."""


class NotificationSent(LetterEvent):
    """A message was delivered."""

    kind: Literal["notification_sent"] = "notification_sent"


class NotificationFailed(LetterEvent):
    """A message could not be delivered; it stays in the outbox, and is sent again."""

    kind: Literal["notification_failed"] = "notification_failed"
    attempt: int = Field(ge=1)
    """Which attempt of its process, from 1."""
    error: str
    """Why; without secrets."""
    passing: bool
    """May it pass by itself? Else somebody has to change something first."""


class TokenUsed(Event):
    """Somebody answered with a token; it is of no use any more."""

    kind: Literal["token_used"] = "token_used"
    notification_id: str
    """The notification whose message has it."""
    digest: str
    """SHA-256 of the token."""
