"""What somebody verified is kept with that; with another check, or another verifier, it is done and verified again."""

from pathlib import Path

import pytest

from echelon import Brief, Resilience, agent
from tests.unit.coordination.reuse.words import ASKED, Runs, Seen, Word, handed_on, reading, words

pytestmark = pytest.mark.anyio


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


@agent
async def reviewer(output: Seen) -> bool:
    """Say whether what was seen is something."""
    ASKED.append("reviewer")
    return bool(output.text)


@agent(name="reviewer")
async def closer(output: Seen) -> str:
    """Say what is missing in what was seen."""
    ASKED.append("reviewer")
    return "" if len(output.text) > 1 else "it is short"


def is_said(output: Seen) -> bool:
    return "=" in output.text


def is_said_well(output: Seen) -> str:
    return "" if output.text.count("=") == 1 else "it is said twice"


@agent
async def learn(word: Word, brief: Brief) -> Seen:
    """Look again until it is good."""
    ASKED.append("learn")
    return Seen(text="good=1" if brief.gaps else "bad")


@agent
async def judge(output: Seen) -> str:
    """Say what is missing."""
    ASKED.append("judge")
    return "" if "=" in output.text else "it is bad"


async def test_what_was_verified_is_neither_done_nor_verified_again(runs: Runs) -> None:
    await runs.run(reading(verify=reviewer), words(a="1"))
    names, view = await runs.run(reading(verify=reviewer), words(a="1"))
    kept = handed_on(view)["look/a"]

    assert names == []
    assert kept.kept_from == "run-1"
    assert kept.verification is not None
    assert kept.verification.result == "accepted"
    assert (view.launched, view.returned, view.missing) == (1, 1, ())


async def test_another_who_verifies_verifies_again(runs: Runs) -> None:
    await runs.run(reading(verify=reviewer), words(a="1"))
    names, _ = await runs.run(reading(verify=closer), words(a="1"))

    assert "reviewer" in names


async def test_what_took_two_rounds_is_kept_as_it_was_in_the_end(runs: Runs) -> None:
    job = reading(each=learn, verify=judge, resilience=Resilience(attempts=2))
    first, _ = await runs.run(job, words(a="1"))
    names, view = await runs.run(job, words(a="1"))

    assert first.count("learn") == 2
    assert names == []
    assert view.output == {"look/a": {"text": "good=1"}}


async def test_another_check_of_success_does_it_again(runs: Runs) -> None:
    await runs.run(reading(success=[is_said]), words(a="1"))
    same, _ = await runs.run(reading(success=[is_said]), words(a="1"))
    other, _ = await runs.run(reading(success=[is_said_well]), words(a="1"))

    assert (same, other) == ([], ["a"])
