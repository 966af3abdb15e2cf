"""Revisions that go back and forth are counted (X5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.oversight.conflicts.damping import reactions_in


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ("", 0),
        ("a", 0),
        ("aaa", 0),  # nothing was revised
        ("abcd", 0),  # always something new
        ("aba", 1),
        ("abab", 2),
        ("abcab", 2),  # in a larger circle
        ("abbba", 1),
        ("abac", 1),
    ],
)
def test_how_often_a_version_came_back(versions: str, expected: int) -> None:
    assert reactions_in(versions) == expected


@given(st.lists(st.sampled_from("abc"), max_size=12), st.sampled_from("abcd"))
def test_one_more_round_is_at_most_one_more_reaction(versions: list[str], more: str) -> None:
    grown = reactions_in([*versions, more]) - reactions_in(versions)

    assert grown == (len(versions) > 1 and more != versions[-1] and more in versions)
