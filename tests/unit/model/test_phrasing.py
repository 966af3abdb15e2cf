import doctest
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model import phrasing
from echelon.model.phrasing import count, duration, head, listed, moment, one_line, percent, size, spaced, truncate

UNITS = {"h": 3600, "min": 60, "s": 1}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.97, "10 s"),
        (12.4, "12 s"),
        (59.7, "1 min 0 s"),
        (119.6, "2 min 0 s"),
        (185, "3 min 5 s"),
        (3599.8, "1 h 0 min"),
        (7260, "2 h 1 min"),
    ],
)
def test_seconds_are_said_as_people_say_them(seconds, said):
    assert duration(seconds) == said


@given(st.floats(min_value=0, max_value=1e8))
def test_no_duration_has_sixty_seconds_or_minutes_and_each_is_close_to_what_was_meant(seconds: float):
    parts = [
        (float(number.replace(",", "")), unit) for number, unit in re.findall(r"([\d.,]+) (h|min|s)", duration(seconds))
    ]

    assert all(number < 60 for number, unit in parts if unit != "h")
    assert abs(sum(number * UNITS[unit] for number, unit in parts) - seconds) <= (30 if seconds >= 3599.5 else 0.5)


@given(st.floats(min_value=0, max_value=1e8))
def test_a_duration_names_each_unit_once_and_the_larger_one_first(seconds: float):
    units = re.findall(r"h|min|s", duration(seconds))

    assert units in (["s"], ["min", "s"], ["h", "min"])


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from([("task", ""), ("dependency", "dependencies")]))
def test_only_one_is_singular(number: int, noun: tuple[str, str]):
    one, many = noun
    figure, said = count(number, one, many).split(" ")

    assert int(figure.replace(",", "")) == number
    assert (said == one) is (number == 1)
    assert said in (one, many or f"{one}s")


@given(st.lists(st.text("ab", min_size=1), max_size=9), st.integers(min_value=1, max_value=9))
def test_what_is_listed_and_what_is_counted_are_everything(items: list[str], most: int):
    shown, _, rest = listed(items, most).partition(" and ")
    names = [name for name in shown.split(", ") if name]

    assert names == items[:most]
    assert len(names) + int(rest.removesuffix(" more") or 0) == len(items)


def test_items_are_listed_as_they_are_shown():
    assert listed(["a", "b", "c"], 2, repr) == "'a', 'b' and 1 more"
    assert listed(range(1500), 1) == "0 and 1,499 more"
    assert listed([1, 2], 2, between=", then ") == "1, then 2"


@given(st.text(), st.integers(min_value=1, max_value=20))
def test_a_truncated_text_is_as_long_as_allowed_and_says_that_it_goes_on(text: str, most: int):
    cut = truncate(text, most)

    assert len(cut) <= most
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


def test_a_text_on_one_line_has_single_spaces():
    assert one_line("  a\n b\t\tc ") == "a b c"
    assert one_line(ValueError("a\nb")) == "a b"


def test_a_name_is_read_with_spaces():
    assert spaced("by_capability") == "by capability"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_500, "2 KB"),
        (999_499, "999 KB"),
        (999_700, "1 MB"),
        (2e9, "2 GB"),
        (5e15, "5,000 TB"),
    ],
)
def test_bytes_are_said_in_the_unit_that_fits(number: float, said: str):
    assert size(number) == said


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
    assert head(["a", "b", "c"], most) == said


def test_the_examples_hold():
    assert doctest.testmod(phrasing).failed == 0
