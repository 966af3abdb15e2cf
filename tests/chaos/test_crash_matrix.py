"""A run is killed at every failpoint, once and twice, and gone on with: nothing is lost, nothing is done twice (F8).

Side effects are judged by what the world outside received, work by what agents were asked.
"""

from dataclasses import replace

import pytest

from tests.chaos.conftest import EVERY_PASSAGE, POINTS, Place, Whole

PARCELS = ["p0", "p1", "p2", "p3", "p4"]

#: Who puts together what, in stages: teams, a domain that holds a team and more, the primary.
STAGES = ("merge/team:", "merge/domain:", "combine/domain:", "combine/primary")


@pytest.fixture(scope="session")
def whole(place: Place) -> Whole:
    return place.whole("whole", count=len(PARCELS))


def check(place: Place, scenario: str, whole: Whole) -> None:
    """Go on with a run to its end; it must be the one that was never killed."""
    ended, world = place.errand(scenario, count=len(PARCELS)), place.world(scenario)

    assert replace(ended, run_id=whole.ended.run_id) == whole.ended
    assert sorted(effect.split()[1] for effect in world.effects()) == PARCELS
    assert world.asked_again() == []


def passages(whole: Whole, point: str) -> list[str]:
    """Return the passages of a point to be killed at: a task's and an integration's, or all when that is asked for."""
    last = whole.last(point)
    return [f"{point}:{k}" for k in (range(1, last + 1) if EVERY_PASSAGE else sorted({1, last}))]


def test_a_run_that_nobody_kills_does_everything_once(place: Place, whole: Whole) -> None:
    assert whole.ended.status == "completed"
    assert (
        len(place.world("whole").asked()) == 2 * len(PARCELS) + 1
    )  # one for each parcel in two phases, and what finds those of the second
    assert whole.ended.concerns == ("send/p0", "send/p3", "track/p0", "track/p3")
    check(place, "whole", whole)


@pytest.mark.parametrize("stage", STAGES)
def test_what_agents_made_is_put_together_in_stages(whole: Whole, stage: str) -> None:
    assert any(stage in task for task in whole.ended.completed)


def test_every_failpoint_is_passed(whole: Whole) -> None:
    assert set(POINTS) - set(whole.passages) == set()


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_was_killed_comes_to_the_same(place: Place, whole: Whole, point: str) -> None:
    for at in passages(whole, point):
        scenario = place.kill(f"once-{at}", at, count=len(PARCELS))
        check(place, scenario, whole)


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_was_killed_again_while_it_recovered_comes_to_the_same(
    place: Place, whole: Whole, point: str
) -> None:
    """Killed at the same point again where the recovery passes it, else in the middle of what it passes."""
    for number, at in enumerate(passages(whole, point) if EVERY_PASSAGE else passages(whole, point)[-1:]):
        scenario = place.kill(f"twice-{at}", at, count=len(PARCELS))
        place.errand(scenario, f"{point}:1" if number % 2 else f"*:{7 + number}", count=len(PARCELS))
        check(place, scenario, whole)
