"""A run that keeps what an earlier one did is killed while it keeps it, and gone on with: it keeps the same (F8)."""

from dataclasses import replace

import pytest

from tests.chaos.conftest import KEPT_POINTS, Place
from tests.chaos.jobs.shipping_job import World
from tests.chaos.victims import Ended, Errand

#: Items, and the integration of all of them.
COUNT, KEPT = 3, 4


def run(place: Place, scenario: str, world: str, at: str = "") -> tuple[Ended, list[str]]:
    """Begin a run in the journal of a scenario, or go on with it; return how it ended, and who was set to work."""
    folder = place.folder / scenario
    errand = Errand(
        job="keeping", home=str(folder / "home"), world=str(folder / world), at=at, settings=place.settings, count=COUNT
    )
    return place.nursery.run(errand), World(folder / world).asked()


@pytest.mark.parametrize("point", KEPT_POINTS)
@pytest.mark.parametrize("passage", [1, 2, KEPT])
def test_a_run_that_is_killed_while_it_keeps_work_keeps_the_rest(place: Place, point: str, passage: int) -> None:
    scenario = f"keeping-{point}-{passage}"
    first, asked = run(place, scenario, "first")
    assert len(asked) == KEPT

    killed, _ = run(place, scenario, "second", at=f"{point}:{passage}")
    ended, asked_again = run(place, scenario, "second")

    assert killed.killed
    assert asked_again == []
    assert replace(ended, run_id=first.run_id) == first
