"""Runs whose results are decided about are killed between what is asked and what is on record of it (X6, X7, F8).

No peer and no lead is asked twice, and a person is asked in one concern, however often the run is taken up.
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.conftest import AUTONOMY_POINTS, Place, Whole

TRUSTED: dict[str, Any] = {"job": "trusted", "count": 3}

#: Who is set to work in a run that nobody kills, each of them once: the lead is asked about an empty result, too.
ASKED = [
    *("wrap/approve/lead-1", "wrap/approve/lead-2"),
    *("wrap/p0", "wrap/p1", "wrap/p2"),
    *("wrap/p0/verify/peer", "wrap/p1/verify/peer", "wrap/p2/verify/peer"),
    "wrap/verify/lead-of-nothing",
]

POINTS = [*AUTONOMY_POINTS, "verification.begun", "verification.ended", "verification.recorded"]


@pytest.fixture(scope="session")
def whole(place: Place) -> Whole:
    place.seed("trusted", **TRUSTED)
    return place.whole("trusted", **TRUSTED)


def test_a_run_that_nobody_kills_asks_everybody_once(place: Place, whole: Whole) -> None:
    assert sorted(place.world("trusted").asked()) == sorted(ASKED)
    assert whole.ended.concerns == ("autonomy",)
    assert {point for point in POINTS if not whole.passages[point]} == set()


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_was_killed_between_question_and_record_comes_to_the_same(
    place: Place, whole: Whole, point: str
) -> None:
    for passage in whole.ends(point):
        scenario = f"trusted-{point}-{passage}"
        place.seed(scenario, **TRUSTED)
        scenario = place.kill(scenario, f"{point}:{passage}", **TRUSTED)
        ended, world = place.errand(scenario, **TRUSTED), place.world(scenario)

        assert replace(ended, run_id=whole.ended.run_id) == whole.ended
        assert ({*world.asked()}, world.asked_again()) == ({*ASKED}, [])
