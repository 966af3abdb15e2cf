"""The same run is gone on with, by its id or by the flow run that Prefect retries; its time is the time worked (F8)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import AgentFailed, Job, Resilience, agent
from echelon.coordination.job_run import run_phases
from echelon.coordination.spec import utc_now
from echelon.definition.inputs import written_inputs
from echelon.engine.recording import end_dead_run, new_record
from echelon.engine.run import RunOptions, finish, prepare_run
from echelon.journal.journal import SqlJournal
from echelon.model.errors import InvalidInput, RunHeld
from echelon.model.exception_report import Trigger
from echelon.model.run import RunRecord, RunResult, RunStatus
from echelon.runlog.events import RunReopened
from echelon.settings import Settings

pytestmark = pytest.mark.anyio

#: Ids as Prefect gives them.
FLOW_RUN, OTHER_FLOW_RUN = "0a1b0000-0000-4000-8000-000000000000", "2c3d0000-0000-4000-8000-000000000000"


class Words(BaseModel):
    """Inputs of the job."""

    words: tuple[str, ...] = ("one", "two")


class Desk:
    """A job that remembers who was asked, and may be broken."""

    def __init__(self, name: str = "counting") -> None:
        self.asked: list[str] = []
        self.broken = False
        self.words: tuple[str, ...] = ()

        @agent
        async def count(item: str) -> int:
            self.asked.append(item)
            if self.broken:
                raise AgentFailed("not today")
            return len(item)

        self.job = Job(name, goal="Count", inputs=Words, defaults=Resilience(attempts=1))
        self.job.phase("count", each=count, over=self.found)

    def found(self, words: tuple[str, ...]) -> list[str]:
        """Find the items: those of the inputs, and what has come up since."""
        return [*(self.words or words)]


async def carried_out(desk: Desk, home: Path, words: Words | None = None, **options: Any) -> RunResult:
    async with prepare_run(desk.job, words or Words(), RunOptions(**options), Settings(home=home)) as run:
        return await finish(run, await run_phases(run.context))


@asynccontextmanager
async def journal_of(home: Path) -> AsyncIterator[SqlJournal]:
    async with SqlJournal.open(Settings(home=home)) as journal:
        yield journal


async def record_of(home: Path, run_id: str) -> RunRecord:
    async with journal_of(home) as journal:
        return await journal.run(run_id)


async def test_an_id_that_is_not_on_record_names_a_new_run_and_the_next_time_the_same(tmp_path: Path) -> None:
    desk = Desk()
    first = await carried_out(desk, tmp_path, run_id="nightly-2026-05-04")
    second = await carried_out(desk, tmp_path, run_id="nightly-2026-05-04")

    assert first.run_id == second.run_id == "nightly-2026-05-04"
    assert desk.asked == ["one", "two"]


@pytest.mark.parametrize("run_id", ["../up", "", "a b", "-x", "x" * 129])
async def test_an_id_that_cannot_name_a_folder_is_refused(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be used"):
        await carried_out(Desk(), tmp_path, run_id=run_id)


async def test_a_run_is_not_gone_on_with_by_another_job(tmp_path: Path) -> None:
    await carried_out(Desk(), tmp_path, run_id="mine")

    with pytest.raises(InvalidInput, match=r"run 'mine' is one of job 'counting', not of 'other'"):
        await carried_out(Desk("other"), tmp_path, run_id="mine")


async def test_a_flow_run_that_prefect_tries_again_goes_on_with_its_run(tmp_path: Path) -> None:
    desk = Desk()
    desk.broken = True
    first = await carried_out(desk, tmp_path, flow_run_id=FLOW_RUN)
    desk.broken = False
    second = await carried_out(desk, tmp_path, flow_run_id=FLOW_RUN)
    other = await carried_out(desk, tmp_path, flow_run_id=OTHER_FLOW_RUN)

    assert (first.status, second.status) == (RunStatus.FAILED, RunStatus.COMPLETED)
    assert first.run_id == second.run_id != other.run_id
    assert (await record_of(tmp_path, second.run_id)).flow_run_id == FLOW_RUN


async def test_a_run_that_is_at_work_is_not_begun_a_second_time(tmp_path: Path) -> None:
    desk = Desk()
    async with prepare_run(desk.job, Words(), RunOptions(run_id="r"), Settings(home=tmp_path)):
        with pytest.raises(RunHeld, match="run 'r' is held by process"):
            await carried_out(desk, tmp_path, run_id="r")

    assert desk.asked == []


async def test_looking_at_a_completed_run_again_moves_neither_its_end_nor_its_measures(tmp_path: Path) -> None:
    desk = Desk()
    first = await carried_out(desk, tmp_path, run_id="r")
    ended = (await record_of(tmp_path, "r")).finished
    await asyncio.sleep(0.02)
    second = await carried_out(desk, tmp_path, run_id="r")

    assert (await record_of(tmp_path, "r")).finished == ended
    # How long its sync points took is seen anew; all else is as it was.
    assert (
        second.measures.model_copy(update={"coordination_ratio": first.measures.coordination_ratio}) == first.measures
    )
    assert second.status is RunStatus.COMPLETED


async def test_the_time_between_two_processes_is_not_worked(tmp_path: Path) -> None:
    desk = Desk()
    desk.broken = True
    await carried_out(desk, tmp_path, run_id="r")
    await asyncio.sleep(1.0)
    desk.broken = False
    result = await carried_out(desk, tmp_path, run_id="r")
    record = await record_of(tmp_path, "r")

    assert record.finished is not None
    assert record.finished - record.started > timedelta(seconds=1)
    assert result.measures.seconds < (record.finished - record.started).total_seconds() - 0.99
    assert result.measures.makespan_seconds is not None
    assert result.measures.makespan_seconds <= result.measures.seconds


async def test_a_plan_that_has_changed_is_told_and_put_on_record(tmp_path: Path) -> None:
    desk = Desk()
    await carried_out(desk, tmp_path, run_id="r")
    desk.words = ("two", "three", "four")
    result = await carried_out(desk, tmp_path, run_id="r")
    record = await record_of(tmp_path, "r")

    told = [report.message for report in result.exceptions if report.trigger is Trigger.RENEWED]
    assert told[0] == "the plan has changed since the run was begun: 2 tasks are new, 1 are gone, 1 are in both"
    assert record.plan is not None
    assert [task.id for task in record.plan.tasks] == ["count/two", "count/three", "count/four"]


async def test_a_run_is_not_resumed_with_other_inputs(tmp_path: Path) -> None:
    """What is on record belongs to the inputs it was made from."""
    await carried_out(Desk(), tmp_path, run_id="r")

    with pytest.raises(InvalidInput, match="run 'r' was started with other inputs"):
        await carried_out(Desk(), tmp_path, Words(words=("two", "three")), run_id="r")


async def test_runs_that_begin_in_one_second_have_names_of_their_own() -> None:
    """Of 16 random bits, one in 14 seconds with 100 runs gave a name twice."""
    job, plan, written = Desk().job, Desk().job.plan(), written_inputs(Words())

    assert len({new_record(job, written, plan).run_id for _ in range(2_000)}) == 2_000


async def test_a_run_whose_process_died_ends_when_it_was_heard_of_last(tmp_path: Path) -> None:
    async with prepare_run(Desk().job, Words(), RunOptions(run_id="r1"), Settings(home=tmp_path)) as run:
        seen = run.record
        last = run.context.log.state.last_at
    async with journal_of(tmp_path) as journal:
        await journal.append(RunReopened(run_id="r1", at=seen.started, before=RunStatus.RUNNING))
        ended = await end_dead_run(journal, await journal.run("r1"))

    assert ended.status == "interrupted"
    assert last is not None
    assert ended.finished == seen.started


async def test_a_completed_run_that_dies_while_it_is_looked_at_again_stays_completed(tmp_path: Path) -> None:
    await carried_out(Desk(), tmp_path, run_id="r1")
    async with journal_of(tmp_path) as journal:
        before = await journal.run("r1")
        await journal.append(RunReopened(run_id="r1", at=utc_now(), before=before.status, finished=before.finished))
        ended = await end_dead_run(journal, await journal.run("r1"))

    assert (ended.status, ended.finished) == (before.status, before.finished)


async def test_a_run_that_has_ended_after_all_keeps_its_end(tmp_path: Path) -> None:
    await carried_out(Desk(), tmp_path, run_id="r1")
    async with journal_of(tmp_path) as journal:
        before = await journal.run("r1")
        seen = before.model_copy(update={"status": RunStatus.RUNNING, "finished": None})

        assert await end_dead_run(journal, seen) == before


async def test_a_run_that_somebody_has_taken_meanwhile_is_left_to_them(tmp_path: Path) -> None:
    await carried_out(Desk(), tmp_path, run_id="r1")
    async with journal_of(tmp_path) as mine, journal_of(tmp_path) as theirs, theirs.holding("r1"):
        held = await mine.events("r1")
        await end_dead_run(mine, (await mine.run("r1")).model_copy(update={"status": RunStatus.RUNNING}))

        assert await mine.events("r1") == held
