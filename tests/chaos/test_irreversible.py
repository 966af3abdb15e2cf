"""What cannot be undone, for a world that knows no keys, is done once, or a person is asked: at every failpoint (F8).

The person looks at what the world received, says so, and the run ends like the one that nobody killed.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chaos.conftest import EVERY_PASSAGE, GATE_POINTS, POINTS, Place, Whole
from tests.chaos.victims import Ended

#: Those that a job without a standing budget passes.
PASSED = [point for point in (*POINTS, *GATE_POINTS) if not point.startswith("standing.")]

TASKS = {"pay/p0": "p0", "pay/p1": "p1"}

#: Right before the first payment, and right behind it.
AROUND = ("claim.taken:1", "effect.done:1")

#: What each errand of this file is.
PAYMENTS: dict[str, Any] = {"job": "payments", "count": len(TASKS)}


@dataclass(frozen=True, kw_only=True)
class Paid(Whole):
    """A run that nobody killed, which paid twice."""

    around: Counter[str]
    """How often each point is passed until the first agent is done and the second one is about to begin."""


@pytest.fixture(scope="session")
def whole(place: Place) -> Paid:
    passed = place.passages("paid", **PAYMENTS)
    first, second = (at for at, point in enumerate(passed) if point == "claim.taken")
    assert passed[first : first + 2] == ["claim.taken", "effect.done"]
    return Paid(ended=place.errand("paid", **PAYMENTS), passages=Counter(passed), around=Counter(passed[:second]))


def passages(whole: Paid, point: str) -> list[str]:
    """Return where to kill: what is passed last before the second agent begins, or all when that is asked for."""
    last = whole.passages[point]
    return [f"{point}:{k}" for k in (range(1, last + 1) if EVERY_PASSAGE else [whole.around[point] or 1])]


def words_cut_off(whole: Paid, point: str) -> list[tuple[str, str]]:
    """Return where to kill first, and again at the word; each point is tried behind one of both, or all that is."""
    if not EVERY_PASSAGE:
        return [(AROUND[PASSED.index(point) % len(AROUND)], f"{point}:1")]
    return [(at, again) for at in AROUND for again in passages(whole, point)]


def word(place: Place, scenario: str, ended: Ended) -> dict[str, Any]:
    """Say what a person says who was asked, and who looks at what the world has received."""
    paid = place.world(scenario).paid()
    asked = {task: TASKS[task] for task in ended.uncertain}
    for told in ended.uncertain.values():
        assert f"echelon gates --run {ended.run_id}" in told
    return {
        "done": {task: parcel for task, parcel in asked.items() if parcel in paid},
        "redo": tuple(task for task, parcel in asked.items() if parcel not in paid),
    }


def check(place: Place, scenario: str, whole: Paid) -> None:
    """Go on with a run to its end; it must be the one that was never killed, and nothing was paid for twice."""
    ended, world = place.errand(scenario, **PAYMENTS), place.world(scenario)
    if ended.uncertain:
        assert ended.status == "waiting"
        assert len(world.paid()) == len(set(world.paid()))
        ended = place.errand(scenario, **PAYMENTS, **word(place, scenario, ended))

    assert (ended.uncertain, ended.status, ended.output) == ({}, whole.ended.status, whole.ended.output)
    assert [task for task in ended.completed if task in TASKS] == list(TASKS)
    assert set(ended.completed) == set(whole.ended.completed)
    assert sorted(world.paid()) == list(TASKS.values())
    assert world.asked_again() == []


def test_a_run_that_nobody_kills_pays_once(place: Place, whole: Paid) -> None:
    assert (whole.ended.status, whole.ended.uncertain) == ("completed", {})
    check(place, "paid", whole)


@pytest.mark.parametrize("point", PASSED)
def test_a_run_that_was_killed_pays_once_or_asks_a_person(place: Place, whole: Paid, point: str) -> None:
    for at in passages(whole, point):
        scenario = place.kill(f"paid-{at}", at, **PAYMENTS)
        check(place, scenario, whole)


@pytest.mark.parametrize("at", AROUND)
def test_a_run_that_was_killed_around_the_effect_asks_before_it_does_anything(place: Place, at: str) -> None:
    """Whether it happened or not looks the same from here, so both are asked about, and neither is done again."""
    scenario = f"asks-{at}"
    place.errand(scenario, at, **PAYMENTS)
    before = place.world(scenario).paid()
    ended = place.errand(scenario, **PAYMENTS)

    (asked,) = ended.uncertain
    assert place.world(scenario).paid() == [*before, *(parcel for task, parcel in TASKS.items() if task != asked)]


@pytest.mark.parametrize("point", PASSED)
def test_a_run_that_was_killed_again_at_the_word_of_a_person_pays_once(place: Place, whole: Paid, point: str) -> None:
    """The word is redo where nothing was paid, done where it was; it is carried out by a process that dies again."""
    for at, again in words_cut_off(whole, point):
        scenario = f"word-{at}-{again}"
        place.errand(scenario, at, **PAYMENTS)
        place.errand(scenario, again, **PAYMENTS, **word(place, scenario, place.errand(scenario, **PAYMENTS)))

        check(place, scenario, whole)
