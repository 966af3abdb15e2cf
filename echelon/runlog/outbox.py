"""The outbox of a run, folded from its events, and what is put into it. Pure (O8)."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from echelon.model.oversight.channel import NotifyChannel
from echelon.model.oversight.notification import Notification, NotificationRecord, Topic
from echelon.runlog.notify_events import (
    NotificationFailed,
    NotificationQueued,
    NotificationSent,
    TokensIssued,
    TokenUsed,
)
from echelon.runlog.run_events import Event

Outbox = dict[str, NotificationRecord]
"""Notifications by id, in the order they were put in."""

#: Digits of the id of a notification: enough to tell all apart that a journal will ever hold.
_ID_DIGITS = 16


def notification_id(subject_id: str, channel: NotifyChannel, approver: str) -> str:
    """Return the id of a notification: told again of the same, nobody is told twice."""
    told = f"{subject_id}\0{channel.model_dump_json()}\0{approver}"
    return hashlib.sha256(told.encode()).hexdigest()[:_ID_DIGITS]


def queue(
    told: Event, topic: Topic, subject_id: str, approvers: Sequence[str], channels: Sequence[NotifyChannel]
) -> Iterator[NotificationQueued]:
    """Yield what is put into the outbox because of an event; `approvers` are those who may answer, empty: anybody."""
    for channel in channels:
        if channel.approver and approvers and channel.approver not in approvers:
            continue
        for approver in (channel.approver,) if channel.approver else approvers or ("",):
            notification = Notification(
                id=notification_id(subject_id, channel, approver),
                topic=topic,
                subject_id=subject_id,
                channel=channel,
                approver=approver,
                at=told.at,
            )
            yield NotificationQueued(run_id=told.run_id, at=told.at, notification=notification)


def _queued(outbox: Outbox, event: NotificationQueued) -> None:
    outbox.setdefault(event.notification.id, NotificationRecord(notification=event.notification))


def _issued(outbox: Outbox, event: TokensIssued) -> None:
    for token in event.tokens:
        _change(outbox, token.notification_id, lambda record, token=token: {"tokens": (*record.tokens, token)})


def _sent(outbox: Outbox, event: NotificationSent) -> None:
    for identity in event.notifications:
        _change(outbox, identity, lambda record: {"sent": record.sent or event.at})


def _failed(outbox: Outbox, event: NotificationFailed) -> None:
    for identity in event.notifications:
        _change(outbox, identity, lambda record: {"attempts": record.attempts + 1, "error": event.error})


def _used(outbox: Outbox, event: TokenUsed) -> None:
    _change(outbox, event.notification_id, lambda record: {"used": record.used | {event.digest}})


def _change(outbox: Outbox, identity: str, changes: Callable[[NotificationRecord], Mapping[str, object]]) -> None:
    if (record := outbox.get(identity)) is not None:
        outbox[identity] = record.model_copy(update=dict(changes(record)))


_APPLY: dict[type[Event], Callable[[Outbox, Any], None]] = {
    NotificationQueued: _queued,
    TokensIssued: _issued,
    NotificationSent: _sent,
    NotificationFailed: _failed,
    TokenUsed: _used,
}

#: Kinds of events that say something of the outbox.
OUTBOX_KINDS = ("notification_queued", "tokens_issued", "notification_sent", "notification_failed", "token_used")


def apply_to_outbox(outbox: Outbox, event: Event) -> None:
    """Change an outbox by one more event about it."""
    _APPLY[type(event)](outbox, event)
