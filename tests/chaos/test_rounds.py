"""Work that is repeated is killed at every round and every check, and gone on with: it comes to the same (X12, F8).

No round and no check that is on record is made again.
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.conftest import POINTS, ROUND_POINTS, Place, Whole

MENDING: dict[str, Any] = {"job": "mending", "count": 3}

#: Who is set to work in a run that nobody kills, each of them once.
ASKED = [
    *("fix/p0@1", "fix/p1@1", "fix/p1@2", "fix/p2@1", "fix/p2@2", "fix/p2@3"),
    *("fix/p0/until/is_fixed@1", "fix/p1/until/is_fixed@1", "fix/p1/until/is_fixed@2"),
    *("fix/p2/until/is_fixed@1", "fix/p2/until/is_fixed@2", "fix/p2/until/is_fixed@3"),
    *("pack/p0@1", "pack/p1@1", "pack/p2@1", "pack/until/are_packed@1", "pack/p1@2", "pack/until/are_packed@2"),
    "store/when/is_to_be_stored@1",
    *("draft/draft@1", "edit/edit@1", "draft+edit/until/is_polite@1"),
    *("draft/draft@2", "edit/edit@2", "draft+edit/until/is_polite@2"),
    *("draft/draft@3", "edit/edit@3", "draft+edit/until/is_polite@3"),
]


@pytest.fixture(scope="session")
def whole(place: Place) -> Whole:
    return place.whole("mended", **MENDING)


def check(place: Place, scenario: str, whole: Whole) -> None:
    """Go on with a run to its end; it must be the one that was never killed."""
    ended, world = place.errand(scenario, **MENDING), place.world(scenario)

    assert replace(ended, run_id=whole.ended.run_id) == whole.ended
    assert world.asked_again() == []
    assert {*world.asked()} == {*ASKED}


def test_a_run_that_nobody_kills_makes_every_round_and_every_check_once(place: Place, whole: Whole) -> None:
    assert whole.ended.status == "completed"
    assert sorted(place.world("mended").asked()) == sorted(ASKED)
    check(place, "mended", whole)


def test_every_round_and_every_check_can_be_killed_at(whole: Whole) -> None:
    assert {point: whole.passages[point] for point in ROUND_POINTS} == {
        "check.ended": 6 + 2 + 3,
        "phase.skipped": 1,
        "round.ended": 6,
    }


@pytest.mark.parametrize("point", ROUND_POINTS)
def test_a_run_that_was_killed_between_rounds_comes_to_the_same(place: Place, whole: Whole, point: str) -> None:
    """Killed at each of them, and once more at the first of them that the recovery passes."""
    for passage in range(1, whole.passages[point] + 1):
        scenario = place.kill(f"rounds-{point}-{passage}", f"{point}:{passage}", **MENDING)
        if passage % 2:
            place.errand(scenario, f"{point}:1", **MENDING)
        check(place, scenario, whole)


@pytest.mark.parametrize("point", POINTS)
def test_a_run_with_rounds_that_was_killed_anywhere_comes_to_the_same(place: Place, whole: Whole, point: str) -> None:
    for passage in whole.middle(point):
        scenario = place.kill(f"mending-{point}-{passage}", f"{point}:{passage}", **MENDING)
        check(place, scenario, whole)
