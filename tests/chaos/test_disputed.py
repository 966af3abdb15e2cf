"""A run is killed while a wave ends with a contradiction: that is found, decided, raised and told once (X3, X9, F8)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.conftest import CONFLICT_POINTS, WAVE_POINTS, Place, Whole

DISPUTED: dict[str, Any] = {"job": "disputed", "count": 5}

#: Who is set to work in a run that nobody kills, each of them once.
ASKED = [
    *(f"gauge/p{number}" for number in range(5)),
    *(f"decide Weight:{name} ['gauge/p0', 'gauge/p1']" for name in ("light", "odd")),
    "decide Weight:light ['gauge/p0', 'gauge/p3']",
    "decide Weight:odd ['gauge/p0', 'gauge/p1', 'gauge/p3']",
]

#: Something else than whether there is enough, and than putting together early, ends these waves.
POINTS_PASSED = sorted({*CONFLICT_POINTS, *WAVE_POINTS} - {"wave.asked", "wave.integrated"})


@pytest.fixture(scope="module")
def whole(place: Place) -> Whole:
    return place.whole("disputed", **DISPUTED)


def test_a_run_that_nobody_kills_decides_between_waves(place: Place, whole: Whole) -> None:
    assert whole.ended.status == "partial"
    assert sorted(place.world("disputed").asked()) == sorted(ASKED)
    assert whole.passages["wave.ended"] == 3
    assert {point for point in POINTS_PASSED if not whole.passages[point]} == set()


@pytest.mark.parametrize("point", POINTS_PASSED)
def test_a_run_that_was_killed_between_contradiction_and_decision_comes_to_the_same(
    place: Place, whole: Whole, point: str
) -> None:
    for passage in range(1, whole.passages[point] + 1):
        scenario = place.kill(f"disputed-{point}-{passage}", f"{point}:{passage}", **DISPUTED)
        ended, world = place.errand(scenario, **DISPUTED), place.world(scenario)

        assert replace(ended, run_id=whole.ended.run_id) == whole.ended
        assert ({*world.asked()}, world.asked_again()) == ({*ASKED}, [])
