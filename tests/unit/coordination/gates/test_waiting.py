"""Waiting for a person is no failure: it is counted apart, and reported once however often the run goes on (O5, F6)."""

from pathlib import Path

import pytest

from echelon import AgentFailed, Handoffs, Job, agent
from echelon.coordination.context import RunContext
from echelon.coordination.incidents import report_growth, report_incidents
from echelon.coordination.job_run import run_phases
from echelon.testing.runs import a_run, view_so_far
from echelon.visibility.report import measure_rows
from tests.unit.coordination.jobs import ONCE

pytestmark = pytest.mark.anyio


@agent(effect="irreversible")
async def pay(item: int) -> int:
    return item


@agent
async def confirm(paid: Handoffs[int]) -> int:
    return len(paid.outputs())


@agent
async def look(item: int) -> int:
    raise AgentFailed(f"{item} cannot be read")


def paying(*, with_failures: bool = False) -> Job:
    job = Job("pay", goal="Pay", defaults=ONCE)
    job.phase("pay", each=pay, over=lambda: [1, 2, 3])
    job.phase("confirm", agent=confirm, needs="pay")
    if with_failures:
        job.phase("look", each=look, over=lambda: [1, 2])
    return job


async def go_on(job: Job, home: Path) -> RunContext:
    async with a_run(job, home) as run:
        await run_phases(run)
        await report_incidents(run)
        await report_growth(run)
        return run


async def test_what_waits_is_reported_once_however_often_the_run_goes_on(tmp_path: Path) -> None:
    said: list[list[str]] = []
    for _ in range(3):
        run = await go_on(paying(), tmp_path)
        said.append([one.message for one in run.log.state.exceptions])

    first, second, third = said
    assert first == second == third
    assert len(first) == 2  # a gate that waits, and the phase that needs it
    assert first[1].startswith("phase 'confirm' is blocked, 1 task not started: phase 'pay' waits for a person")


async def test_what_waits_is_no_incident_beside_what_failed(tmp_path: Path) -> None:
    run = await go_on(paying(with_failures=True), tmp_path)

    view = view_so_far(run)
    assert view.incidents == ()
    assert (view.measures.failed, view.measures.waiting, view.measures.waiting_for_person) == (2, 4, 4)


async def test_what_waits_for_a_person_is_called_so_in_the_measures(tmp_path: Path) -> None:
    rows = {name: number for name, number, _ in measure_rows(view_so_far(await go_on(paying(), tmp_path)))}

    assert rows["Tasks completed, failed"] == "0, 0"
    assert rows["Tasks waiting for a person"] == "4"
    assert "Tasks waiting for a quota or a budget" not in rows
