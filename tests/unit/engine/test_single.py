"""A run with one agent at a time is marked as one, and stays so when it is resumed (M10)."""

import asyncio
from pathlib import Path

import pytest

from echelon import Job, agent
from echelon.cli.arguments.history import is_single
from echelon.engine.run import RunOptions, run_job
from echelon.journal.journal import SqlJournal
from echelon.journal.outputs import OutputStore
from echelon.settings import Settings
from echelon.visibility.history import view_run

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")


async def test_one_agent_at_a_time_is_at_work_and_the_log_says_so() -> None:
    at_work, most = [0], [0]

    @agent
    async def look(item: int) -> int:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        for _ in range(5):
            await asyncio.sleep(0)
        at_work[0] -= 1
        return item

    def items() -> list[int]:
        return list(range(6))

    job = Job("look", goal="Look")
    job.phase("look", each=look, over=items)
    for run_id, single in (("alone", True), ("together", False)):
        await run_job(job, job.inputs_type(), RunOptions(run_id=run_id, single=single))
        if single:
            assert most == [1]

    settings = Settings()
    async with SqlJournal.open(settings) as journal:
        views = [await view_run(journal, OutputStore(settings.outputs_url), name) for name in ("alone", "together")]
        marked = [await is_single(journal, name) for name in ("alone", "together")]

    assert most[0] > 1
    assert [view.single for view in views] == marked == [True, False]
    assert [view.measures.completed for view in views] == [6, 6]
    # Whoever did the work is on record, so that an account can be told by kind of agent.
    assert {step.worker for view in views for step in view.steps} == {"function"}
