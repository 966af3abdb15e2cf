"""D10: proposals of a run inside another one, of a sample, and of tasks that are done again."""

from pathlib import Path

import pytest

from echelon import Brief, Handoffs, Job, Outcome, Proposals, Resilience, RunResult, agent
from echelon.engine.run import RunOptions, run_job
from echelon.model.run import RunStatus

pytestmark = pytest.mark.anyio

ONCE = Resilience(attempts=1)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")


@agent
def look(path: str, brief: Brief) -> str:
    """Look at a file, and propose to look behind it."""
    brief.propose_task(f"behind {path}", reason="it is odd")
    return path


@agent
def follow(goal: str) -> str:
    """Do what was proposed."""
    return goal


def decided(result: RunResult) -> dict[str, str]:
    ended = ((one.proposal.goal, one.decision) for one in result.proposals)
    return {goal: end.task_id or end.reason for goal, end in ended if end is not None}


def looking(limit: int | None = None) -> Job:
    made = Job("looking", goal="Look", defaults=ONCE)
    made.phase("look", each=look, over=lambda: ["a", "b", "c"])
    if limit is not None:
        made.phase("more", each=follow, over=Proposals(str, limit=limit), needs="look")
    return made


def outer_of(inner: Job) -> Job:
    made = Job("outer", goal="Let somebody look", defaults=ONCE)
    made.phase("inside", agent=inner)
    made.phase("outside", each=follow, over=Proposals(str), needs="inside")
    return made


async def test_what_no_phase_of_a_run_inside_takes_is_proposed_outside() -> None:
    result = await outer_of(looking()).run()

    assert decided(result) == {f"behind {one}": f"outside/behind {one}" for one in "abc"}
    first = next(one for one in result.proposals if one.proposal.goal == "behind a")
    assert first.task_id == "inside/looking"
    assert first.proposal.reason.startswith("it is odd; proposed by look/a of run looking-")
    assert first.proposal.reason.endswith("(job 'looking')")


async def test_what_a_phase_of_a_run_inside_has_decided_about_stays_there() -> None:
    result = await outer_of(looking(limit=1)).run()

    assert result.proposals == ()


async def test_a_sample_decides_about_what_was_proposed_in_it_and_the_rest_is_decided_later() -> None:
    job = looking(limit=2)
    first = await run_job(job, job.inputs_type(), RunOptions(source=job.location, sample=1))
    whole = await job.resume(first.run_id)

    assert (first.status, whole.status) == (RunStatus.WAITING, RunStatus.COMPLETED)
    ((early, task),) = decided(first).items()
    assert task == f"more/{early}"
    assert decided(whole)[early] == task
    assert sorted(decided(whole)) == ["behind a", "behind b", "behind c"]
    assert list(decided(whole).values()).count("phase 'more' takes no more than 2") == 1
    assert len(whole.output) == 2


async def test_what_a_task_proposed_stays_decided_when_it_is_done_again() -> None:
    says = ["behind"]

    @agent
    def look_again(path: str, brief: Brief) -> str:
        """Look, and propose something."""
        for word in says:
            brief.propose_task(f"{word} {path}")
        return path

    job = Job("again", goal="Look", defaults=ONCE)
    job.phase("look", each=look_again, over=lambda: ["a", "b"])
    job.phase("more", each=follow, over=Proposals(str, limit=3), needs="look")
    first = await job.run()
    says.append("below")
    again = await job.retry(first.run_id, "look/a", by="mia")

    assert decided(first) == {"behind a": "more/behind a", "behind b": "more/behind b"}
    before = {one.id: one.decision for one in first.proposals}
    assert {one.id: one.decision for one in again.proposals if one.id in before} == before
    assert [one.decision and one.decision.reason for one in again.proposals if one.id not in before] == [
        "the same is proposed already",
        "within the limit of 3 and the budget",
    ]
    assert set(again.output) == {"more/behind a", "more/behind b", "more/below a"}


async def test_next_steps_of_a_run_inside_are_handed_up_too() -> None:
    @agent
    def suggest(before: Handoffs[str]) -> Outcome[str]:
        """Suggest what is next."""
        return Outcome(output="done", next_steps=("walk on",))

    inner = looking()
    inner.phase("suggest", agent=suggest, needs="look")
    result = await outer_of(inner).run()

    assert decided(result)["walk on"] == "outside/walk on"
