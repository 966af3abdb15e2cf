"""A conflict that others have joined is the one on record; one of other work, or with another side, is not (X9)."""

import pytest

from echelon.model.conflicts.conflict import Conflict, ConflictRecord, SettledConflict, Side
from echelon.oversight.conflicts.joined import known_as
from echelon.testing.noon import NOON


def side(task: str, *agrees: str, version: str = "1", round_number: int = 0) -> Side:
    return Side(task_id=task, producer=task, version=version, says={"size": 1}, agrees=agrees, round=round_number)


def about(*sides: Side, subject: str = "File:a") -> Conflict:
    return Conflict(phase="look", subject=subject, sides=sides)


def recorded(conflict: Conflict, chosen: str = "") -> ConflictRecord:
    settled = SettledConflict(chosen=chosen, by="rule", reason="it is first", at=NOON) if chosen else None
    return ConflictRecord(id="c1", conflict=conflict, owner="primary", level="primary", at=NOON, settled=settled)


A_AND_B = about(side("a"), side("b"))


@pytest.mark.parametrize(
    ("now", "versions", "is_known"),
    [
        (about(side("a"), side("b", "c")), "1", True),  # c says what b says
        (about(side("0", "a"), side("b")), "1", True),  # who stands for a side may be another one
        (about(side("a"), side("b")), "2", False),  # both were made anew
        (about(side("a"), side("c")), "1", False),  # c is on no side of then
        (about(side("a"), side("b"), side("c")), "1", False),  # a third opinion
        (about(side("a"), side("b", "c"), subject="File:b"), "1", False),
        (about(side("a", round_number=1), side("b", round_number=2)), "1", False),  # rounds of one piece of work
    ],
)
def test_a_side_is_the_same_where_what_stood_for_it_is_on_it(now: Conflict, versions: str, is_known: bool) -> None:
    found = known_as(now, dict.fromkeys("0abc", versions), [recorded(A_AND_B)])

    assert (found is not None) == is_known
    assert found is None or (found.id, found.conflict) == ("c1", now)


def test_what_was_decided_names_its_side_of_today() -> None:
    now = about(side("0", "a"), side("b", "c"))

    found = known_as(now, dict.fromkeys("0abc", "1"), [recorded(A_AND_B, chosen="a")])

    assert found is not None
    assert found.settled is not None
    assert found.settled.chosen == "0"


def test_what_was_decided_for_a_side_that_is_not_at_hand_is_another_conflict() -> None:
    three = about(side("a"), side("b"), side("c"))

    assert known_as(A_AND_B, dict.fromkeys("abc", "1"), [recorded(three, chosen="c")]) is None
