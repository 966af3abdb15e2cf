"""A run at work is watched: what goes wrong without failing is on record when it is found, once (V1, V9)."""

import asyncio
import logging
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from echelon import AgentFailed, Budget, Job, agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.watching.delays import MAX_KEPT, Delays
from echelon.coordination.watching.experience import experience_of
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.learning.learnt import Learnt, LearntAgent, LearntPhase, Spread
from echelon.model.views.rollup import MAX_LINES
from echelon.oversight.exceptions.watch import Watch
from echelon.runlog.events import ExceptionPushed
from echelon.runlog.exceptions.attention import missed_critical
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import Watched, on_record

pytestmark = pytest.mark.anyio

#: Runs of a thousand agents that are made: one in CI, five where ECHELON_TEST_WIDE_RUNS says so.
WIDE_RUNS = int(os.environ.get("ECHELON_TEST_WIDE_RUNS", "1"))

SLOW_SECONDS = 1.2


class Inputs(BaseModel):
    names: tuple[str, ...] = tuple("abcdefgh")
    slow: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()
    usual_seconds: float = 0.01
    slow_seconds: float = SLOW_SECONDS


def each_name(names: tuple[str, ...]) -> tuple[str, ...]:
    return names


@agent
async def work(item: str, inputs: Inputs) -> str:
    """Take its time, or fail."""
    await asyncio.sleep(inputs.slow_seconds if item in inputs.slow else inputs.usual_seconds)
    if item in inputs.failing:
        raise AgentFailed(f"{item} is broken")
    return item


def job_of(seconds: float | None = None, budget: Budget | None = None, name: str = "watched") -> Job:
    job = Job(name, goal="Do it", inputs=Inputs, budget=budget)
    job.phase("do", each=work, over=each_name, seconds=seconds)
    return job


async def reports(run: RunContext, *triggers: Trigger) -> list[ExceptionReport]:
    state = await on_record(run)
    return [one for one in state.exceptions if one.trigger in (triggers or tuple(Trigger))]


async def test_an_agent_that_takes_twenty_times_as_long_as_stated_is_reported_while_it_works(tmp_path: Path) -> None:
    seen = Watched()
    async with a_run(job_of(0.05), tmp_path, Inputs(slow=frozenset("c")), watch=seen) as run:
        await run_phases(run)
        task, phase = await reports(run)

    assert (task.trigger, task.level, task.tasks, task.path[-1]) == (Trigger.LATE, Level.WARNING, ("do/c",), "do/c")
    assert re.fullmatch(r"do/c is late: at work for \d\.\d s, expected 0\.1 s \(stated\)", task.message)
    assert phase.message.startswith("phase 'do' is late: ")
    kinds = [event.kind for event in seen.events]
    assert kinds.index("exception_pushed") < max(at for at, kind in enumerate(kinds) if kind == "step_ended")


async def test_nothing_is_said_of_a_run_that_goes_as_expected(tmp_path: Path) -> None:
    async with a_run(job_of(5.0, Budget(seconds=600, tokens=1000)), tmp_path, Inputs()) as run:
        await run_phases(run)

        assert await reports(run) == []


async def test_others_of_the_phase_say_what_is_late_where_nothing_is_stated(tmp_path: Path) -> None:
    async with a_run(job_of(), tmp_path, Inputs(slow=frozenset("ab"))) as run:
        await run_phases(run)
        (late,) = await reports(run)

    assert late.tasks == ("do/a", "do/b")
    assert "6 others took no longer" in late.message


async def test_earlier_runs_count_before_the_plan_unless_the_agent_has_changed(tmp_path: Path) -> None:
    usual = Spread(count=9, mean=60.0, median=60.0, p90=60.0, deviation=0.0)
    for fingerprint, late in (("", []), ("function:0:another-3", None)):
        agents = {"work": LearntAgent(fingerprint=fingerprint, seconds=usual)}
        known = Learnt(runs=9, newest="r", phases={"do": LearntPhase(seconds=usual, agents=agents)})
        async with a_run(job_of(0.05), tmp_path / fingerprint, Inputs(slow=frozenset("c"))) as made:
            run = replace(made, spec=replace(made.spec, learnt=known))
            await run_phases(run)
            if late is not None:
                assert await reports(run) == late
            assert experience_of(made) is None


async def test_a_run_that_is_resumed_pushes_nothing_again(tmp_path: Path) -> None:
    inputs, late = Inputs(slow=frozenset("c"), failing=frozenset("c")), list[ExceptionReport]()
    for _ in range(2):
        async with a_run(job_of(0.05), tmp_path, inputs) as run:
            await run_phases(run)
            late = await reports(run, Trigger.LATE)

    assert [one.about or one.tasks for one in late] == [("do/c",), "phase do"]


async def test_a_budget_that_is_nearly_used_up_is_reported_also_while_nothing_happens(tmp_path: Path) -> None:
    async with a_run(job_of(None, Budget(seconds=1.3)), tmp_path, Inputs(slow=frozenset("a"))) as run:
        await run_phases(run)
        (report,) = await reports(run, Trigger.RESOURCE)

    assert report.message.startswith("job 'watched' has used 8")
    assert report.path == ("primary",)


async def test_tasks_unlike_the_others_are_reported_at_the_sync_point(tmp_path: Path) -> None:
    names = tuple(f"n{number}" for number in range(24))
    inputs = Inputs(names=names, slow=frozenset({"n3"}), usual_seconds=0.4, slow_seconds=3.0)
    async with a_run(job_of(60.0), tmp_path, inputs) as run:
        await run_phases(run)
        (report,) = await reports(run)

    assert (report.trigger, report.tasks) == (Trigger.OUTLIER, ("do/n3",))


async def test_what_watching_measured_of_itself_is_on_record(tmp_path: Path) -> None:
    async with a_run(job_of(), tmp_path, Inputs()) as run:
        await run_phases(run)
        (measured,) = run.log.state.watches
        seen = view_so_far(run).visibility

    assert measured.seen >= 16  # at least a beginning and an end of each
    assert measured.delay_seconds is not None
    assert 0 <= measured.delay_seconds <= (measured.delay_seconds_p90 or 0) < 5
    assert 0 < measured.processor_seconds < 1
    assert seen.watching_seconds == measured.processor_seconds
    assert seen.ages[-1].seconds == measured.delay_seconds


async def test_watching_that_fails_costs_nothing_but_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Watch, "due", broken)
    with caplog.at_level(logging.ERROR, logger="echelon.coordination"):
        async with a_run(job_of(0.05), tmp_path, Inputs(slow=frozenset("c"))) as run:
            outputs = await run_phases(run)

    assert len(outputs["do"].handoffs) == 8
    assert [record.message for record in caplog.records] == ["run run is not watched any more; it goes on"]


@pytest.mark.parametrize("seed", range(WIDE_RUNS))
async def test_of_a_thousand_agents_with_exceptions_each_level_reads_eight_lines(tmp_path: Path, seed: int) -> None:
    """Five in a hundred are late or fail; people read eight lines a level, and miss nothing critical (V3, V7)."""
    names = tuple(f"n{number}" for number in range(1_000))
    odd = frozenset(names[seed::20])
    job = Job("wide", goal="Do it", inputs=Inputs, max_concurrency=100)
    job.phase("do", each=work, over=each_name, domain=lambda name: f"d{int(name[1:]) % 9}", seconds=0.05)
    inputs = Inputs(names=names, slow=frozenset(sorted(odd)[::2]), failing=frozenset(sorted(odd)[1::2]))
    seen = Watched()
    async with a_run(job, tmp_path, inputs, watch=seen) as run:
        await run_phases(run)
        view = view_so_far(run)
    levels, alerts = view.visibility.levels, view.visibility.alerts
    pushed = [event.report for event in seen.of(ExceptionPushed)]
    late = {task for report in pushed if report.trigger is Trigger.LATE for task in report.tasks}

    assert {f"do/{name}" for name in inputs.slow} <= late
    assert [len(level.lines) <= MAX_LINES for level in levels] == [True] * len(levels)
    assert len(levels) >= 3
    assert (levels[0].lines[0].counts.failed, levels[0].lines[0].counts.total) == (25, 1_000)
    assert (missed_critical(pushed, alerts.shown), alerts.missed_critical) == ((), 0)
    assert alerts.lines <= len(pushed) + len(levels)
    assert len(pushed) <= len(odd) + len(levels)  # what is late together is one message


def test_a_sample_of_delays_stays_small_and_spread_over_the_run() -> None:
    delays = Delays()
    assert delays.share(50) is None
    for number in range(10 * MAX_KEPT):
        delays.add(number / 1000 - 1)

    assert delays.seen == 10 * MAX_KEPT
    assert delays.share(50) == pytest.approx(5 * MAX_KEPT / 1000 - 1, rel=0.01)
    assert delays.share(0) == 0.0  # clocks that were set back
