"""Work that is checked is killed between work and verdict: neither the work nor a verification is done again (D11, F8).

A check that is made with its work is a part of it: a crash before its verdict is a crash of the work.
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.conftest import VERDICT_POINTS, Place, Whole
from tests.chaos.jobs.mended_check_job import MENDED

CHECKED: dict[str, Any] = {"job": "checked", "count": 2}

#: Who is set to work in a run that nobody kills, each of them once.
ASKED = [
    *("wrap/p0@1", "wrap/p1@1", "wrap/p1@2"),
    *("wrap/p0/verify/is_wrapped_well@1", "wrap/p1/verify/is_wrapped_well@1", "wrap/p1/verify/is_wrapped_well@2"),
    "wrap/constraint/costs_little",
]

#: Points that only the runs below pass: nobody is asked about an empty result here, and no check has changed.
ELSEWHERE = {"probe.ended", "verdict.renewed"}

#: A crash there is one of the work itself, or of the verification, whose end is not on record.
WITHIN = {"result.made", "verdict.made"}


@pytest.fixture(scope="session")
def whole(place: Place) -> Whole:
    return place.whole("checked", **CHECKED)


def test_a_run_that_nobody_kills_asks_everybody_once(place: Place, whole: Whole) -> None:
    assert whole.ended.status == "completed"
    assert sorted(place.world("checked").asked()) == sorted(ASKED)
    assert {point for point in VERDICT_POINTS if not whole.passages[point]} == ELSEWHERE


@pytest.mark.parametrize("point", sorted({*VERDICT_POINTS} - ELSEWHERE))
def test_a_run_that_was_killed_between_work_and_verdict_comes_to_the_same(
    place: Place, whole: Whole, point: str
) -> None:
    for passage in range(1, whole.passages[point] + 1):
        scenario = place.kill(f"checked-{point}-{passage}", f"{point}:{passage}", **CHECKED)
        ended, world = place.errand(scenario, **CHECKED), place.world(scenario)

        assert replace(ended, run_id=whole.ended.run_id) == whole.ended
        assert {*world.asked()} == {*ASKED}
        assert point in WITHIN or world.asked_again() == []


PROBED: dict[str, Any] = {"job": "probed", "count": 2}

#: Who is set to work where others stand in and are verified, and where the judge is asked about an empty result.
PROBED_ASKED = [
    *("wrap/p0", "wrap/p1", "wrap/p0/verify/judge", "wrap/p1/verify/judge"),
    "wrap/verify/judge-of-nothing",
]


@pytest.fixture(scope="session")
def probed(place: Place) -> Whole:
    return place.whole("probed", **PROBED)


@pytest.mark.parametrize("point", ["probe.ended", "verification.begun", "verification.ended", "verification.recorded"])
def test_neither_who_stands_in_nor_who_verifies_that_nor_an_empty_result_is_asked_again(
    place: Place, probed: Whole, point: str
) -> None:
    assert sorted(place.world("probed").asked()) == sorted(PROBED_ASKED)
    assert probed.passages[point] > 0
    for passage in range(1, probed.passages[point] + 1):
        scenario = place.kill(f"probed-{point}-{passage}", f"{point}:{passage}", **PROBED)
        ended, world = place.errand(scenario, **PROBED), place.world(scenario)

        assert (ended.status, ended.output) == (probed.ended.status, probed.ended.output)
        assert ({*world.asked()}, world.asked_again()) == ({*PROBED_ASKED}, [])


MENDED_CHECK: dict[str, Any] = {"job": "mended-check", "count": 3}


@pytest.mark.parametrize("passage", [1, 2, 3])
def test_a_check_that_was_mended_is_made_again_and_the_work_is_not(place: Place, passage: int) -> None:
    scenario = f"mended-check-{passage}"
    unknown = place.errand(scenario, **MENDED_CHECK)
    (place.world(scenario).folder / MENDED).touch()
    killed = place.errand(scenario, f"verdict.renewed:{passage}", **MENDED_CHECK)
    ended, world = place.errand(scenario, **MENDED_CHECK), place.world(scenario)

    assert (unknown.status, killed.killed, ended.status) == ("partial", True, "completed")
    assert ended.output == unknown.output
    assert sorted(world.asked()) == ["wrap/p0", "wrap/p1", "wrap/p2"]
