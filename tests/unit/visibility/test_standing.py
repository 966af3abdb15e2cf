"""What people and programs read of standing budgets (F10)."""

from datetime import UTC, datetime

from echelon.model.standing.claim import StandingBudget, WindowBooks
from echelon.model.standing.sums import Sums
from echelon.model.standing.window import window_of
from echelon.model.usage import Budget
from echelon.visibility.standing import window_documents, window_lines

DAY = StandingBudget(
    budget=Budget(cost=5, tokens=9_000, per="day"), window=window_of("day", datetime(2026, 11, 29, 9, tzinfo=UTC), UTC)
)


def test_a_line_says_what_is_spent_and_left_and_what_has_no_price() -> None:
    books = WindowBooks(spent=Sums(6_000, 12, 4.98), reserved=Sums(1_000, 1, 0.01), runs=3, unpriced_tokens=70)

    [line] = window_lines([DAY], [books])

    assert line == (
        "2026-11-29, 3 runs: tokens 6,000 of 9,000 spent, 2,000 left, cost 4.98 of 5.00 spent, 0.01 left; "
        "until 2026-11-30 00:00 UTC; 70 tokens without a known price do not count"
    )


def test_a_document_has_what_is_bounded_only_and_never_less_than_nothing_left() -> None:
    [document] = window_documents([DAY], [WindowBooks(spent=Sums(9_500, 12, 1.0), runs=1)])

    assert document["bounds"] == {"tokens": 9_000, "cost": 5}
    assert document["spent"] == {"tokens": 9_500, "cost": 1.0}
    assert document["left"] == {"tokens": 0, "cost": 4.0}
