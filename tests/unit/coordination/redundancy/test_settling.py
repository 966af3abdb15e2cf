"""F9: whose outputs count of those that did the same, and where they differ, by tables."""

import pytest

from echelon.coordination.redundancy.difference import QUOTED, first_difference
from echelon.coordination.redundancy.settling import Vote, settled


@pytest.mark.parametrize(
    ("votes", "failed", "replicas", "agree", "expected"),
    [
        ("", 0, 2, 1, None),
        ("1a", 0, 2, 1, (1,)),
        ("2b 1a", 0, 2, 1, (2,)),  # the first that came, not the first by number
        ("2b", 1, 2, 1, (2,)),
        ("", 2, 2, 1, ()),
        ("1a", 0, 2, 2, None),
        ("1a 2a", 0, 2, 2, (1, 2)),
        ("1a 2b", 0, 2, 2, ()),
        ("1a", 1, 2, 2, ()),
        ("", 1, 2, 2, ()),  # the other one alone cannot agree with anybody
        ("1a 2b", 0, 3, 2, None),
        ("1a 2b 3a", 0, 3, 2, (1, 3)),
        ("3a 1b 2a", 0, 3, 2, (2, 3)),
        ("1a 2b 3c", 0, 3, 2, ()),
        ("1a 2b", 1, 3, 2, ()),
        ("1a", 1, 3, 2, None),
        ("1a 2a", 0, 3, 3, None),
        ("1a 2b", 0, 3, 3, ()),  # the third need not be waited for
    ],
)
def test_a_task_is_settled_as_soon_as_enough_agree_or_cannot_any_more(
    votes: str, failed: int, replicas: int, agree: int, expected: tuple[int, ...] | None
) -> None:
    cast = [Vote(int(vote[0]), vote[1:]) for vote in votes.split()]

    assert settled(cast, failed, replicas=replicas, agree=agree) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"a": 1}, {"a": 1}, None),
        (1, 2, ("", "1", "2")),
        (1, 1.0, ("", "1", "1.0")),
        (0, False, ("", "0", "false")),
        (0.0, -0.0, ("", "0.0", "-0.0")),
        ({"a": 1, "b": 2}, {"b": 3, "a": 1}, ("b", "2", "3")),
        ({"a": 1}, {}, ("a", "1", "nothing")),
        ([1, 2], [1], ("[1]", "2", "nothing")),
        ({"f": [{"v": "ok"}, {"v": "ok"}]}, {"f": [{"v": "ok"}, {"v": "bad"}]}, ("f[1].v", '"ok"', '"bad"')),
        ({"a": {"b": 1}}, {"a": [1, 2]}, ("a", "an object", "a list of 2")),
        ("x" * 500, "y", ("", '"' + "x" * (QUOTED - 1) + '…"', '"y"')),
    ],
)
def test_the_first_difference_is_named(one: object, other: object, expected: tuple[str, str, str] | None) -> None:
    assert first_difference(one, other) == expected


def test_depth_costs_no_recursion() -> None:
    one: object = 1
    other: object = 2
    for _ in range(100_000):
        one, other = [one], [other]

    found = first_difference(one, other)

    assert found is not None
    assert (found.one, found.other) == ("1", "2")
