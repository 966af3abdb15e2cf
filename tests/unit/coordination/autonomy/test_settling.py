"""Results are decided about at the sync point of their phase: they proceed, or a person is asked (X6, X7)."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Autonomy, Handoffs, Job, Outcome, Oversight, Resilience, Verdict, agent
from echelon.coordination.job_run import run_phases
from echelon.model.autonomy.terms import Band
from echelon.model.concern import Route
from echelon.model.run import RunView
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio


class Claims(BaseModel):
    """What is said, with how sure its agent is, and whether it is right."""

    sure: tuple[float, ...] = (0.9,)
    right: tuple[bool, ...] = (True,)


class Claim(BaseModel):
    id: str
    sure: float
    right: bool


def claims(inputs: Claims) -> list[Claim]:
    pairs = zip(inputs.sure, inputs.right, strict=True)
    return [Claim(id=f"c{number}", sure=sure, right=right) for number, (sure, right) in enumerate(pairs)]


@agent
async def say(claim: Claim) -> Outcome[str]:
    """Say something."""
    return Outcome(output="right" if claim.right else "wrong", confidence=claim.sure)


def is_right(output: str) -> str:
    return "" if output == "right" else "that is not so"


def a_job(oversight: Oversight | None = None, **phase: Any) -> Job:
    job = Job("saying", goal="Say it", inputs=Claims, oversight=oversight, defaults=Resilience(attempts=1))
    job.phase("say", each=say, over=claims, **phase)
    return job


async def a_view(job: Job, home: Path, inputs: Claims, run_id: str = "run") -> RunView:
    async with a_run(job, home, inputs, run_id=run_id) as run:
        await run_phases(run)
        return view_so_far(run)


async def test_a_stated_doubt_reaches_a_person_although_nothing_was_asked_for(tmp_path: Path) -> None:
    view = await a_view(a_job(), tmp_path, Claims(sure=(0.9, 0.3, 1.0), right=(True,) * 3))
    (record,) = view.concerns

    assert (record.source, record.concern.about, record.route) == ("autonomy", "say/c1", Route.HUMAN_REVIEW)
    assert record.concern.message == ("the result of say/c1 needs approval: the stated confidence is 0.30")
    assert view.measures.escalation_rate == pytest.approx(1 / 3)
    assert (view.missing, view.autonomy) == ((), ())


async def test_nothing_is_on_record_where_nobody_doubts(tmp_path: Path) -> None:
    async with a_run(a_job(), tmp_path, Claims(sure=(0.6, 1.0), right=(True, True))) as run:
        await run_phases(run)
        state = run.log.state

    assert (dict(state.autonomy), state.concerns) == ({}, {})


async def test_many_doubts_are_asked_about_ten_at_a_time(tmp_path: Path) -> None:
    view = await a_view(a_job(), tmp_path, Claims(sure=(0.2,) * 23, right=(True,) * 23))

    assert [len(record.concern.evidence) for record in view.concerns] == [10, 10, 3]
    assert [record.concern.about for record in view.concerns] == ["say", "say", "say"]
    assert view.approvals is not None
    assert (view.approvals.escalated, view.approvals.batches, view.approvals.waiting) == (23, 3, 23)
    assert view.measures.escalation_rate == 1.0


async def test_the_same_results_are_decided_about_once(tmp_path: Path) -> None:
    job, inputs = a_job(Oversight(autonomy=Autonomy())), Claims(sure=(0.9, 0.3), right=(True, True))
    once = await a_view(job, tmp_path, inputs)
    again = await a_view(job, tmp_path, inputs)

    assert [record.id for record in again.concerns] == [record.id for record in once.concerns]
    assert again.approvals is not None
    assert again.approvals.waiting == 2


async def test_what_no_earlier_run_has_seen_is_asked_about_and_then_known(tmp_path: Path) -> None:
    job, inputs = a_job(Oversight(autonomy=Autonomy()), success=[is_right]), Claims()
    first = await a_view(job, tmp_path, inputs, "r1")
    views = [await a_view(job, tmp_path, inputs, f"r{number}") for number in range(2, 9)]
    (standing,) = first.autonomy

    assert first.concerns[0].concern.message == (
        "the result of say/c0 needs approval: no earlier run used the present code of say"
    )
    assert (standing.band_before, standing.now.results, standing.now.accuracy) == (Band.REVIEW, 1, 1.0)
    assert [len(view.concerns) for view in views] == [1, 1, 1, 1, 0, 0, 0]
    assert [view.autonomy[0].band for view in views][-1] is Band.PROCEED


async def test_an_agent_that_is_always_sure_and_right_half_of_the_time_is_narrowed(tmp_path: Path) -> None:
    job = a_job(Oversight(autonomy=Autonomy()), success=[is_right])
    for number in range(1, 11):
        view = await a_view(job, tmp_path, Claims(sure=(0.99,), right=(number % 2 == 0,)), f"r{number}")
    (standing,) = view.autonomy

    assert standing.band is Band.ESCALATE
    assert standing.now.results == 10
    assert standing.now.accuracy == 0.5


async def test_while_a_person_is_asked_about_a_task_its_later_rounds_ask_nobody_else(tmp_path: Path) -> None:
    made: list[int] = []

    @agent
    async def draft() -> Outcome[int]:
        """Draft something."""
        made.append(1)
        return Outcome(output=len(made), confidence=0.5)

    def third(draft: Handoffs[int]) -> Verdict:
        return Verdict.accepted() if draft.outputs() == [3] else Verdict.rejected(f"{draft.outputs()} is not enough")

    job = Job("drafting", goal="Draft", defaults=Resilience(attempts=1))
    job.phase("draft", agent=draft)
    job.loop(["draft"], until=third, rounds=3)
    view = await a_view(job, tmp_path, Claims())

    assert (len(made), [record.concern.about for record in view.concerns]) == (3, ["draft/draft"])
    assert view.approvals is not None
    assert view.approvals.waiting == 1
