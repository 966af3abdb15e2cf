"""How asks are decided, by tables (F10)."""

from datetime import UTC, datetime

import pytest

from echelon.model.standing.claim import ClaimAnswer, ClaimAsk, StandingBudget, WindowBooks, decide
from echelon.model.standing.sums import Sums
from echelon.model.standing.window import window_of
from echelon.model.usage import Budget

WAITS = ClaimAnswer()


def budget(tokens: int) -> StandingBudget:
    window = window_of("day", datetime(2026, 11, 29, tzinfo=UTC), UTC)
    return StandingBudget(budget=Budget(tokens=tokens, per="day"), window=window)


def asks(*pairs: tuple[int, int]) -> list[ClaimAsk]:
    return [ClaimAsk(Sums(wanted), Sums(least)) for wanted, least in pairs]


def gets(tokens: int) -> ClaimAnswer:
    return ClaimAnswer(granted=Sums(tokens))


@pytest.mark.parametrize(
    ("spent", "reserved", "asked", "answers"),
    [
        (0, 0, [(60, 60)], [gets(60)]),
        (0, 0, [(60, 60), (60, 60)], [gets(60), WAITS]),  # 60 of 100 are held by the first
        (50, 0, [(60, 10)], [gets(50)]),  # whatever is left, since nobody holds anything
        (50, 10, [(60, 10)], [WAITS]),  # 10 may come back
        (50, 0, [(60, 60)], [ClaimAnswer(refused_by=0)]),  # 60 will never come
        (100, 0, [(1, 0)], [ClaimAnswer(refused_by=0)]),
        (101, 5, [(0, 0)], [gets(0)]),  # who needs nothing of it is not refused
        (0, 90, [(20, 20), (5, 5), (0, 0)], [WAITS, WAITS, gets(0)]),  # nobody overtakes, but who only wants to know
    ],
)
def test_an_ask_gets_what_is_left_or_waits_or_is_refused(
    spent: int, reserved: int, asked: list[tuple[int, int]], answers: list[ClaimAnswer]
) -> None:
    told = decide([budget(100)], [WindowBooks(spent=Sums(spent), reserved=Sums(reserved))], asks(*asked))

    assert list(told.answers) == answers
    assert told.books[0].reserved.tokens == reserved + sum(one.granted.tokens for one in answers if one.granted)


def test_the_tightest_of_several_budgets_decides() -> None:
    books = [WindowBooks(), WindowBooks(spent=Sums(30))]

    told = decide([budget(100), budget(50)], books, asks((60, 10), (5, 5)))

    assert told.answers == (gets(20), WAITS)
