"""F9: a task is done by several at the same time, or has a standby; whose handoff counts is on record."""

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import AgentFailed, Brief, Budget, Job, Outcome, Repeat, Resilience, Usage, agent, command
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.model.errors import AgentBlocked
from echelon.model.exception_report import Trigger
from echelon.model.handoff import Handoff
from echelon.model.run import StepRecord
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE, Watched, missing_in, output_of

pytestmark = pytest.mark.anyio


class Verdict(BaseModel):
    """What is delivered."""

    verdict: str
    why: str = ""


class Court:
    """Judges by their number: what each says, None for one that hangs; an error is raised."""

    def __init__(self, *says: str | Exception | None) -> None:
        self.says = list(says)
        self.asked: Counter[int] = Counter()
        self.all_at_work = asyncio.Event()

        @agent
        async def judge(brief: Brief) -> Outcome[Verdict]:
            """Say what holds."""
            number = max(1, brief.replica)
            self.asked[number] += 1
            if len(self.asked) == len(self.says):
                self.all_at_work.set()
            said = self.says[number - 1]
            if said is None:
                await asyncio.Event().wait()
            await self.all_at_work.wait()
            if isinstance(said, Exception):
                raise said
            why = f"judge {number} thinks so"
            return Outcome(output=Verdict(verdict=str(said), why=why), usage=Usage(tokens_in=10))

        self.judge = judge

    def job(self, *, defaults: Resilience = ONCE, budget: Budget | None = None, **phase: Any) -> Job:
        """Make a job in which they judge."""
        job = Job("court", goal="Say what holds", defaults=defaults, budget=budget)
        job.phase("judge", agent=self.judge, **phase)
        return job


def of_verdict(output: Verdict) -> str:
    """Compare the verdict, not the words."""
    return output.verdict


def replicas_of(run: RunContext) -> list[StepRecord]:
    """Return the replicas that ended, by their number."""
    return sorted((step for step in run.log.state.steps if step.replica), key=lambda step: step.replica)


def end_of(run: RunContext) -> Handoff:
    """Return what counts of the only task."""
    (step,) = run.log.state.latest.values()
    return step.handoff


async def test_the_first_handoff_wins_and_the_others_are_stopped(tmp_path: Path) -> None:
    court = Court(None, "guilty")
    async with a_run(court.job(replicas=2), tmp_path) as run:
        await run_phases(run)

        assert output_of(run)["verdict"] == "guilty"
        assert (view_so_far(run).launched, view_so_far(run).returned) == (1, 1)
        first, second = replicas_of(run)
        assert (first.handoff.error and first.handoff.error.kind, second.handoff.done) == ("ReplicaStopped", True)
        assert end_of(run).replicas is not None
        assert end_of(run).replicas.said == "replica 2 of 2 (judge) delivered first"
        assert end_of(run).producer == "judge/judge#2"
        assert run.log.state.at_work == {}
        assert view_so_far(run).incidents == ()
        assert view_so_far(run).exceptions == ()


async def test_what_each_of_them_used_counts_once(tmp_path: Path) -> None:
    court = Court("guilty", "guilty", None)
    async with a_run(court.job(replicas=3, agree=2, agree_on=of_verdict), tmp_path) as run:
        await run_phases(run)

        measures = view_so_far(run).measures
        assert (measures.tokens, measures.agents, measures.completed) == (20, 1, 1)
        calls = [step.handoff.usage.calls for step in replicas_of(run)]
        assert calls == [1, 1, 1]  # the one that was stopped was called, too
        assert end_of(run).usage == Usage()


async def test_a_budget_counts_every_replica(tmp_path: Path) -> None:
    court = Court("guilty", "guilty")
    court.all_at_work.set()  # the second one waits for what the first one gives back
    async with a_run(court.job(replicas=2, agree=2, agree_on=of_verdict, budget=Budget(calls=1)), tmp_path) as run:
        await run_phases(run)

        (lost,) = missing_in(run)
        assert "1 of 2 replicas failed, and 2 must deliver the same" in lost.reason
        assert "calls budget of job 'court' has 0 left" in lost.reason


@pytest.mark.parametrize(
    ("says", "agree_on", "expected"),
    [
        (("guilty", "guilty"), of_verdict, ""),
        (("guilty", "innocent"), of_verdict, 'they differ: replica 1 (judge) says "guilty", replica 2 (judge) says "i'),
        (("guilty", "innocent"), None, "they differ first at 'verdict': replica 1 (judge) says \"guilty\""),
        (("guilty", "guilty"), None, "they differ first at 'why'"),
        (("guilty", AgentFailed("ill")), of_verdict, "1 of 2 replicas failed, and 2 must deliver the same: replica 2"),
        (("a", "b"), lambda output: 1 / 0, "what must be equal of its output cannot be told: <lambda>: ZeroDivision"),
    ],
)
async def test_they_agree_or_the_task_fails_and_names_what_differs(
    tmp_path: Path, says: tuple[Any, ...], agree_on: Any, expected: str
) -> None:
    court = Court(*says)
    async with a_run(court.job(replicas=2, agree=2, agree_on=agree_on), tmp_path) as run:
        await run_phases(run)

        reasons = [lost.reason for lost in missing_in(run)]
        assert len(reasons) == bool(expected)
        assert expected in "".join(reasons)
        assert (output_of(run) is None) == bool(expected)


async def test_the_majority_decides(tmp_path: Path) -> None:
    court = Court("guilty", "innocent", "guilty")
    async with a_run(court.job(replicas=3, agree=2, agree_on=of_verdict), tmp_path) as run:
        await run_phases(run)

        assert output_of(run) == {"verdict": "guilty", "why": "judge 1 thinks so"}
        assert end_of(run).replicas is not None
        assert end_of(run).replicas.counted == (1, 3)


async def test_all_that_fail_are_named_and_the_first_error_is_what_holds(tmp_path: Path) -> None:
    court = Court(AgentBlocked("no key"), AgentFailed("ill"))
    async with a_run(court.job(replicas=2), tmp_path) as run:
        await run_phases(run)

        error = end_of(run).error
        assert error is not None
        assert (error.kind, end_of(run).status.value) == ("AgentBlocked", "blocked")
        assert "replica 1 (judge): no key; replica 2 (judge): ill" in error.message


async def test_a_standby_takes_over_from_one_that_hangs(tmp_path: Path) -> None:
    @agent
    async def deputy(brief: Brief) -> Verdict:
        """Judge instead."""
        return Verdict(verdict=f"by replica {brief.replica}")

    court = Court(None)
    async with a_run(court.job(standby=deputy, standby_after=0.01), tmp_path) as run:
        await run_phases(run)

        assert output_of(run)["verdict"] == "by replica 2"
        assert end_of(run).replicas is not None
        assert end_of(run).replicas.said == "standby deputy delivered"
        (late,) = view_so_far(run).exceptions
        assert late.trigger is Trigger.LATE
        assert "deputy takes over" in late.message


@pytest.mark.parametrize("says", ["guilty", AgentFailed("ill")])
async def test_a_standby_works_only_when_the_first_one_fails(tmp_path: Path, says: Any) -> None:
    asked: list[int] = []

    @agent
    async def deputy() -> Verdict:
        """Judge instead."""
        asked.append(1)
        return Verdict(verdict="by the deputy")

    async with a_run(Court(says).job(standby=deputy), tmp_path) as run:
        await run_phases(run)

        assert output_of(run)["verdict"] == ("guilty" if says == "guilty" else "by the deputy")
    assert len(asked) == (says != "guilty")


async def test_different_agents_do_the_same_task(tmp_path: Path) -> None:
    @agent
    async def jury() -> Verdict:
        """Judge together."""
        return Verdict(verdict="guilty", why="all of us")

    court = Court("guilty")
    job = court.job(replicas=[court.judge, jury], agree=2, agree_on=of_verdict)
    async with a_run(job, tmp_path) as run:
        await run_phases(run)

        assert [step.handoff.producer for step in replicas_of(run)] == ["judge/judge#1", "judge/judge#2"]
        assert output_of(run)["why"] == "judge 1 thinks so"


async def test_replicas_work_inside_of_rounds(tmp_path: Path) -> None:
    @agent
    async def write(brief: Brief) -> str:
        """Write."""
        return f"round {brief.round}"

    def passes(output: str) -> bool:
        return output == "round 2"

    job = Job("letters", goal="Write", defaults=ONCE)
    job.phase("write", agent=write, replicas=2, agree=2, repeat=Repeat(until=passes))
    async with a_run(job, tmp_path) as run:
        await run_phases(run)

        assert output_of(run) == "round 2"
        assert [(step.round, step.replica) for step in replicas_of(run)] == [(1, 1), (2, 1), (1, 2), (2, 2)]
    async with a_run(job, tmp_path) as run:
        await run_phases(run)

        assert len(replicas_of(run)) == 4
        assert output_of(run) == "round 2"


async def test_a_resumed_run_takes_up_what_ended_and_tells_what_it_told(tmp_path: Path) -> None:
    watched = Watched()
    court = Court(None, "guilty")
    async with a_run(court.job(replicas=2), tmp_path) as run:
        await run_phases(run)
        before = end_of(run)
    async with a_run(court.job(replicas=2), tmp_path, watch=watched) as run:
        await run_phases(run)

        assert end_of(run) == before
        assert len(replicas_of(run)) == 2
    assert court.asked == Counter({1: 1, 2: 1})
    assert not [event for event in watched.events if event.kind == "step_ended"]


async def test_a_third_replica_decides_what_two_could_not(tmp_path: Path) -> None:
    """Those on record are not asked again."""
    court = Court("guilty", "innocent")
    async with a_run(court.job(replicas=2, agree=2, agree_on=of_verdict), tmp_path) as run:
        await run_phases(run)

        assert output_of(run) is None
    court.says.append("innocent")
    async with a_run(court.job(replicas=3, agree=2, agree_on=of_verdict), tmp_path) as run:
        await run_phases(run)

        assert output_of(run)["verdict"] == "innocent"
    assert court.asked == Counter({1: 1, 2: 1, 3: 1})


async def test_the_process_of_a_command_that_lost_is_gone(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, time\n"
        "folder = pathlib.Path.cwd()\n"
        "pathlib.Path(r'{there}', str(os.getpid())).touch()\n"
        "time.sleep(600)\n"
    ).replace("{there}", str(tmp_path))
    slow = command([sys.executable, "-c", script.replace("{", "{{").replace("}", "}}")], name="slow", output=str)

    @agent
    async def quick() -> str:
        """Wait until the other one is at work."""
        while not [one for one in tmp_path.iterdir() if one.name.isdecimal()]:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
        return "quick"

    job = Job("race", goal="Be first", defaults=ONCE)
    job.phase("race", agent=slow, replicas=[slow, quick])
    async with a_run(job, tmp_path / "home") as run:
        await run_phases(run)

        assert output_of(run) == "quick"
        assert run.log.state.at_work == {}
    (pid,) = [int(one.name) for one in tmp_path.iterdir() if one.name.isdecimal()]
    assert not Path(f"/proc/{pid}").exists()
