"""What people were told of a run, and what they still are to be told, in lines and for programs. Pure (O8)."""

from collections.abc import Sequence

from echelon.model.adapter import JsonObject
from echelon.model.oversight.notification import NotificationRecord
from echelon.model.phrasing import count
from echelon.model.run import RunView
from echelon.oversight.notify.letters import unsent

#: What was not delivered that is shown; the rest is counted.
LEFT_SHOWN = 8


def left_lines(left: Sequence[NotificationRecord]) -> list[str]:
    """Say of each notification that was not delivered whom it tells of what, and why it is not there."""
    lines = [_left(record) for record in left[:LEFT_SHOWN]]
    more = len(left) - LEFT_SHOWN
    return [*lines, f"and {more:,} more"] if more > 0 else lines


def notified(view: RunView) -> list[str]:
    """Say how much of what people were to be told was delivered, and what is left; empty where there was nothing."""
    known = view.notifications
    if not known:
        return []
    left = unsent(
        {one.notification.id: one for one in known},
        {gate.id: gate for gate in view.gates},
        {concern.id: concern for concern in view.concerns},
    )
    sent = sum(record.sent is not None for record in known)
    again = [f"send it again: echelon notify {view.record.run_id}"] if left else []
    return [f"{sent:,} of {count(len(known), 'notification')} delivered", *left_lines(left), *again]


def notice_document(record: NotificationRecord) -> JsonObject:
    """Return a notification for programs; its channel by name, since an address may say more than it should."""
    told = record.notification
    return {
        "id": told.id,
        "topic": told.topic,
        "subject_id": told.subject_id,
        "channel": told.channel.label,
        "approver": told.approver,
        "at": told.at.isoformat(),
        "sent": record.sent and record.sent.isoformat(),
        "attempts": record.attempts,
        "error": record.error,
    }


def _left(record: NotificationRecord) -> str:
    told = record.notification
    whom = f" for {told.approver}" if told.approver else ""
    why = f" ({count(record.attempts, 'attempt')}: {record.error})" if record.attempts else ""
    return f"{told.channel.label}{whom} was not told of {told.topic} {told.subject_id} yet{why}"
