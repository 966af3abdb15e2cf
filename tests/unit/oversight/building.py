"""Concerns on record, as tests of oversight need them."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from echelon.model.concern import Concern, ConcernRecord, Disposition

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

_numbers = count(1)


def hours(number: float) -> datetime:
    """When so many hours have passed."""
    return NOON + timedelta(hours=number)


def raised(
    message: str = "the lock is claimed twice",
    at: float = 0,
    *,
    about: str = "locks.py",
    confidence: float = 0.4,
    impact: float = 0.9,
    run_id: str = "r1",
    source: str = "look/a",
    **changes: Any,
) -> ConcernRecord:
    """A concern that was raised so many hours after noon."""
    concern = Concern(about=about, message=message, confidence=confidence, impact=impact)
    values = {"id": f"c{next(_numbers)}", "run_id": run_id, "source": source, "concern": concern, "at": hours(at)}
    return ConcernRecord.model_validate(values | changes)


def end(verdict: Any = "dismissed", at: float = 1, author: str = "mia", looked_at: tuple[str, ...] = ("locks.py",)):
    return Disposition(verdict=verdict, author=author, reason="looked", looked_at=looked_at, at=hours(at))


def ended(record: ConcernRecord, verdict: Any = "dismissed", at: float = 1) -> ConcernRecord:
    return record.disposed(end(verdict, at))


def taken_back(record: ConcernRecord, at: float) -> ConcernRecord:
    return record.reopen("noa", "it came back", ("log:1",), hours(at))
