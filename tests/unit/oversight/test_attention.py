"""V7, O11: of many concerns a person sees all that is critical, and a few lines of every other level."""

from echelon.model.concern import Route
from echelon.oversight.attention import LINES_A_LEVEL, levels_of
from tests.unit.oversight.building import raised


def test_every_critical_one_is_shown_once_whatever_else_there_is():
    noise = [raised(f"odd {number}", impact=0.1, source="look/a") for number in range(500)]
    critical = [raised(f"lost {number % 20}", confidence=0.9, source="look/a") for number in range(60)]

    now, log = levels_of([*noise, *critical])

    assert (now.route, len(now.groups), now.more) == (Route.IMMEDIATE, 20, "")
    assert all(group.times == 3 for group in now.groups)
    assert log.route is Route.PATTERN_LOG
    lines = list(log.lines)
    assert len(lines) == LINES_A_LEVEL
    assert lines[-1] == "and 493 more of look/a: echelon concerns --run r1 --all"


def test_nothing_is_lost_between_what_is_shown_and_what_is_counted():
    sources = ["a"] * 20 + ["b"] * 10 + ["c"] * 5
    known = [raised(f"odd {number}", impact=0.1, source=one) for number, one in enumerate(sources)]

    (level,) = levels_of(known)

    assert sum(group.times for group in level.groups) == 7
    assert level.more == "and 13 more of a, 10 more of b, 5 more of others: echelon concerns --run r1 --all"


def test_what_fits_is_shown_in_full():
    (level,) = levels_of([raised(f"odd {number}", impact=0.1) for number in range(LINES_A_LEVEL)])

    assert (len(level.groups), level.more) == (LINES_A_LEVEL, "")
