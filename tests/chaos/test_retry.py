"""A run of which something is done again is killed at every failpoint, and gone on with: it comes to the same (F8).

What is done again and was on record by then is not done once more; the world gets one new order for what writes, and
pays once more for what a person lets happen twice.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.conftest import EVERY_PASSAGE, POINTS, RETRY_POINTS, Place, Whole

#: One that changes the world, two that only look, and what integrates at the top of a phase.
AGAIN = ("send/p0", "track/p[13]", "send/combine/primary")

#: What is found on the way is not found anew, and drift not said again: what both follow from has not changed.
PASSED = [point for point in POINTS if not point.startswith(("plan.", "standing.", "drift."))]

SHIPPING: dict[str, Any] = {"count": 5}
RETRY: dict[str, Any] = {**SHIPPING, "retry": AGAIN}

#: What the world gets of that.
PARCELS = ["p0", "p0", "p1", "p2", "p3", "p4"]

#: A payment that a person lets happen twice.
PAYMENTS: dict[str, Any] = {"job": "payments", "count": 2}
PAY_AGAIN: dict[str, Any] = {**PAYMENTS, "retry": ("pay/p0",), "redo": ("pay/p0",)}


@pytest.fixture(scope="session")
def whole(place: Place) -> Whole:
    place.errand("retried", **SHIPPING)
    return place.whole("retried", **RETRY)


def passages(whole: Whole, point: str) -> list[str]:
    """Return where to kill: in the middle of the passages of a point, or at all of them when that is asked for."""
    last = whole.last(point)
    return [f"{point}:{k}" for k in (range(1, last + 1) if EVERY_PASSAGE else [(last + 1) // 2])]


def check(place: Place, scenario: str, whole: Whole) -> None:
    """Go on with a run to its end; it must be the one that was never killed."""
    ended, world = place.errand(scenario, **RETRY), place.world(scenario)

    assert replace(ended, run_id=whole.ended.run_id) == whole.ended
    assert sorted(effect.split()[1] for effect in world.effects()) == PARCELS
    assert world.asked_again() == []


def test_exactly_what_is_asked_for_is_done_again(place: Place, whole: Whole) -> None:
    assert whole.ended.status == "completed"
    assert Counter(place.world("retried").asked()) == Counter({
        **{f"{phase}/p{n}": 1 for phase in ("send", "track") for n in range(SHIPPING["count"])},
        "send/p0": 2, "track/p1": 2, "track/p3": 2, "track/over/of_receipt": 1,
    })  # fmt: skip
    assert Counter(whole.ended.completed)["send/combine/primary"] == 2
    check(place, "retried", whole)


def test_every_failpoint_is_passed(whole: Whole) -> None:
    assert RETRY_POINTS
    assert {*PASSED, *RETRY_POINTS} - set(whole.passages) == set()


@pytest.mark.parametrize("point", [*RETRY_POINTS, *PASSED])
def test_a_retry_that_was_killed_comes_to_the_same(place: Place, whole: Whole, point: str) -> None:
    for at in passages(whole, point):
        scenario = f"retry-{at}"
        place.errand(scenario, **SHIPPING)
        assert place.errand(scenario, at, **RETRY).killed
        check(place, scenario, whole)


@pytest.mark.parametrize("point", [*RETRY_POINTS, "claim.taken", "effect.done"])
def test_a_payment_that_may_happen_twice_happens_twice_or_a_person_is_asked(place: Place, point: str) -> None:
    scenario = f"pay-{point}"
    place.errand(scenario, **PAYMENTS)
    assert place.errand(scenario, f"{point}:1", **PAY_AGAIN).killed
    ended = place.errand(scenario, **PAY_AGAIN)
    paid = place.world(scenario).paid()
    if ended.uncertain:
        assert point not in RETRY_POINTS
        word = {"done": {"pay/p0": "p0"}} if paid.count("p0") == 2 else {"redo": ("pay/p0",)}
        ended = place.errand(scenario, **PAYMENTS, **word)

    assert (ended.status, ended.uncertain) == ("completed", {})
    assert sorted(place.world(scenario).paid()) == ["p0", "p0", "p1"]
