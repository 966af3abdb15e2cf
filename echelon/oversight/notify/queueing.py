"""What is put into the outbox of a run together with what happened: in the same transaction, or not at all. Pure (O8).

A gate is told to everybody who may answer it. Of concerns those go out that a person has to see (O1): they reach that
person whatever a coordinator makes of them. So do critical exceptions, unless a concern says the same (V1).
"""

from collections.abc import Iterator, Sequence

from echelon.model.concern import CRITICAL
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.oversight.channel import NotifyChannel
from echelon.runlog.events import ConcernRaised, ExceptionPushed, GateRaised, RunEvent
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
    elif isinstance(event, ExceptionPushed) and _is_sent(event.report):
        yield from queue(event, "exception", event.report.id, (), channels)


def _is_sent(report: ExceptionReport) -> bool:
    """Say whether an exception goes out: of a budget that was passed a concern tells, which can be answered."""
    return report.level is Level.CRITICAL and report.trigger is not Trigger.OVERRUN
