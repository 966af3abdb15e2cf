"""What is known of a result when it is decided about: domains it reaches into, budgets, what stands in, who made it."""

from pathlib import Path
from typing import Any

import pytest

from echelon import (
    AgentFailed,
    Autonomy,
    Budget,
    Fallback,
    Handoffs,
    Job,
    Outcome,
    Oversight,
    Repeat,
    Resilience,
    Rounds,
    TaskSpec,
    Usage,
    agent,
    integrator,
)
from echelon.coordination.job_run import run_phases
from echelon.model.autonomy.decisions import ResultDecision
from echelon.model.autonomy.track import NOT_STATED, Track
from echelon.model.graph import TaskGraph
from echelon.model.run import RunView
from echelon.runlog.state import RunState
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio

TRUST = Oversight(autonomy=Autonomy())


def a_job(**given: Any) -> Job:
    return Job("situations", goal="Do it", **{"defaults": Resilience(attempts=1), "oversight": TRUST} | given)


async def worked(job: Job, home: Path, run_id: str = "r1") -> tuple[RunState, RunView]:
    async with a_run(job, home, run_id=run_id) as run:
        await run_phases(run)
        return run.log.state, view_so_far(run)


def decisions(state: RunState) -> dict[str, ResultDecision]:
    return {one.task_id: one for event in state.autonomy.values() for one in event.decisions}


def graph_job(*, crossing: bool) -> Job:
    tasks = (
        TaskSpec(id="rates", goal="rates", domain="tax"),
        TaskSpec(id="form", goal="form", domain="tax", depends_on=({"task": "rates", "coupling": "loose"},)),
        TaskSpec(
            id="bill", goal="bill", domain="billing", depends_on=({"task": "rates", "coupling": "loose"},) * crossing
        ),
    )

    @agent
    async def do(task: TaskSpec) -> str:
        """Do a task."""
        return task.id

    job = Job.from_graph(TaskGraph(name="books", goal="Keep books", tasks=tasks), agents={"*": do})
    job.oversight = TRUST
    return job


@pytest.mark.parametrize("crossing", [False, True])
async def test_what_another_domain_uses_is_asked_about(tmp_path: Path, crossing: bool) -> None:
    job = graph_job(crossing=crossing)
    await worked(job, tmp_path, "r1")
    state, _ = await worked(job, tmp_path, "r2")
    reasons = decisions(state)["rates"].reasons

    assert ("it reaches into billing" in reasons) is crossing
    assert decisions(state)["form"].reasons == ("its agent has no record yet",)


async def test_what_used_more_than_its_budget_is_asked_about(tmp_path: Path) -> None:
    @agent(resilience=Resilience(budget=Budget(tokens=100)))
    async def think() -> Outcome[str]:
        """Think."""
        return Outcome(output="done", usage=Usage(tokens_in=90, tokens_out=30, calls=1))

    job = a_job()
    job.phase("think", agent=think)
    await worked(job, tmp_path, "r1")
    state, _ = await worked(job, tmp_path, "r2")

    assert decisions(state)["think/think"].reasons == ("it used more tokens than its budget",)


async def test_what_stands_in_counts_for_nobody_and_is_asked_about(tmp_path: Path) -> None:
    @agent(fallback=Fallback.default("nothing"))
    async def fail() -> str:
        """Fail."""
        raise AgentFailed("no")

    job = a_job()
    job.phase("fail", agent=fail)
    state, view = await worked(job, tmp_path)
    (found,) = decisions(state).values()

    assert (found.reasons, found.estimate) == (("not the work itself: the default value stands in",), 0.0)
    assert view.autonomy == ()


async def test_an_integration_that_its_author_doubts_is_asked_about(tmp_path: Path) -> None:
    @agent
    async def look(item: int) -> int:
        """Look."""
        return item

    @integrator
    async def total(seen: Handoffs[int]) -> Outcome[int]:
        """Add up."""
        return Outcome(output=sum(seen.outputs()), confidence=0.4)

    job = a_job(oversight=None)
    job.phase("look", each=look, over=lambda: [1, 2], integrate=total)
    _, view = await worked(job, tmp_path)

    assert [record.concern.about for record in view.concerns] == ["look/merge/primary"]


async def test_a_new_kind_of_work_of_a_known_agent_is_new(tmp_path: Path) -> None:
    @agent
    async def look(item: Any) -> str:
        """Look."""
        return f"{item}"

    def job_over(*items: Any) -> Job:
        job = a_job()
        job.phase("look", each=look, over=lambda: list(items), success=[bool_of])
        return job

    await worked(job_over(1), tmp_path, "r1")
    state, _ = await worked(job_over(1, "a"), tmp_path, "r2")
    found = decisions(state)

    assert found["look/a"].reasons == ("look has not made str@1.0 of str in an earlier run",)
    assert "look/1" not in found or "earlier run" not in " ".join(found["look/1"].reasons)


def bool_of(output: str) -> bool:
    return bool(output)


@agent
async def improve(rounds: Rounds[str]) -> Outcome[str]:
    """Write something, better each time, and surer."""
    return Outcome(output=f"version {len(rounds) + 1}", confidence=0.75 if rounds else 0.95)


def second(output: str) -> str:
    return "" if output.endswith("2") else "make it better"


@pytest.mark.parametrize("phase", [{"verify": second}, {"repeat": Repeat(until=second, rounds=3)}])
async def test_each_round_that_was_rejected_counts_with_what_was_said_of_it(
    tmp_path: Path, phase: dict[str, Any]
) -> None:
    job = a_job(defaults=Resilience(attempts=3, backoff_seconds=0.001))
    job.phase("improve", agent=improve, **phase)
    _, view = await worked(job, tmp_path)
    _, again = await worked(job, tmp_path)

    assert view.autonomy[0].now == Track.of(0.95, right=False) + Track.of(0.75, right=True)
    assert again.autonomy == view.autonomy


async def test_each_attempt_that_a_check_rejected_counts(tmp_path: Path) -> None:
    tried: list[int] = []

    @agent
    async def attempt() -> Outcome[int]:
        """Try."""
        tried.append(1)
        return Outcome(output=len(tried), confidence=0.9)

    def enough(output: int) -> bool:
        return output >= 3

    job = a_job(defaults=Resilience(attempts=5, backoff_seconds=0.001))
    job.phase("attempt", agent=attempt, success=[enough])
    _, view = await worked(job, tmp_path)
    now = view.autonomy[0].now

    assert (now.results, sum(now.right), sum(now.wrong)) == (3, 1, 2)
    assert now.brier == pytest.approx((0.1**2 + 2 * 0.9**2) / 3)
    assert now.right[NOT_STATED] == now.wrong[NOT_STATED] == 0
