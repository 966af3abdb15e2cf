"""What stands around the phases of a run, without Prefect: its end is on record, whatever stops it (F8)."""

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from echelon import Handoffs, Job, Previous, Repeat, agent
from echelon.coordination.job_run import run_phases
from echelon.engine.recording import End, end_of_stopped
from echelon.engine.run import RunOptions, finish, prepare_run
from echelon.journal.journal import SqlJournal
from echelon.model.run import RunRecord, RunStatus
from echelon.settings import Settings

pytestmark = pytest.mark.anyio

NIGHT, NOON, EVENING = (datetime(2026, 5, 1, hour, tzinfo=UTC) for hour in (3, 12, 20))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Inputs(BaseModel):
    """Nothing is asked."""


@agent
async def look() -> str:
    """Look."""
    return "seen"


def looking() -> Job:
    job = Job("looking", goal="See", inputs=Inputs)
    job.phase("look", agent=look)
    return job


async def carried_out(settings: Settings, *, stopped: BaseException | None = None) -> RunRecord:
    """Carry a run out to its end, or until something stops it before its phases; return what is on record."""
    with pytest.raises(type(stopped)) if stopped is not None else contextlib.nullcontext():
        async with prepare_run(looking(), Inputs(), RunOptions(run_id="r"), settings) as run:
            if stopped is not None:
                raise stopped
            await finish(run, await run_phases(run.context))
    async with SqlJournal.open(settings) as journal:
        return await journal.run("r")


@pytest.mark.parametrize("stopped", [asyncio.CancelledError(), RuntimeError("no room")], ids=["F8-ctrl-c", "F8-error"])
async def test_a_completed_run_that_is_looked_at_again_stays_completed_when_that_is_stopped(
    tmp_path: Path, stopped: BaseException
) -> None:
    settings = Settings(home=tmp_path)
    before = await carried_out(settings)

    assert (before.status, bool(before.report)) == (RunStatus.COMPLETED, True)
    assert await carried_out(settings, stopped=stopped) == before


async def test_a_run_that_is_stopped_before_its_end_says_so(tmp_path: Path) -> None:
    record = await carried_out(Settings(home=tmp_path), stopped=asyncio.CancelledError())

    assert record.status is RunStatus.INTERRUPTED


@pytest.mark.parametrize(
    ("status", "finished", "steps", "stays"),
    [
        pytest.param(RunStatus.COMPLETED, NOON, [NIGHT, NOON], True, id="F8-completed"),
        pytest.param(RunStatus.RUNNING, NOON, [NIGHT], True, id="F8-killed-while-looked-at-again"),
        pytest.param(RunStatus.COMPLETED, NOON, [NIGHT, EVENING], False, id="F8-something-was-done-again"),
        pytest.param(RunStatus.PARTIAL, NOON, [NIGHT], False, id="F8-partial"),
        pytest.param(RunStatus.RUNNING, None, [NIGHT], False, id="F8-never-ended"),
    ],
)
def test_only_what_was_completed_and_not_worked_on_since_keeps_its_end(
    status: RunStatus, finished: datetime | None, steps: list[datetime], stays: bool
) -> None:
    found = RunRecord(
        run_id="r", job="j", source="", inputs={}, status=status, started=NIGHT, finished=finished, report="there"
    )
    stopped = End(RunStatus.INTERRUPTED, EVENING)

    assert end_of_stopped(found, steps, stopped) == (End(RunStatus.COMPLETED, NOON, "there") if stays else stopped)


async def test_what_conditions_and_checks_said_in_the_run_before_is_no_previous_output(tmp_path: Path) -> None:
    """Their steps are in the phase of one agent, and no task of it: the second run of a job met them."""

    def wanted(look: Handoffs[str]) -> bool:
        return bool(look.outputs())

    @agent
    async def tell(look: Handoffs[str], before: Previous[str]) -> str:
        """Tell what was seen, and what was told before."""
        return f"{look.outputs()[0]} after {before.load()}"

    def passes(output: str) -> bool:
        return "after" in output

    told: list[object] = []
    for run_id in ("first", "second"):
        job = looking()
        job.phase("tell", agent=tell, needs="look", when=wanted, repeat=Repeat(until=passes))
        async with prepare_run(job, Inputs(), RunOptions(run_id=run_id), Settings(home=tmp_path)) as run:
            told.append((await finish(run, await run_phases(run.context))).output)

    assert told == ["seen after None", "seen after seen after None"]
