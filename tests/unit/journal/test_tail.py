"""A run is followed from another process: all of it, in order, and soon."""

import asyncio
import subprocess
import sys
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from echelon.journal.drivers import FileDriver, ServerDriver
from echelon.journal.feeds import Pauses
from echelon.journal.journal import TAIL_EVENTS, SqlJournal
from echelon.settings import Settings
from echelon.testing.run_events import run_ended, run_started, step_ended, step_started

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
COUNT = 200

#: Tells the time at which each event is durable; waits for a line before each ten.
WRITE = """
import asyncio, sys, time
from pathlib import Path
from echelon.journal.journal import SqlJournal
from echelon.settings import Settings
from echelon.testing.run_events import run_ended, step_ended

async def main(home, url, count):
    async with SqlJournal.open(Settings(home=Path(home), journal_url=url)) as journal:
        for number in range(int(count)):
            if number % 10 == 0:
                await asyncio.sleep(0.01)
            await journal.append(step_ended(f"n{number}"))
            print(time.time(), flush=True)
        await journal.append(run_ended())

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def settings(on_both):
    return on_both


@asynccontextmanager
async def writing(settings, count):
    command = [sys.executable, "-c", WRITE, str(settings.home), settings.journal_url, str(count)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        await process.wait()


async def test_a_run_is_followed_while_another_process_writes_it(settings, journal):
    followed = []
    async with writing(settings, COUNT), asyncio.timeout(60):
        async for events in journal.tail("r1"):
            followed += events
            if followed[-1].event.kind == "run_ended":
                break

    assert [logged.seq for logged in followed] == list(range(1, COUNT + 3))
    assert [logged.event.subject for logged in followed[1:-1]] == [f"n{number}" for number in range(COUNT)]
    assert tuple(followed) == await journal.events("r1")


async def test_a_server_tells_at_once(emptied, tmp_path, monkeypatch):
    """Looking by itself would take a minute."""
    monkeypatch.setattr(ServerDriver, "pauses", Pauses(60, 60))
    settings = Settings(home=tmp_path, journal_url=emptied)
    async with (
        SqlJournal.open(settings) as other,
        SqlJournal.open(settings) as journal,
        aclosing(journal.tail("r1")) as tail,
        asyncio.timeout(10),
    ):
        for number, event in enumerate((run_started(), step_started(), step_ended())):
            following = asyncio.ensure_future(anext(tail))
            await other.append(event)

            assert [logged.seq for logged in await following] == [number + 1]


async def test_what_this_process_writes_wakes_its_followers(settings, journal, monkeypatch):
    monkeypatch.setattr(FileDriver, "pauses", Pauses(60, 60))
    monkeypatch.setattr(ServerDriver, "pauses", Pauses(60, 60))
    async with aclosing(journal.tail("r1")) as tail, asyncio.timeout(10):
        assert [logged.seq for logged in await anext(tail)] == [1]
        following = asyncio.ensure_future(anext(tail))
        await asyncio.sleep(0.05)  # it looked, and found nothing
        await journal.append(step_started(), step_ended())

        assert [logged.seq for logged in await following] == [2, 3]


async def test_a_long_log_comes_in_pieces(journal):
    await journal.append(*[step_ended(f"n{number}") for number in range(TAIL_EVENTS)], run_ended())
    pieces = []
    async for events in journal.tail("r1"):
        pieces.append(len(events))
        if events[-1].event.kind == "run_ended":
            break

    assert pieces == [TAIL_EVENTS, 2]
