"""A run is killed while conflicts are found, settled and raised: each is found, decided and raised once (X9, F8)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.conftest import CONFLICT_POINTS, WAVE_POINTS, Place, Whole

CONFLICTING: dict[str, Any] = {"job": "conflicting", "count": 2}

#: Who is set to work in a run that nobody kills, each of them once.
ASKED = ["weigh/p0", "weigh/p1", "decide Weight:light", "decide Weight:odd"]


@pytest.fixture(scope="session")
def whole(place: Place) -> Whole:
    return place.whole("conflicting", **CONFLICTING)


def test_a_run_that_nobody_kills_decides_once_and_raises_the_rest(place: Place, whole: Whole) -> None:
    assert (whole.ended.status, whole.ended.concerns) == ("partial", ("primary",))
    assert sorted(place.world("conflicting").asked()) == sorted(ASKED)
    assert {point for point in CONFLICT_POINTS if not whole.passages[point]} == set()


@pytest.mark.parametrize("point", CONFLICT_POINTS)
def test_a_run_that_was_killed_between_conflict_and_decision_comes_to_the_same(
    place: Place, whole: Whole, point: str
) -> None:
    for passage in range(1, whole.passages[point] + 1):
        scenario = place.kill(f"conflicting-{point}-{passage}", f"{point}:{passage}", **CONFLICTING)
        ended, world = place.errand(scenario, **CONFLICTING), place.world(scenario)

        assert replace(ended, run_id=whole.ended.run_id) == whole.ended
        assert ({*world.asked()}, world.asked_again()) == ({*ASKED}, [])


ALTERNATING: dict[str, Any] = {"job": "alternating", "count": 1}

#: Four rounds: the two versions in turn, and the owner.
WRAPPED = ["wrap/p0@1", "wrap/p0@2", "wrap/p0@3", "wrap/p0@4", "decide wrap/p0"]


@pytest.fixture(scope="session")
def alternating(place: Place) -> Whole:
    return place.whole("alternating", **ALTERNATING)


@pytest.mark.parametrize(
    "point", ["round.ended", "check.ended", "conflict.found", "conflict.settled", "conflict.recorded"]
)
def test_work_that_goes_back_and_forth_is_ended_and_decided_once(place: Place, alternating: Whole, point: str) -> None:
    assert sorted(place.world("alternating").asked()) == sorted(WRAPPED)
    assert alternating.passages[point] > 0
    for passage in range(1, alternating.passages[point] + 1):
        scenario = place.kill(f"alternating-{point}-{passage}", f"{point}:{passage}", **ALTERNATING)
        ended, world = place.errand(scenario, **ALTERNATING), place.world(scenario)

        assert replace(ended, run_id=alternating.ended.run_id) == alternating.ended
        assert ({*world.asked()}, world.asked_again()) == ({*WRAPPED}, [])


DISPUTED: dict[str, Any] = {"job": "disputed", "count": 5}

#: Who is set to work in a run that nobody kills, each of them once.
ASKED_BETWEEN_WAVES = [
    *(f"gauge/p{number}" for number in range(5)),
    *(f"decide Weight:{name} ['gauge/p0', 'gauge/p1']" for name in ("light", "odd")),
    "decide Weight:light ['gauge/p0', 'gauge/p3']",
    "decide Weight:odd ['gauge/p0', 'gauge/p1', 'gauge/p3']",
]

#: Something else than whether there is enough, and than putting together early, ends these waves.
POINTS_PASSED = sorted({*CONFLICT_POINTS, *WAVE_POINTS} - {"wave.asked", "wave.integrated"})


@pytest.fixture(scope="session")
def disputed(place: Place) -> Whole:
    return place.whole("disputed", **DISPUTED)


def test_a_contradiction_ends_a_wave_and_is_decided_before_the_next(place: Place, disputed: Whole) -> None:
    assert disputed.ended.status == "partial"
    assert sorted(place.world("disputed").asked()) == sorted(ASKED_BETWEEN_WAVES)
    assert disputed.passages["wave.ended"] == 3
    assert {point for point in POINTS_PASSED if not disputed.passages[point]} == set()


@pytest.mark.parametrize("point", POINTS_PASSED)
def test_a_run_that_was_killed_between_contradiction_and_decision_comes_to_the_same(
    place: Place, disputed: Whole, point: str
) -> None:
    for passage in range(1, disputed.passages[point] + 1):
        scenario = place.kill(f"disputed-{point}-{passage}", f"{point}:{passage}", **DISPUTED)
        ended, world = place.errand(scenario, **DISPUTED), place.world(scenario)

        assert replace(ended, run_id=disputed.ended.run_id) == disputed.ended
        assert ({*world.asked()}, world.asked_again()) == ({*ASKED_BETWEEN_WAVES}, [])
