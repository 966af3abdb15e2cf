"""What is put into the outbox of a run together with what happened: in the same transaction, or not at all. Pure (O8).

A gate is told to everybody who may answer it. Of concerns those go out that a person has to see (O1): they reach that
person whatever a coordinator makes of them.
"""

from collections.abc import Iterator, Sequence

from echelon.model.concern import CRITICAL
from echelon.model.oversight.channel import NotifyChannel
from echelon.runlog.events import ConcernRaised, GateRaised, RunEvent
from echelon.runlog.notify_events import NotificationQueued
from echelon.runlog.outbox import queue


def with_notices(events: Sequence[RunEvent], channels: Sequence[NotifyChannel]) -> Sequence[RunEvent]:
    """Return events with what is put into the outbox because of them, each behind its own."""
    if not channels:
        return events
    return [one for event in events for one in (event, *_notices(event, channels))]


def _notices(event: RunEvent, channels: Sequence[NotifyChannel]) -> Iterator[NotificationQueued]:
    if isinstance(event, GateRaised):
        yield from queue(event, "gate", event.record.id, event.record.terms.approvers, channels)
    elif isinstance(event, ConcernRaised) and event.record.route in CRITICAL:
        yield from queue(event, "concern", event.record.id, (), channels)
