"""A run is killed where a quota is put on record, and while it waits: whoever goes on does not call before (F10)."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.conftest import QUOTA_POINTS, Place

JOB: dict[str, Any] = {"job": "quota", "count": 5}

#: The window is noted at the third call; a process that dies before that is on record asks once more.
KNOWN = "quota.closed"


def books(place: Place, scenario: str, name: str) -> list[str]:
    """Return what the provider noted."""
    file = place.world(scenario).folder / name
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def check(place: Place, scenario: str) -> None:
    """Go on with a run to its end: all is asked for once, and what was not yet on record when it died once more."""
    ended, whole = place.errand(scenario, **JOB), place.errand("quota-whole", **JOB)

    assert replace(ended, run_id=whole.run_id) == whole
    asked = Counter(books(place, scenario, "calls"))
    assert (ended.status, set(asked)) == ("completed", {f"p{n}" for n in range(5)})
    assert max(asked.values()) <= 2


@pytest.mark.parametrize("point", QUOTA_POINTS)
def test_a_run_killed_where_the_window_closes_comes_to_the_same(place: Place, point: str) -> None:
    scenario = place.kill(f"quota-{point}", f"{point}:1", **JOB)
    check(place, scenario)

    # What is on record is known to who goes on; what is not is found out by one more call, if it is closed still.
    assert len(books(place, scenario, "early")) <= (point != KNOWN)


def test_a_run_killed_while_it_waits_does_not_call_before_the_reset(place: Place) -> None:
    listing = place.folder / "quota-waits-points"
    killed = place.errand("quota-waits", kill_behind=KNOWN, listing=str(listing), **JOB)
    assert killed.exit_code != 0
    assert len(books(place, "quota-waits", "calls")) == 2
    check(place, "quota-waits")

    assert books(place, "quota-waits", "early") == []
