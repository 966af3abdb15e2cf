"""F3: what the callee asks for when it refuses, in all the forms in which it is said."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.resilience.pushback import retry_after_seconds, wants_another
from tests.unit.resilience.answers import answered, wrapped

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class WithAttribute(Exception):
    def __init__(self, retry_after: object) -> None:
        self.retry_after = retry_after


class WithHeaders(Exception):
    def __init__(self, headers: object) -> None:
        self.headers = headers


class Broken(Exception):
    @property
    def response(self) -> object:
        raise RuntimeError("a bug in the client")


def after(value: object) -> Exception:
    return WithHeaders({"Retry-After": value})


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (WithAttribute(2.5), 2.5),
        (WithAttribute("7"), 7.0),
        # seconds
        (answered(429, {"retry-after": "3"}), 3.0),
        (answered(429, {"Retry-After": "0.25"}), 0.25),
        (after("0"), 0.0),
        (after(" 4 "), 4.0),
        (after(b"4"), 4.0),
        (after(121), 121.0),
        # milliseconds, and what counts first
        (answered(429, {"retry-after-ms": "1500", "retry-after": "9"}), 1.5),
        (answered(429, {"retry-after-ms": "12.5"}), 0.0125),
        (answered(429, {"retry-after-ms": "soon", "retry-after": "9"}), 9.0),
        (answered(429, {"retry-after-ms": "-1", "retry-after": "9"}), 9.0),
        (WithHeaders({"grpc-retry-pushback-ms": "250"}), 0.25),
        # dates
        (answered(503, {"retry-after": format_datetime(NOW.replace(second=20), usegmt=True)}), 20.0),
        (answered(503, {"retry-after": format_datetime(NOW.replace(hour=11), usegmt=True)}), 0.0),  # past
        (after("Sun, 01 Mar 2026 12:00:30"), 30.0),  # no zone: UTC
        (after("Sun, 01 Mar 2026 13:00:30 +0100"), 30.0),
        (after("Sunday, 01-Mar-26 12:00:30 GMT"), 30.0),  # the older form
        # what it wraps
        (wrapped(RuntimeError("outer"), answered(429, {"retry-after": "5"})), 5.0),
        # values that make no sense are no values
        *[
            (after(garbage), None)
            for garbage in ("soon", "", "-3", "nan", "inf", "1e999", "1_000", "2026-03-01", "99 Foo 99999 1:1:1", None)
        ],
        (after("Sun, 01 Mar 2026 12:00:30 +999999999999"), None),
        (WithAttribute([1]), None),
        (WithAttribute(True), None),
        (WithHeaders(42), None),
        (Broken(), None),
        (ValueError(), None),
    ],
    ids=repr,
)
def test_the_wait_a_callee_asks_for_is_read_in_all_its_forms(error: Exception, seconds: float | None) -> None:
    assert retry_after_seconds(error, NOW) == seconds


@given(st.text() | st.binary() | st.floats() | st.integers() | st.none() | st.datetimes().map(format_datetime))
def test_whatever_stands_in_the_header_is_a_time_or_nothing(value: object) -> None:
    seconds = retry_after_seconds(after(value), NOW)

    assert seconds is None or 0 <= seconds < float("inf")


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"x-should-retry": "true"}, True),
        ({"X-Should-Retry": "FALSE"}, False),
        ({"x-should-retry": "perhaps"}, None),
        ({"grpc-retry-pushback-ms": "-1"}, False),
        ({"grpc-retry-pushback-ms": "never"}, False),
        ({"grpc-retry-pushback-ms": "0"}, None),
        ({"retry-after": "-1"}, None),
        ({}, None),
    ],
    ids=repr,
)
def test_the_callee_may_say_itself_whether_to_come_back(headers: dict[str, str], wanted: bool | None) -> None:
    assert wants_another(answered(429, headers)) is wanted
