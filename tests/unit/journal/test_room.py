"""Where nothing can be written: a clear error, and everything that was acknowledged is there (F8)."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from echelon.journal.journal import SqlJournal
from echelon.journal.outputs import OutputStore
from echelon.model.errors import JournalError
from echelon.testing.run_events import key_of, run_started

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]

FILL = """
import asyncio, resource, signal, sys
from pathlib import Path
from echelon.journal.journal import SqlJournal
from echelon.model.errors import JournalError
from echelon.settings import Settings
from echelon.testing.run_events import key_of, step_ended

async def main():
    async with SqlJournal.open(Settings(home=Path(sys.argv[1]))) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
        for number in range(100_000):
            try:
                await journal.append(step_ended(f"n{number}", summary="x" * 900))
            except JournalError as error:
                print(error)
                break
            print(key_of(f"n{number}"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await journal.append(step_ended("room again"))

asyncio.run(main())
"""


async def started(settings):
    async with SqlJournal.open(settings) as journal:
        await journal.append(run_started())


async def steps_in(settings):
    async with SqlJournal.open(settings) as journal:
        return [found.key for found in await journal.steps("r1")]


def test_a_full_disk_is_told_and_nothing_acknowledged_is_lost(settings):
    asyncio.run(started(settings))
    limit = (settings.home / "journal.db").stat().st_size + 200_000

    child = subprocess.run(
        [sys.executable, "-c", FILL, str(settings.home), str(limit)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    *acknowledged, told = child.stdout.splitlines()
    assert child.returncode == 0, child.stderr
    assert len(acknowledged) > 5
    assert told.startswith(f"cannot write the journal sqlite:///{settings.home}/journal.db: ")
    assert "that the disk has room" in told
    assert asyncio.run(steps_in(settings)) == [*acknowledged, key_of("room again")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is a thing of Linux")
def test_an_output_for_which_there_is_no_room_is_told(tmp_path):
    store = OutputStore(str(tmp_path), content_bytes=0)
    (tmp_path / "r1").symlink_to("/dev/full")

    with pytest.raises(JournalError, match=r"cannot write output r1/.* ECHELON_OUTPUTS_URL names another place"):
        store.put("r1", "abc", "text", "str")
