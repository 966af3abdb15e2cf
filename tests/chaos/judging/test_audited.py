"""A run that judges its own work is killed between judging and saying so: nothing is asked or said twice (O4).

What is on record once is a concern, an audit, and the trial of a verifier.
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.conftest import JUDGE_POINTS, Place, Whole

AUDITED: dict[str, Any] = {"job": "audited", "count": 10}

#: A canary that is asked about is a step: its own end is on record before the trial is.
CANARIES = 3


@pytest.fixture(scope="session")
def whole(place: Place) -> Whole:
    return place.whole("audited", **AUDITED)


def test_a_run_that_nobody_kills_finds_the_stamp_and_the_gap(place: Place, whole: Whole) -> None:
    asked = place.world("audited").asked()

    assert (whole.ended.status, whole.ended.concerns) == ("partial", ("audit", "audit", "audit"))
    for phase in ("wrap", "label"):  # the verifier of the job, and that of the phase
        assert sum(one.startswith(phase) and "/verify/" in one for one in asked) == 10 + CANARIES
    assert asked.count("look") == 1
    assert all(whole.passages[point] for point in JUDGE_POINTS)


@pytest.mark.parametrize("point", JUDGE_POINTS)
def test_a_run_that_was_killed_there_comes_to_the_same(place: Place, whole: Whole, point: str) -> None:
    for passage in whole.ends(point):
        scenario = place.kill(f"audited-{point}-{passage}", f"{point}:{passage}", **AUDITED)
        ended, world = place.errand(scenario, **AUDITED), place.world(scenario)

        assert replace(ended, run_id=whole.ended.run_id) == whole.ended
        assert {*world.asked()} == {*place.world("audited").asked()}
        assert len(world.asked()) == len(place.world("audited").asked())  # whose result is made wrong differs by run
