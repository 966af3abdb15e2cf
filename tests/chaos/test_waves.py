"""A phase in waves is killed at every light sync point, and gone on with: it comes to the same (X3, F8).

Nothing that is on record is done again, no wave is counted twice, and what was enough before stays enough.
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.conftest import POINTS, WAVE_POINTS, Place, Whole

WAVY: dict[str, Any] = {"job": "wavy", "count": 9}


@pytest.fixture(scope="session")
def whole(place: Place) -> Whole:
    return place.whole("wavy", **WAVY)


def check(place: Place, scenario: str, whole: Whole) -> None:
    """Go on with a run to its end; it must be the one that was never killed."""
    ended, world = place.errand(scenario, **WAVY), place.world(scenario)

    assert replace(ended, run_id=whole.ended.run_id) == whole.ended
    assert world.asked_again() == []
    assert len(world.effects()) == WEIGHED


#: Of nine parcels: a wave of two that something urgent ends, and then two of three would be one too many.
WEIGHED = 5


def test_a_run_that_nobody_kills_weighs_what_is_enough(place: Place, whole: Whole) -> None:
    assert whole.ended.status == "partial"  # one of them does not fit
    assert len(place.world("wavy").effects()) == WEIGHED
    check(place, "wavy", whole)


def test_what_a_domain_did_is_put_together_before_the_last_wave(place: Place, whole: Whole) -> None:
    asked = place.world("wavy").asked()
    together = [place for place, who in enumerate(asked) if who.startswith("stack/merge/")]
    tasks = [place for place, who in enumerate(asked) if who.startswith("stack/p")]
    assert whole.passages["wave.integrated"] > 0
    assert min(together) < max(tasks)


def test_every_light_sync_point_can_be_killed_at(whole: Whole) -> None:
    assert all(whole.passages[point] for point in WAVE_POINTS)


@pytest.mark.parametrize("point", WAVE_POINTS)
def test_a_run_that_was_killed_between_waves_comes_to_the_same(place: Place, whole: Whole, point: str) -> None:
    """Killed at each of them, and once more at the first of them that the recovery passes."""
    for passage in range(1, whole.passages[point] + 1):
        scenario = place.kill(f"waves-{point}-{passage}", f"{point}:{passage}", **WAVY)
        if passage % 2:
            place.errand(scenario, f"{point}:1", **WAVY)
        check(place, scenario, whole)


@pytest.mark.parametrize("point", POINTS)
def test_a_run_in_waves_that_was_killed_anywhere_comes_to_the_same(place: Place, whole: Whole, point: str) -> None:
    for passage in whole.middle(point):
        scenario = place.kill(f"wavy-{point}-{passage}", f"{point}:{passage}", **WAVY)
        check(place, scenario, whole)
