"""F10: when a limit resets, as providers and coding agents write it; nonsense is no time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.resilience.quota.moments import LONGEST_WINDOW, reset_in_text, reset_in_value

#: 20:00 in Berlin, 14:00 in New York.
NOW = datetime(2026, 11, 29, 19, 0, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    """Return a moment of 2026: month, day, hour, minute, second."""
    return datetime(2026, *parts, tzinfo=UTC)


STATED = [
    ("You've hit your session limit · resets 9pm (Europe/Berlin)", utc(11, 29, 20, 0)),
    ("Your limit resets 3pm (Europe/Berlin)", utc(11, 30, 14, 0)),  # past there: tomorrow
    ("5-hour limit reached ∙ resets 3pm", utc(11, 30, 15, 0)),  # without a zone: that of the machine
    ("rate limit: resets at 19:30 UTC", utc(11, 29, 19, 30)),
    ("rate limit: resets at 15:00 UTC", utc(11, 30, 15, 0)),
    ("limit resets at 22:15 +02:00", utc(11, 29, 20, 15)),
    ("limit resets 2:30pm EST", utc(11, 29, 19, 30)),
    ("You've hit your usage limit. Try again in 3h 20m", utc(11, 29, 22, 20)),
    ("You've hit your usage limit. Try again in 3 days 4 hours 5 minutes.", utc(12, 2, 23, 5)),
    ("Rate limit reached for requests. Please try again in 6m0s.", utc(11, 29, 19, 6)),
    ("Quota exceeded. Please retry in 30s", utc(11, 29, 19, 0, 30)),
    ("too many requests, retry after 45 seconds", utc(11, 29, 19, 0, 45)),
    ("the limit will reset at 2026-11-30 04:00", utc(11, 30, 4, 0)),
    ("the limit will reset at 2026-11-30T04:00:30Z", utc(11, 30, 4, 0, 30)),
    (f"Claude AI usage limit reached|{NOW.timestamp() + 3600:.0f}", utc(11, 29, 20, 0)),
    ("weekly limit · resets Dec 3 at 9am (Europe/Berlin)", utc(12, 3, 8, 0)),
    ("usage limit: try again at Dec 3rd, 2026 5:01 PM.", utc(12, 3, 17, 1)),
    ("weekly limit resets Dec 3 at 09:00", utc(12, 3, 9, 0)),
    ("weekly limit resets Thu, Dec 3 at 09:00 UTC", utc(12, 3, 9, 0)),
    ("weekly limit resets on 3 December at 09:00", utc(12, 3, 9, 0)),
    ("weekly limit resets Mon 9am", utc(11, 30, 9, 0)),  # NOW is a Sunday
    ("weekly limit resets on Thursday, 09:00 (Europe/Berlin)", utc(12, 3, 8, 0)),
    ("weekly limit resets next Tues at 9:30 pm EST", utc(12, 2, 2, 30)),
    ("weekly limit resets Sunday at 20:30", utc(11, 29, 20, 30)),  # today, and still to come
    ("weekly limit resets Sunday at 9am", utc(12, 6, 9, 0)),
    ("usage limit, try again tomorrow at 7am", utc(11, 30, 7, 0)),
]

NO_TIME = [
    "resets 3pm",  # of what?
    "the limit resets 3 times",
    "the limit resets Monday 3 times",
    "the limit resets on Monday",  # at what time?
    "the limit resets Monkey 9am",
    "the limit resets at 25:00 UTC",
    "the limit resets 13pm",
    "the limit resets at 3pm (Mars/Crater)",
    "the limit resets at 2026-02-31 10:00",
    "the limit was reset at 2026-11-28 10:00",
    "the limit: try again in 36 days",
    "usage limit reached|1764480000",  # a year ago
    "usage limit reached|99999999999999999999",
    "try again in a while, your limit is used up",
    "",
]


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (utc(10, 25, 0, 15), utc(10, 25, 0, 30)),
        (utc(10, 25, 0, 45), utc(10, 25, 1, 30)),
        (utc(10, 25, 1, 45), utc(10, 26, 1, 30)),
    ],
    ids=["before both", "between them", "after both"],
)
def test_a_time_of_day_that_comes_twice_is_the_next_of_them(now: datetime, until: datetime) -> None:
    found = reset_in_text("your limit resets 2:30am (Europe/Berlin)", now, UTC)

    assert found is not None
    assert found.until == until


@pytest.mark.parametrize(("text", "until"), STATED)
def test_a_time_is_read_as_it_is_written(text: str, until: datetime) -> None:
    found = reset_in_text(f"something went wrong\n{text}\nmore", NOW, UTC)

    assert found is not None
    assert found.until == until
    assert found.said == text


@pytest.mark.parametrize("text", NO_TIME)
def test_nonsense_is_no_time(text: str) -> None:
    assert reset_in_text(text, NOW, UTC) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3), ("3.5", 3.5), ("3s", 3), ("6m0s", 360), ("1h2m3s", 3723), ("20ms", 0.02), ("2026-11-29T19:01:00Z", 60),
     (f"{NOW.timestamp() + 5:.0f}", 5), (f"{NOW.timestamp() * 1000 + 5000:.0f}", 5)],
)  # fmt: skip
def test_the_value_of_a_header_is_seconds_a_duration_or_a_time(value: str, seconds: float) -> None:
    found = reset_in_value(value, NOW)

    assert found is not None
    assert abs((found - NOW).total_seconds() - seconds) < 0.001


@pytest.mark.parametrize("value", ["", "soon", "-3", "1e9", "nan", "0", "2026-11-28T00:00:00Z", "99999999", "9" * 400])
def test_a_value_that_makes_no_sense_is_no_time(value: str) -> None:
    assert reset_in_value(value, NOW) is None


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
#: A few years, with all their changes of clocks; without a zone, which is chosen for them.
YEARS = datetime.fromisoformat("2025-01-01"), datetime.fromisoformat("2030-01-01")

moments = st.datetimes(YEARS[0], YEARS[1], timezones=st.just(UTC))


@given(moments, st.integers(0, 23), st.integers(0, 59), zones)
def test_a_time_of_day_is_the_next_one_there(now: datetime, hour: int, minute: int, zone: str) -> None:
    found = reset_in_text(f"limit resets at {hour:02}:{minute:02} ({zone})", now, UTC)

    assert found is not None
    assert now < found.until <= now + timedelta(hours=26)  # a day, and what clocks are turned by
    there = found.until.astimezone(ZoneInfo(zone))
    assert (there.hour, there.minute) == (hour, minute) or there.dst() != (there - timedelta(hours=3)).dst()


WEEKDAYS = ("Mon", "Tuesday", "Wed", "Thurs", "Fri.", "Saturday", "sun")


@given(moments, st.integers(0, 6), st.integers(0, 23), st.integers(0, 59), zones)
def test_a_day_of_the_week_is_the_next_one_there(now: datetime, day: int, hour: int, minute: int, zone: str) -> None:
    found = reset_in_text(f"weekly limit resets {WEEKDAYS[day]} {hour:02}:{minute:02} ({zone})", now, UTC)

    assert found is not None
    assert now < found.until <= now + timedelta(days=7, hours=2)  # a week, and what clocks are turned by
    there = found.until.astimezone(ZoneInfo(zone))
    turned = there.dst() != (there - timedelta(hours=3)).dst()
    assert (there.weekday(), there.hour, there.minute) == (day, hour, minute) or turned


@given(moments, st.integers(1, 34), st.integers(0, 23), st.sampled_from(["{:%b} {}", "{:%B} {}", "{1} {0:%b}"]))
def test_a_day_of_a_month_is_that_one_also_over_the_end_of_a_year(
    now: datetime, days: int, hour: int, written: str
) -> None:
    at = (now + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
    text = written.format(at, at.day)
    found = reset_in_text(f"monthly limit resets {text} at {hour:02}:00", now, UTC)

    assert found is not None
    assert found.until == at


@given(moments, st.integers(0, 40), st.integers(0, 23), st.integers(0, 59))
def test_a_duration_is_counted_from_now_and_bounded(now: datetime, days: int, hours: int, minutes: int) -> None:
    span = timedelta(days=days, hours=hours, minutes=minutes)
    found = reset_in_text(f"usage limit, try again in {days}d {hours}h {minutes}m", now, UTC)

    assert (found and found.until) == (now + span if timedelta() < span <= LONGEST_WINDOW else None)


@given(
    st.text()
    | st.from_regex(r"(limit|resets|again|at|in|mon|3 dec|tomorrow|\d{1,4}|[apm:()/ |]|Europe/Berlin|UTC){1,40}"),
    moments,
)
def test_whatever_is_written_no_time_is_past_or_far_away(text: str, now: datetime) -> None:
    for until in (reset_in_value(text, now), (found := reset_in_text(text, now, UTC)) and found.until):
        assert until is None or now < until <= now + LONGEST_WINDOW
