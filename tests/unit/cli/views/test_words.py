from datetime import UTC, datetime

import pytest

from echelon.cli.views.words import count, duration, first, moment, percent


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (185, "3 min 5 s"), (7260, "2 h 1 min")],
)
def test_seconds_are_said_as_people_say_them(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(("number", "said"), [(0, "0 agents"), (1, "1 agent"), (1200, "1,200 agents")])
def test_a_number_agrees_with_its_noun(number, said):
    assert count(number, "agent") == said


@pytest.mark.parametrize(("share", "said"), [(None, "unknown"), (0.0, "0 %"), (0.256, "26 %")])
def test_an_unknown_share_is_never_zero(share, said):
    assert percent(share) == said


def test_a_moment_that_is_not_there_is_empty():
    assert moment(None) == ""
    assert moment(datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)).endswith(":05")


@pytest.mark.parametrize(("most", "said"), [(2, ["a", "b", "and 1 more"]), (3, ["a", "b", "c"])])
def test_a_long_list_says_how_many_more_there_are(most, said):
    assert first(["a", "b", "c"], most) == said
