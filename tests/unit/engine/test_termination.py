"""SIGTERM ends the runs of a process in order, whatever code it arrives in."""

import asyncio
import os
import signal
import threading

import pytest
from prefect.exceptions import TerminationSignal

from echelon import Job, agent
from echelon.engine.termination import cancel_on_sigterm
from echelon.journal.journal import SqlJournal
from echelon.model.run import RunRecord
from echelon.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(os.name == "nt", reason="sends signals")]


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@agent
async def asks_for_it() -> str:
    """Get the signal in the middle of its own code, as one that computes for long would."""
    terminate()
    return "done"


@agent
async def waits() -> str:
    """Get the signal while it waits."""
    asyncio.get_running_loop().call_soon(terminate)
    await asyncio.Event().wait()
    return "never"


@agent
def in_a_thread() -> str:
    """Work in a thread, where no signal arrives."""
    terminate()
    return "done"


async def last_run() -> RunRecord:
    async with SqlJournal.open(Settings()) as journal:
        (record,) = await journal.runs(1)
        return record


@pytest.mark.parametrize("at_work", [asks_for_it, waits, in_a_thread], ids=["busy", "waiting", "thread"])
async def test_a_run_is_interrupted_and_not_its_agent_failed(at_work):
    job = Job("ended", goal="Be ended")
    job.phase("work", agent=at_work)
    job.phase("then", agent=waits, needs="work")

    with pytest.raises(TerminationSignal):
        await cancel_on_sigterm(job.run())

    assert (await last_run()).status == "interrupted"


async def test_all_runs_of_a_process_are_ended_in_whatever_order_they_came():
    before = signal.getsignal(signal.SIGTERM)
    first, second = asyncio.Event(), asyncio.Event()
    short = asyncio.create_task(cancel_on_sigterm(first.wait()))
    await asyncio.sleep(0)
    long = [asyncio.create_task(cancel_on_sigterm(second.wait())) for _ in range(2)]
    await asyncio.sleep(0)
    first.set()
    await short
    terminate()
    ended = await asyncio.gather(*long, return_exceptions=True)

    assert [type(one) for one in ended] == [TerminationSignal, TerminationSignal]
    assert signal.getsignal(signal.SIGTERM) == before


async def test_a_cancellation_by_somebody_else_stays_one():
    task = asyncio.create_task(cancel_on_sigterm(asyncio.Event().wait()))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


def test_outside_of_the_main_thread_nothing_changes():
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(cancel_on_sigterm(asyncio.sleep(0, True)))))
    thread.start()
    thread.join()

    assert results == [True]
