"""Replicas are killed between two of them, and gone on with: it comes to the same, none that ended works again (F9).

Agents work one at a time, so that the replicas of a task end one after the other.
"""

from collections import Counter
from typing import Any

import pytest

from tests.chaos.conftest import REPLICA_POINTS, Place, Whole

REDUNDANT: dict[str, Any] = {"job": "redundant", "count": 2}


@pytest.fixture(scope="session")
def whole(place: Place) -> Whole:
    return place.whole("redundant", **REDUNDANT)


def test_a_run_that_nobody_kills_settles_every_task(place: Place, whole: Whole) -> None:
    asked = Counter(one.partition("#")[0] for one in place.world("redundant").asked())

    assert whole.ended.status == "completed"
    assert {task: number for task, number in asked.items() if task.startswith("weigh")} == {
        "weigh/p0": 3,
        "weigh/p1": 3,
    }
    assert whole.passages["replicas.settled"] == 4


@pytest.mark.parametrize("point", [*REPLICA_POINTS, "step.begun", "step.sealed", "step.recorded"])
def test_a_run_that_was_killed_between_replicas_comes_to_the_same(place: Place, whole: Whole, point: str) -> None:
    """Killed at the first, one in the middle and the last passage, and once more while it recovers."""
    most = whole.passages[point]
    for passage in sorted({1, most // 2, most} - {0}):
        scenario = place.kill(f"replicas-{point}-{passage}", f"{point}:{passage}", **REDUNDANT)
        if passage % 2:
            place.errand(scenario, f"{point}:1", **REDUNDANT)
        ended, world = place.errand(scenario, **REDUNDANT), place.world(scenario)

        assert (ended.output, ended.status) == (whole.ended.output, "completed")
        assert world.asked_again() == []
