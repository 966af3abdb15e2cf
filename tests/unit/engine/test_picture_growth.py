"""What Prefect shows of a run that grows: the search is a task run, and what it found is shown by size (R4, X12)."""

from pathlib import Path

import pytest

from echelon import Handoffs, agent
from echelon.coordination.job_run import run_phases
from echelon.engine.picture.mapping import Picture
from echelon.engine.picture.strokes import JOB, StateKind
from echelon.testing.runs import a_run
from tests.unit.coordination.rolling.growing import Module, growing, names
from tests.unit.engine.test_picture_mapping import LATER, Seen

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def seen_of(job: object, home: Path, number: int) -> Seen:
    async with a_run(job, home, names(number)) as run:  # pyright: ignore[reportArgumentType]
        await run_phases(run)
        entries = await run.log.journal.events(run.spec.run_id)
    found = Seen()
    found.look(Picture(run.spec.run_id).draw(entries, max(LATER, entries[-1].event.at)))
    return found


async def test_what_finds_the_items_is_a_task_run_of_the_job(tmp_path: Path) -> None:
    found = await seen_of(growing(), tmp_path, 3)

    search = found.tasks["plan primary · inspect"]
    assert (search.task, search.flow_key, search.state.kind) == ("plan", JOB, StateKind.COMPLETED)
    assert {"survey/survey", "inspect/m0", "inspect/m1", "inspect/m2", "conclude/conclude"} <= set(found.tasks)


async def test_300_that_were_found_by_one_are_shown_by_team_and_the_others_one_by_one(tmp_path: Path) -> None:
    found = await seen_of(growing(), tmp_path, 300)

    assert {"survey/survey", "conclude/conclude", "plan primary · inspect"} <= set(found.tasks)
    assert not [title for title in found.tasks if title.startswith("inspect/m")]
    assert len(found.tasks) < 100
    assert {task.state.kind for task in found.tasks.values()} == {StateKind.COMPLETED}


def fails(survey: Handoffs[list[str]]) -> list[Module]:
    raise RuntimeError("the list is torn")


async def test_a_search_that_failed_is_a_task_run_that_failed(tmp_path: Path) -> None:
    found = await seen_of(growing(fails), tmp_path, 3)

    search = found.tasks["plan primary · inspect"]
    assert search.state.kind is StateKind.FAILED
    assert "the list is torn" in search.state.message


@agent
async def aside() -> str:
    """Do something else."""
    return "aside"


async def test_phases_at_work_at_the_same_time_are_all_drawn(tmp_path: Path) -> None:
    job = growing()
    job.phase("aside", agent=aside)
    found = await seen_of(job, tmp_path, 12)

    assert "aside/aside" in found.tasks
    assert {state.kind for state in found.states.values()} <= {StateKind.COMPLETED, StateKind.RUNNING}
