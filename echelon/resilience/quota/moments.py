"""When a limit resets, read from what providers and command-line agents write (F10). Pure.

One table: a pattern, and what makes a time of it. A time of day that is past means tomorrow; nonsense is no time, nor
is one that is past or too far away. All patterns are bounded, since what they read may be hostile.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

#: Nothing that resets later is waited for.
LONGEST_WINDOW = timedelta(days=35)

#: How much of a text is read, in characters of its beginning and of its end.
READ_CHARACTERS = 4_000

#: A limit must be spoken of so near to the time, in characters.
NEAR_CHARACTERS = 200

#: From this on a number is no count of seconds but a time in seconds, or milliseconds, since 1970.
_EPOCH_SECONDS, _EPOCH_MILLISECONDS = 1e9, 1e12

_LIMIT = re.compile(r"limit|quota|usage|too many requests|credits|\b429\b", re.IGNORECASE)

_UNIT_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = r"\d{1,9}(?:\.\d{1,12})?\s?(?:days?|hours?|hrs?|minutes?|mins?|seconds?|secs?|ms|d|h|m|s)(?![a-z])"
_PARTS = re.compile(r"(\d{1,9}(?:\.\d{1,12})?)\s?(ms|[dhms])", re.IGNORECASE)
_DURATION = rf"{_PART}(?:(?:,?\s(?:and\s)?)?{_PART}){{0,4}}"

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ABBREVIATED = {
    "Z": "UTC", "GMT": "UTC", "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PT": "America/Los_Angeles",
    "EST": "America/New_York", "EDT": "America/New_York", "ET": "America/New_York", "CET": "Europe/Berlin",
    "CEST": "Europe/Berlin", "BST": "Europe/London",
}  # fmt: skip

_AGAIN = r"\b(?:resets?|reset|again|until|available)(?:\s(?:at|on|by)){0,2}\s{1,2}"
_WHEN = r"\b(?:resets?|reset|again|until|available)(?:\s(?:at|on|by|next)){0,2}\s{1,2}"
_CLOCK = r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?(?::(?P<second>\d\d)(?:\.\d{1,9})?)?(?:\s?(?P<half>[ap])\.?m\b\.?)?"
_ZONE = (
    r"(?:\s?\(?(?P<zone>Z\b|[+-]\d\d:?\d\d|(?-i:[A-Z][A-Za-z_]{1,30}(?:/[A-Za-z_+-]{1,40}){1,2})"
    r"|(?-i:UTC|GMT|[PE][SD]?T|CES?T|BST)\b)\)?)?"
)


class ResetTime(NamedTuple):
    """A time that is stated somewhere."""

    until: datetime
    """When the limit resets, in UTC."""
    said: str
    """The words that say so."""


def reset_in_text(text: str, now: datetime, here: tzinfo | None = None) -> ResetTime | None:
    """Return the earliest time at which a text says that a limit resets; None when it says none.

    Times of day without a zone are those of `here`; None: the zone of this machine.
    """
    read = text if len(text) <= 2 * READ_CHARACTERS else f"{text[:READ_CHARACTERS]}\n{text[-READ_CHARACTERS:]}"
    return min(_stated(read, now, here), default=None)


def reset_in_value(value: str, now: datetime) -> datetime | None:
    """Return the time that the value of a header states: seconds, a duration as 6m0s, or a time; None for nonsense."""
    value = value.strip()
    for read in (_of_number, _of_short_duration, _of_timestamp):
        try:
            moment = read(value, now)
        except (ValueError, OverflowError):
            continue
        return None if moment is None else within_bounds(moment, now)
    return None


def within_bounds(moment: datetime, now: datetime) -> datetime | None:
    """Return a time in UTC; None when it is past, or later than any window ends."""
    until = moment.astimezone(UTC)
    return until if now < until <= now + LONGEST_WINDOW else None


def _stated(text: str, now: datetime, here: tzinfo | None) -> Iterator[ResetTime]:
    for pattern, read in _TABLE:
        for match in pattern.finditer(text):
            near = text[max(0, match.start() - NEAR_CHARACTERS) : match.end() + NEAR_CHARACTERS]
            if not _LIMIT.search(near):
                continue
            try:
                moment = read(match, now, here)
                until = None if moment is None else within_bounds(moment, now)
            except (ValueError, OverflowError):  # the 31st of February, the hour 99
                continue
            if until is not None:
                yield ResetTime(until, _line_of(text, match))


def _line_of(text: str, match: re.Match[str]) -> str:
    start = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    start = max(start, match.start() - NEAR_CHARACTERS)
    return text[start : min(len(text) if end < 0 else end, match.end() + NEAR_CHARACTERS)].strip()


def _of_epoch(match: re.Match[str], now: datetime, here: tzinfo | None) -> datetime | None:  # noqa: ARG001 - one signature
    return _of_number(match["epoch"], now)


def _of_duration(match: re.Match[str], now: datetime, here: tzinfo | None) -> datetime:  # noqa: ARG001 - one signature
    return now + _span(match["duration"])


def _of_clock(match: re.Match[str], now: datetime, here: tzinfo | None) -> datetime | None:
    if match["minute"] is None and match["half"] is None:
        return None  # "resets 3 times"
    zone = _zone(match, here)
    today = now.astimezone(zone).date()
    first, tomorrow = _at(match, today, zone), _at(match, today + timedelta(days=1), zone)
    # Where clocks are set back, a time of day comes twice.
    return next((one for one in (first, first.replace(fold=1)) if one.astimezone(UTC) > now), tomorrow)


def _of_date(match: re.Match[str], now: datetime, here: tzinfo | None) -> datetime:  # noqa: ARG001 - one signature
    return _at(match, date.fromisoformat(match["date"]), _zone(match, here))


def _of_named_date(match: re.Match[str], now: datetime, here: tzinfo | None) -> datetime:
    zone = _zone(match, here)
    today = now.astimezone(zone).date()
    year, month = match["year"], _MONTHS.index(match["month"][:3].lower()) + 1
    moment = _at(match, date(int(year or today.year), month, int(match["day"])), zone)
    if year is None and moment.astimezone(UTC) <= now:  # said in December of the first of January
        return _at(match, date(today.year + 1, month, int(match["day"])), zone)
    return moment


def _of_day(match: re.Match[str], now: datetime, here: tzinfo | None) -> datetime | None:
    """Return the next time that a day of the week, or tomorrow, has a time of day; today only where that is to come."""
    if match["minute"] is None and match["half"] is None:
        return None  # "resets Mon 3"
    zone, day = _zone(match, here), match["day"][:3].lower()
    today = now.astimezone(zone).date()
    ahead = 1 if day == "tom" else (_WEEKDAYS.index(day) - today.weekday()) % 7
    moment = _at(match, today + timedelta(days=ahead), zone)
    return moment if moment.astimezone(UTC) > now else _at(match, today + timedelta(days=ahead + 7), zone)


def _of_number(value: str, now: datetime) -> datetime | None:
    if not re.fullmatch(r"\d{1,15}(?:\.\d{1,12})?", value):
        raise ValueError(value)
    number = float(value)
    if number >= _EPOCH_SECONDS:
        return datetime.fromtimestamp(number / 1000 if number >= _EPOCH_MILLISECONDS else number, UTC)
    return now + timedelta(seconds=number)


def _of_short_duration(value: str, now: datetime) -> datetime:
    if not re.fullmatch(rf"(?:{_PARTS.pattern}\s?){{1,5}}", value, re.IGNORECASE):
        raise ValueError(value)
    return now + _span(value)


def _of_timestamp(value: str, now: datetime) -> datetime:  # noqa: ARG001 - one signature
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _span(duration: str) -> timedelta:
    return timedelta(
        seconds=sum(float(number) * _UNIT_SECONDS[unit.lower()] for number, unit in _PARTS.findall(duration))
    )


def _at(match: re.Match[str], day: date, zone: tzinfo | None) -> datetime:
    hour, half = int(match["hour"]), (match["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(f"{hour} {half}m")
        hour = hour % 12 + (12 if half == "p" else 0)
    moment = datetime(day.year, day.month, day.day, hour, int(match["minute"] or 0), int(match["second"] or 0))  # noqa: DTZ001 - the zone comes next
    return moment.replace(tzinfo=zone) if zone else moment.astimezone()


def _zone(match: re.Match[str], here: tzinfo | None) -> tzinfo | None:
    """Return the zone that is stated; `ValueError` for one that nobody knows."""
    name = match["zone"]
    if not name:
        return here
    if name[0] in "+-":
        return datetime.strptime(name, "%z").tzinfo
    try:
        return ZoneInfo(_ABBREVIATED.get(name.upper(), name))
    except (KeyError, OSError) as error:
        raise ValueError(name) from error


_Read = Callable[[re.Match[str], datetime, tzinfo | None], datetime | None]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_TABLE: tuple[tuple[re.Pattern[str], _Read], ...] = (
    # A time since 1970: usage limit reached|1764480000
    (_pattern(r"limit reached\|(?P<epoch>\d{10,13})(?!\d)"), _of_epoch),
    # A time from now: try again in 3h 20m or: please retry in 34.07s or: resets in 4 hours and 5 minutes
    (
        _pattern(
            rf"\b(?:again|retry|resets?|reset|available|wait)(?:\s(?:in|after|for|another)){{0,2}}\s{{1,2}}"
            rf"(?P<duration>{_DURATION})"
        ),
        _of_duration,
    ),
    # A date in digits: limit will reset at 2026-11-30 04:00
    (_pattern(rf"{_AGAIN}(?P<date>\d{{4}}-\d\d-\d\d)[ T]{_CLOCK}{_ZONE}"), _of_date),
    # A date with a name: resets Dec 1, 3pm (Europe/Berlin) or: try again at Dec 3rd, 2026 5:01 PM
    (
        _pattern(
            rf"{_AGAIN}(?:{_WEEKDAY},?\s)?(?P<month>(?:{'|'.join(_MONTHS)})[a-z]{{0,6}})\.?\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?"
            rf"(?:,?\s(?P<year>\d{{4}}))?,?\s(?:at\s)?{_CLOCK}{_ZONE}"
        ),
        _of_named_date,
    ),
    # The same with the day first: resets 3 Dec at 09:00
    (
        _pattern(
            rf"{_AGAIN}(?:{_WEEKDAY},?\s)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s"
            rf"(?P<month>(?:{'|'.join(_MONTHS)})[a-z]{{0,6}})\.?(?:,?\s(?P<year>\d{{4}}))?,?\s(?:at\s)?{_CLOCK}{_ZONE}"
        ),
        _of_named_date,
    ),
    # A day of the week: resets Mon 9am or: resets on Thursday, 09:00 UTC or: try again tomorrow at 9am
    (_pattern(rf"{_WHEN}(?P<day>{_WEEKDAY}|tomorrow\b),?\s(?:at\s)?{_CLOCK}{_ZONE}"), _of_day),
    # A time of day: resets 3pm (Europe/Berlin) or: resets at 15:00 UTC
    (_pattern(rf"{_AGAIN}{_CLOCK}{_ZONE}"), _of_clock),
)
