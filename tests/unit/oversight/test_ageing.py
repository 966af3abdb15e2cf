"""O1: open concerns age, and people are reminded of those that are open for too long."""

import pytest

from echelon.oversight.ageing import counted, earlier_line, is_overdue, overdue_line
from tests.unit.oversight.building import ended, hours, raised, taken_back

IMMEDIATE, HUMAN, NORMAL, LOG = (
    raised(confidence=sure, impact=bad) for sure, bad in ((0.9, 0.9), (0.2, 0.9), (0.9, 0.2), (0.2, 0.2))
)


@pytest.mark.parametrize(
    ("record", "after", "overdue"),
    [
        (IMMEDIATE, 1, False),
        (IMMEDIATE, 1.01, True),
        (HUMAN, 24, False),
        (HUMAN, 24.01, True),
        (NORMAL, 7 * 24, False),
        (NORMAL, 7 * 24 + 1, True),
        (LOG, 10_000, False),
        (ended(IMMEDIATE), 10, False),
        (taken_back(ended(IMMEDIATE), at=9), 9.5, False),  # it waits anew
        (taken_back(ended(IMMEDIATE), at=9), 10.5, True),
    ],
)
def test_how_long_one_may_be_open(record, after, overdue):
    assert is_overdue(record, hours(after)) is overdue


def test_what_waits_is_counted_with_the_age_of_the_oldest():
    known = [IMMEDIATE, raised(at=70, impact=0.9), LOG, ended(HUMAN)]

    assert (
        overdue_line(known, hours(72))
        == "2 concerns wait for a person, 1 overdue, the oldest for 3 days: echelon concerns"
    )
    assert earlier_line(known, hours(72)) == (
        "2 concerns of earlier runs are still open, the oldest for 3 days: echelon concerns"
    )
    assert counted(known, hours(72)).model_dump() == {"open": 2, "overdue": 1, "oldest_seconds": 72 * 3600}


def test_where_nothing_waits_nothing_is_said():
    assert (overdue_line([LOG, ended(HUMAN)], hours(1)), earlier_line([], hours(1))) == ("", "")
