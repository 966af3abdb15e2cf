"""Only the time in which somebody worked on a run is counted (F8)."""

from datetime import UTC, datetime, timedelta

import pytest

from echelon.model.session import Session, pauses, seconds_without

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def session(began: float, seen: float, ended: float | None = None) -> Session:
    return Session(
        run_id="r1",
        token=1,
        host="h",
        machine="m",
        pid=7,
        process_started=0.0,
        began=at(began),
        seen=at(seen),
        ended=None if ended is None else at(ended),
    )


@pytest.mark.parametrize(
    ("sessions", "worked", "expected"),
    [
        pytest.param([], [], [], id="F8-nobody"),
        pytest.param([session(0, 5)], [], [], id="F8-one-process"),
        pytest.param([session(0, 5, 6), session(60, 61)], [], [(6, 60)], id="F8-ended-in-order"),
        pytest.param([session(0, 5), session(60, 61)], [], [(5, 60)], id="F8-killed-last-seen"),
        pytest.param([session(0, 5), session(60, 61)], [at(4), at(7), at(99)], [(7, 60)], id="F8-killed-last-work"),
        pytest.param([session(0, 5, 6), session(6, 9)], [], [], id="F8-without-a-break"),
        pytest.param([session(0, 1, 1), session(2, 3, 3), session(9, 9)], [], [(1, 2), (3, 9)], id="F8-three"),
    ],
)
def test_a_pause_is_what_lies_between_two_processes(
    sessions: list[Session], worked: list[datetime], expected: list[tuple[float, float]]
) -> None:
    assert pauses(sessions, worked) == tuple((at(begin), at(end)) for begin, end in expected)


@pytest.mark.parametrize(
    ("began", "ended", "minutes"),
    [
        pytest.param(0, 100, 100 - 20, id="F8-around"),
        pytest.param(20, 100, 80 - 10, id="F8-from-the-middle"),
        pytest.param(0, 15, 15 - 5, id="F8-to-the-middle"),
        pytest.param(12, 18, 0, id="F8-inside"),
        pytest.param(40, 50, 10, id="F8-after"),
        pytest.param(5, 0, 0, id="F8-clocks-that-disagree"),
    ],
)
def test_a_pause_is_not_counted_where_it_lies_in_the_time_asked_for(began: int, ended: int, minutes: int) -> None:
    """The pause is from minute 10 to minute 30."""
    assert seconds_without(at(began), at(ended), [(at(10), at(30))]) == minutes * 60
