"""A run that an agent begins knows whose part it is, whatever kind of function the agent is (no Prefect here)."""

import asyncio
from pathlib import Path

import pytest

from echelon import Job, agent
from echelon.engine.nesting import enclosing_flow, enclosing_task
from echelon.journal.journal import SqlJournal
from echelon.model.run import RunRecord
from echelon.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")


@agent
async def leaf() -> int:
    """Do the work."""
    return 1


inner = Job("inner", goal="Do it")
inner.phase("leaf", agent=leaf)


@agent
async def awaits() -> str:
    """Run the inner job from a coroutine."""
    return (await inner.run()).run_id


@agent
def in_a_thread() -> str:
    """Run the inner job from a thread."""
    return asyncio.run(inner.run()).run_id


@agent
async def in_a_task_of_its_own() -> str:
    """Run the inner job beside what else it does."""
    return (await asyncio.create_task(inner.run())).run_id


@pytest.mark.parametrize("begins", [awaits, in_a_thread, in_a_task_of_its_own], ids=lambda one: one.name)
async def test_a_run_knows_the_run_and_the_task_that_began_it(begins):
    outer = Job("outer", goal="Have it done")
    outer.phase("ask", agent=begins)

    result = await outer.run()

    (record,) = await runs(inside=result.run_id)
    assert (record.run_id, record.parent_task) == (result.output, f"ask/{begins.name}")
    assert [one.parent_run_id for one in await runs()] == [result.run_id, None]


async def test_a_run_in_a_run_in_a_run_is_a_part_of_the_nearest():
    middle = Job("middle", goal="Have it done")
    middle.phase("ask", agent=awaits)

    @agent
    async def deeper() -> str:
        return (await middle.run()).run_id

    outer = Job("outer", goal="Have it done by others")
    outer.phase("ask", agent=deeper)
    result = await outer.run()

    parents = {one.job: one.parent_run_id for one in await runs()}
    assert parents == {"outer": None, "middle": result.run_id, "inner": result.output}


async def test_behind_a_run_nothing_is_a_part_of_it_any_more():
    outer = Job("outer", goal="Have it done")
    outer.phase("ask", agent=awaits)
    await outer.run()
    alone = await inner.run()

    assert enclosing_task() is None
    assert enclosing_flow() is None
    async with SqlJournal.open(Settings()) as journal:
        assert (await journal.run(alone.run_id)).parent_run_id is None


async def runs(inside: str | None = None) -> tuple[RunRecord, ...]:
    async with SqlJournal.open(Settings()) as journal:
        return await journal.runs(inside=inside)
