"""Agents that speak are killed wherever they stand: what they said is on record, each thing once (X15, O1, D10)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.conftest import POINTS, VOICE_POINTS, Place, Whole

VOICED: dict[str, Any] = {"job": "voiced"}

AGENTS = ("ask", "call", "crunch", "think", "wait")


@pytest.fixture(scope="session")
def whole(place: Place) -> Whole:
    return place.whole("voiced", **VOICED)


def check(place: Place, scenario: str, whole: Whole) -> None:
    """Go on with a run to its end; what was said in it is what was said in one that was never killed."""
    ended = place.errand(scenario, **VOICED)

    assert replace(ended, run_id=whole.ended.run_id) == whole.ended
    assert place.world(scenario).asked_again() == []


def test_a_run_that_nobody_kills_says_everything_once(place: Place, whole: Whole) -> None:
    twice = sorted(f"say/{name}" for name in AGENTS for _ in range(1 if name == "ask" else 2))
    assert list(whole.ended.concerns) == twice
    assert len(whole.ended.proposals) == len(AGENTS)
    assert sum(one.endswith("True") for one in whole.ended.proposals) == 3
    check(place, "voiced", whole)


def test_every_boundary_of_a_voice_is_passed(whole: Whole) -> None:
    assert set(VOICE_POINTS) - set(whole.passages) == set()


@pytest.mark.parametrize("point", VOICE_POINTS)
def test_an_agent_that_was_killed_has_said_it(place: Place, whole: Whole, point: str) -> None:
    """Killed at each passage, and once more at the first one that the recovery passes."""
    for passage in whole.ends(point):
        scenario = place.kill(f"voice-{point}-{passage}", f"{point}:{passage}", **VOICED)
        if passage % 2:
            place.errand(scenario, f"{point}:1", **VOICED)
        check(place, scenario, whole)


@pytest.mark.parametrize("point", POINTS)
def test_a_run_with_voices_that_was_killed_anywhere_comes_to_the_same(place: Place, whole: Whole, point: str) -> None:
    for passage in whole.middle(point):
        scenario = place.kill(f"voiced-{point}-{passage}", f"{point}:{passage}", **VOICED)
        check(place, scenario, whole)
