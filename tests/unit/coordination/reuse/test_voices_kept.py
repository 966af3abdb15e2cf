"""What a kept step said is said in this run too: no run looks clean because an earlier one was read (D10, O1)."""

from pathlib import Path

import pytest

from echelon import Brief, Proposals, agent
from tests.unit.coordination.reuse.words import ASKED, Runs, Seen, Word, reading, words

pytestmark = pytest.mark.anyio


@agent
async def wonder(word: Word, brief: Brief) -> Seen:
    """Look at a word, and wonder about it."""
    ASKED.append(word.id)
    brief.raise_concern(f"{word.id} is odd")
    brief.propose_task(f"look up {word.id}")
    return Seen(text=f"{word.id}={word.digest}")


@agent
async def look_up(goal: str) -> str:
    """Look something up."""
    ASKED.append(goal)
    return goal


async def test_what_a_kept_step_proposed_is_proposed_again(tmp_path: Path) -> None:
    runs, job = Runs(tmp_path), reading(each=wonder)
    job.phase("more", each=look_up, over=Proposals(str), needs="look")
    await runs.run(job, words(a="1"))
    names, view = await runs.run(job, words(a="1"))

    assert names == ["look up a"]
    assert [record.concern.message for record in view.concerns] == ["a is odd"]
    assert [(one.proposal.goal, one.decision and one.decision.taken) for one in view.proposals] == [("look up a", True)]


@pytest.mark.parametrize("times", [2, 4])
async def test_however_often_it_is_kept(tmp_path: Path, times: int) -> None:
    runs = Runs(tmp_path)
    for _ in range(times):
        _, view = await runs.run(reading(each=wonder), words(a="1", b="1"))

    assert sorted(one.proposal.goal for one in view.proposals) == ["look up a", "look up b"]
