"""A run is killed while what an owner decided is counted in records of agents: each result counts once (X11, F8)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.conftest import RECOUNT_POINTS, Place, Whole

RULED: dict[str, Any] = {"job": "ruled", "count": 1}

#: Who is set to work in a run that nobody kills, each of them once.
ASKED = ["weighed/scale", "guessed/guess", "report/report", "decide Weight:p0"]

#: By record: the one that lost is wrong, the one that was chosen is right.
RECORDS = ("guess: 0 right, 1 wrong", "report: 0 right, 0 wrong", "scale: 1 right, 0 wrong")

POINTS = [*RECOUNT_POINTS, "conflict.settled", "conflict.recorded", "autonomy.decided"]


@pytest.fixture(scope="session")
def whole(place: Place) -> Whole:
    place.seed("ruled", **RULED)
    return place.whole("ruled", **RULED)


def test_a_run_that_nobody_kills_counts_what_was_decided(place: Place, whole: Whole) -> None:
    assert whole.ended.records == RECORDS
    assert sorted(place.world("ruled").asked()) == sorted(ASKED)
    assert {point for point in POINTS if not whole.passages[point]} == set()


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_was_killed_between_decision_and_record_comes_to_the_same(
    place: Place, whole: Whole, point: str
) -> None:
    for passage in whole.ends(point):
        scenario = f"ruled-{point}-{passage}"
        place.seed(scenario, **RULED)
        scenario = place.kill(scenario, f"{point}:{passage}", **RULED)
        ended, world = place.errand(scenario, **RULED), place.world(scenario)

        assert replace(ended, run_id=whole.ended.run_id) == whole.ended
        assert ({*world.asked()}, world.asked_again()) == ({*ASKED}, [])
