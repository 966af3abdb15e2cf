"""What was acknowledged is there after the process was killed; processes share a journal and lose nothing."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from echelon.journal.journal import SqlJournal
from echelon.model.errors import JournalError
from echelon.settings import Settings
from echelon.testing.run_events import concern_disposed, key_of, run_started, step_ended, step_record

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
ENOUGH = 400  # acknowledgements before the kill

APPEND = """
import asyncio, sys
from pathlib import Path
from echelon.journal.journal import SqlJournal
from echelon.settings import Settings
from echelon.testing.run_events import step_ended

async def work(journal, name, count):
    for number in range(count):
        event = step_ended(f"{name}-{number}")
        await journal.append(event)
        print(event.record.key, flush=True)

async def main(home, name, count):
    async with SqlJournal.open(Settings(home=Path(home))) as journal:
        await asyncio.gather(*[work(journal, f"{name}-{worker}", int(count)) for worker in range(10)])

asyncio.run(main(*sys.argv[1:]))
"""


def appending(settings, name, count):
    return subprocess.Popen(
        [sys.executable, "-c", APPEND, str(settings.home), name, str(count)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


async def keys_in(settings):
    async with SqlJournal.open(settings) as journal:
        return [record.key for record in await journal.steps("r1")]


@pytest.fixture
async def started(settings):
    async with SqlJournal.open(settings) as journal:
        await journal.append(run_started())
    return settings


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(started):
    process = appending(started, "worker", 1_000_000)
    acknowledged = [process.stdout.readline().strip() for _ in range(ENOUGH)]
    os.kill(process.pid, signal.SIGKILL)
    rest, _ = process.communicate()
    acknowledged += [line for line in rest.split("\n")[:-1] if line]

    found = await keys_in(started)

    assert process.returncode == -signal.SIGKILL
    assert len(acknowledged) >= ENOUGH
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))


async def test_a_killed_process_does_not_lock_others_out(started):
    process = appending(started, "worker", 1_000_000)
    process.stdout.readline()
    process.kill()
    process.communicate()

    async with SqlJournal.open(started) as journal:
        await journal.append(step_ended("after"))

        assert await journal.find_completed_step(key_of("after")) == step_record("after")


async def test_two_processes_write_to_one_journal_at_the_same_time(started):
    processes = [appending(started, name, 30) for name in ("one", "two")]
    outputs = [process.communicate()[0].split() for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    assert [len(output) for output in outputs] == [300, 300]
    assert sorted(await keys_in(started)) == sorted(outputs[0] + outputs[1])


async def test_what_was_acknowledged_survives_a_torn_end_of_the_log(started, tmp_path):
    """The files as a crash in the middle of a write leaves them: the end of the write-ahead log is cut off."""
    async with SqlJournal.open(started) as journal:
        await journal.append(step_ended("before"))
        data = (started.home / "journal.db").read_bytes()
        whole = (started.home / "journal.db-wal").stat().st_size
        await journal.append(step_ended("torn"))
        log = (started.home / "journal.db-wal").read_bytes()

    assert len(log) > whole
    for size in range(whole, len(log), 1777):
        image = Settings(home=tmp_path / str(size))
        image.home.mkdir()
        (image.home / "journal.db").write_bytes(data)
        (image.home / "journal.db-wal").write_bytes(log[:size])

        assert await keys_in(image) == [key_of("before")]


async def test_the_writer_lives_on_after_trouble_with_the_database(started):
    async with SqlJournal.open(started) as journal:
        with closing(sqlite3.connect(started.home / "journal.db")) as other:
            other.execute("DROP TABLE dispositions")

        with pytest.raises(JournalError, match=r"cannot write the journal .*no such table: dispositions"):
            await journal.append(concern_disposed("x"))
        await journal.append(step_ended("after"))

        assert [step.node for step in await journal.steps("r1", "inspect")] == ["after"]
