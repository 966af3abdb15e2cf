"""What a crash leaves of the files: cut anywhere, the journal opens with what was acknowledged, and says so (F8)."""

import contextlib
import logging
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from echelon.journal.journal import SqlJournal
from echelon.journal.torn import log_of, missing_bytes, torn_bytes, torn_for_good
from echelon.model.errors import JournalError
from echelon.settings import Settings
from echelon.testing.run_events import run_started, step_ended

pytestmark = pytest.mark.anyio

FRAME = 24 + 4096

#: Every byte of the last write takes ten seconds; without being asked for them, some in every part of it are tried.
STRIDE = 1 if os.environ.get("ECHELON_TEST_PASSAGES") == "all" else 11


@pytest.fixture
async def image(settings):
    """The files of an open journal with two steps, and how long its log was before the second."""
    async with SqlJournal.open(settings) as journal:
        await journal.append(run_started())
    async with SqlJournal.open(settings) as journal:  # with a log that is begun anew
        await journal.append(step_ended("before"))
        log = log_of(settings.home / "journal.db")
        whole = log.stat().st_size
        await journal.append(step_ended("torn"))
        yield (settings.home / "journal.db").read_bytes(), log.read_bytes(), whole


def laid_down(folder: Path, data: bytes, log: bytes | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    database = folder / "journal.db"
    for leftover in folder.iterdir():
        leftover.unlink()
    database.write_bytes(data)
    if log is not None:
        log_of(database).write_bytes(log)
    return database


def nodes_in(database: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return [node for (node,) in connection.execute("SELECT node FROM steps ORDER BY seq")]


async def opened(home: Path) -> list[str]:
    async with SqlJournal.open(Settings(home=home)) as journal:
        return [found.node for found in await journal.steps("r1")]


async def test_cut_anywhere_in_the_last_write_what_came_before_is_kept_and_the_cut_is_seen(image, tmp_path):
    data, log, whole = image
    database = laid_down(tmp_path / "cut", data, log[:whole])
    assert torn_bytes(database) == 0
    with log_of(database).open("ab") as file:
        for at in range(whole, len(log) - STRIDE, STRIDE):
            file.write(log[at : at + STRIDE])
            file.flush()

            assert torn_bytes(database) == at + STRIDE - whole, at
    for size in range(whole, len(log), 257):  # what SQLite makes of it
        assert nodes_in(laid_down(tmp_path / "cut", data, log[:size])) == ["before"]


@pytest.mark.parametrize("cut", [1, 24, 100, FRAME - 1, FRAME, FRAME + 1])
async def test_a_cut_is_said_when_the_journal_is_opened_and_only_once(image, tmp_path, caplog, cut):
    data, log, whole = image
    laid_down(tmp_path / "cut", data, log[: whole + cut])

    assert await opened(tmp_path / "cut") == ["before"]
    assert f"was cut off; {cut} bytes of it are dropped, all that was acknowledged before is there" in caplog.text
    caplog.clear()
    assert await opened(tmp_path / "cut") == ["before"]
    assert caplog.text == ""


async def test_a_whole_log_says_nothing(image, tmp_path, caplog):
    data, log, _ = image
    laid_down(tmp_path / "whole", data, log)

    assert await opened(tmp_path / "whole") == ["before", "torn"]
    assert caplog.text == ""


@pytest.mark.parametrize("inside", [8, 20, 24, 2000, FRAME - 1])
async def test_a_write_that_reached_the_disk_in_part_is_dropped(image, tmp_path, inside):
    """The file has its length, and a piece of the last transaction is what was there before."""
    data, log, whole = image
    damaged = bytearray(log)
    damaged[whole + inside] ^= 0xFF
    database = laid_down(tmp_path / "damaged", data, bytes(damaged))

    assert torn_bytes(database) > 0
    assert nodes_in(database) == ["before"]


@pytest.mark.parametrize("size", [0, 1, 31])
async def test_a_log_without_its_beginning_holds_nothing(image, tmp_path, size):
    data, log, _ = image

    assert torn_bytes(laid_down(tmp_path / "cut", data, log[:size])) == size


async def test_what_an_older_log_left_behind_the_end_is_nothing_torn(image, tmp_path):
    """A log is begun anew in the same file: behind its end stand frames with the marks of the one before."""
    data, log, whole = image
    older = bytearray(log[whole:])
    for at in range(0, len(older), FRAME):
        older[at + 8 : at + 16] = b"\0" * 8
    database = laid_down(tmp_path / "reused", data, log[:whole] + bytes(older))

    assert torn_bytes(database) == 0
    assert nodes_in(database) == ["before"]


async def test_a_process_that_is_writing_is_not_taken_for_a_dead_one(image, tmp_path):
    data, log, whole = image
    database = laid_down(tmp_path / "busy", data, log[: whole + FRAME])
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        assert torn_for_good(database, connection) == FRAME
        connection.execute("UPDATE runs SET status = 'failed'")  # takes the place of what was torn

        assert torn_for_good(database, connection) == 0


async def test_a_torn_checkpoint_is_made_good_by_the_log(image, tmp_path):
    """The pages go from the log to the database when the log is long: cut there, the log has them all."""
    data, log, _ = image
    database = laid_down(tmp_path / "checkpointed", data, log)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(FULL)")
        after = database.read_bytes()
    for size in range(len(data), len(after) + 1, 4096 // 3):
        torn = laid_down(tmp_path / "torn", after[:size], log)

        assert nodes_in(torn) == ["before", "torn"]


async def test_a_database_file_that_is_cut_short_is_refused_with_what_to_do(image, tmp_path):
    data, log, _ = image
    whole = laid_down(tmp_path / "whole", data, log)
    nodes_in(whole)  # brings the log in
    kept = whole.read_bytes()
    assert missing_bytes(whole) == 0
    for size in range(100, len(kept), 997):
        assert missing_bytes(laid_down(tmp_path / "cut", kept[:size])) == len(kept) - size
    laid_down(tmp_path / "cut", kept[:-1])

    with pytest.raises(JournalError, match=r"cut short, its last 1 bytes are gone.*put a copy of it back"):
        await opened(tmp_path / "cut")
    assert (tmp_path / "cut" / "journal.db").read_bytes() == kept[:-1]


async def test_a_new_journal_that_was_cut_before_it_was_begun_is_made_anew(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    laid_down(tmp_path / "new", b"")

    assert await opened(tmp_path / "new") == []
    shutil.rmtree(tmp_path / "new")
