"""The journal in a database: opening and closing it. What it promises beside that is in the contract."""

import asyncio

import pytest

from echelon.journal.journal import SqlJournal
from echelon.model.errors import JournalError
from echelon.testing.run_events import concern_raised, run_started, step_ended, step_record, step_started

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(on_both):
    return on_both


async def test_leaving_the_block_writes_what_is_queued(settings):
    async with SqlJournal.open(settings) as journal:
        await journal.append(run_started())
        waiting = [asyncio.ensure_future(journal.append(step_ended(f"n{number}"))) for number in range(2500)]
        await asyncio.sleep(0)  # one turn of the loop, so that all of them are queued
    await asyncio.gather(*waiting)

    async with SqlJournal.open(settings) as journal:
        assert len(await journal.steps("r1")) == 2500


async def test_leaving_the_block_writes_what_nobody_waits_for(settings):
    async with SqlJournal.open(settings) as journal:
        await journal.append(run_started())
        for number in range(2500):
            journal.enqueue(step_started(f"n{number}"))

    async with SqlJournal.open(settings) as journal:
        assert len(await journal.events("r1")) == 2501


async def test_leaving_the_block_with_an_error_keeps_what_was_queued(settings):
    async def work():
        async with SqlJournal.open(settings) as journal:
            await journal.append(run_started())
            journal.append(step_ended()).send(None)  # queued, and nobody waits for it any more
            raise RuntimeError("the job fails")

    with pytest.raises(RuntimeError):
        await work()

    async with SqlJournal.open(settings) as journal:
        assert [step.node for step in await journal.steps("r1", "inspect")] == ["inspect"]


async def test_a_closed_journal_says_so(settings, caplog):
    async with SqlJournal.open(settings) as journal:
        await journal.append(run_started())

    with pytest.raises(JournalError, match="the journal is closed"):
        await journal.append(step_ended())
    journal.enqueue(step_ended())
    assert "event 'step_ended' of run 'r1' is not on record: cannot write" in caplog.text


async def test_a_loop_that_is_shut_down_loses_nothing_that_was_queued(settings):
    """Everybody is cancelled then, whatever they are at."""
    async with SqlJournal.open(settings) as journal:
        await journal.append(run_started())
        waiting = [asyncio.ensure_future(journal.append(step_ended(f"n{number}"))) for number in range(1500)]
        for _ in range(20):  # whatever the writer is at, it is cancelled in the middle of it
            journal._writer._task.cancel()
            await asyncio.sleep(0.001)
        await asyncio.gather(*waiting)

        assert len(await journal.steps("r1")) == 1500
        assert [logged.seq for logged in await journal.events("r1")] == list(range(1, 1502))


async def test_a_unit_that_is_larger_than_a_batch_is_one_all_the_same(settings):
    async with SqlJournal.open(settings) as journal:
        steps = [step_ended(f"n{number}") for number in range(2500)]
        concerns = [concern_raised(f"c-{number}") for number in range(2500)]
        await journal.append(run_started(), *steps, *concerns)

        assert await journal.steps("r1") == tuple(step.record for step in steps)
        assert len(await journal.concerns("r1")) == 2500


async def test_two_journals_of_one_home_see_the_same(settings):
    async with SqlJournal.open(settings) as one, SqlJournal.open(settings) as other:
        await one.append(run_started())
        await other.append(step_ended())

        assert await one.steps("r1") == (step_record(),)
