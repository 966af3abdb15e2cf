"""How long concerns are open, and which of them are for too long: by a table. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from echelon.model.base import Value
from echelon.model.concern import ConcernRecord, Route
from echelon.model.phrasing import age, count

#: Route → how long a concern may be open before people are reminded of it first; None: for any time.
OVERDUE_AFTER: dict[Route, timedelta | None] = {
    Route.IMMEDIATE: timedelta(hours=1),
    Route.HUMAN_REVIEW: timedelta(hours=24),
    Route.NORMAL: timedelta(days=7),
    Route.PATTERN_LOG: None,
}


def is_overdue(record: ConcernRecord, now: datetime) -> bool:
    """Say whether a concern is open for longer than its route allows."""
    bound = OVERDUE_AFTER[record.route]
    return record.is_open and bound is not None and now - record.open_since > bound


def overdue_line(records: Sequence[ConcernRecord], now: datetime) -> str:
    """Say how many concerns wait for somebody, and how many of them for too long; empty where none does."""
    waiting = _waiting(records)
    if not waiting:
        return ""
    late = sum(is_overdue(record, now) for record in waiting)
    overdue = f", {late:,} overdue" if late else ""
    wait = f"{count(len(waiting), 'concern')} {'waits' if len(waiting) == 1 else 'wait'} for a person"
    return f"{wait}{overdue}, the oldest for {_oldest(waiting, now)}: echelon concerns"


def earlier_line(records: Sequence[ConcernRecord], now: datetime) -> str:
    """Say how many concerns of earlier runs wait for somebody; empty where none does."""
    waiting = _waiting(records)
    if not waiting:
        return ""
    are = "is" if len(waiting) == 1 else "are"
    said = f"{count(len(waiting), 'concern')} of earlier runs {are} still open"
    return f"{said}, the oldest for {_oldest(waiting, now)}: echelon concerns"


def _waiting(records: Sequence[ConcernRecord]) -> list[ConcernRecord]:
    """Return those that wait for somebody: what is only kept to find patterns does not."""
    return [record for record in records if record.is_open and OVERDUE_AFTER[record.route] is not None]


def _oldest(records: Sequence[ConcernRecord], now: datetime) -> str:
    return age(now - min(record.open_since for record in records))


class OpenConcerns(Value):
    """How many concerns wait for a person, and for how long."""

    open: int
    """How many."""
    overdue: int
    """How many of them wait for longer than their route allows."""
    oldest_seconds: float | None
    """How long the oldest waits; None when none does."""


def counted(records: Sequence[ConcernRecord], now: datetime) -> OpenConcerns:
    """Count what waits for a person."""
    waiting = _waiting(records)
    return OpenConcerns(
        open=len(waiting),
        overdue=sum(is_overdue(record, now) for record in waiting),
        oldest_seconds=max(((now - record.open_since).total_seconds() for record in waiting), default=None),
    )
