"""The calendar day or month that a standing budget lasts (F10). Pure."""

from datetime import UTC, datetime, timedelta, tzinfo

from echelon.model.base import Value
from echelon.model.usage import Per

#: How finely it is kept when something was spent, in seconds: days begin at such a moment in every time zone.
SLOT_SECONDS = 900


class CalendarWindow(Value):
    """One day or month of a time zone."""

    per: Per
    """Which of the two."""
    opens: datetime
    """Its first moment, with its time zone."""
    closes: datetime
    """The first moment that is not in it any more."""

    @property
    def name(self) -> str:
        """The day or month: `2026-11-29`, `2026-11`."""
        return f"{self.opens:%Y-%m-%d}" if self.per == "day" else f"{self.opens:%Y-%m}"

    @property
    def closing(self) -> str:
        """When the next one opens, with its time zone: `2026-11-30 00:00 UTC`."""
        return f"{self.closes:%Y-%m-%d %H:%M} {self.closes.tzname()}"

    def has(self, at: datetime) -> bool:
        """Say whether a moment lies in it."""
        return self.opens <= at < self.closes


def window_of(per: Per, at: datetime, zone: tzinfo) -> CalendarWindow:
    """Return the day or month of a time zone that a moment lies in."""
    day = datetime(*at.astimezone(zone).timetuple()[:3], tzinfo=zone)
    if per == "day":
        return CalendarWindow(per=per, opens=day, closes=_midnight(day + timedelta(days=1)))
    first = day.replace(day=1)
    return CalendarWindow(per=per, opens=first, closes=_midnight((first + timedelta(days=32)).replace(day=1)))


def slot_of(at: datetime) -> int:
    """Return the number of the slot that a moment lies in."""
    return int(at.astimezone(UTC).timestamp() // SLOT_SECONDS)


def _midnight(day: datetime) -> datetime:
    return day.replace(hour=0, minute=0)
