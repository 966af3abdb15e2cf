"""What a crash left of a SQLite journal: a write that was cut off is told, a file that was cut short is refused.

SQLite itself keeps every transaction that was completed and drops the rest, without a word. The format of its files is
described in its documentation; here only their ends are looked at, nothing is changed.
"""

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, NamedTuple

#: The head of the database file: page size at byte 16, number of pages at byte 28.
_HEAD_BYTES = 100
_MAGIC = b"SQLite format 3\0"

_LOG_HEADER = struct.Struct(">8I")  # magic, version, page size, sequence, salts, checksums
_FRAME_HEADER = struct.Struct(">6I")  # page, pages after a commit (else 0), salts, checksums

#: Set in the magic when checksums are made of big-endian words.
_BIG_ENDIAN = 1


class _Frame(NamedTuple):
    """A page in the log."""

    commits: bool
    """Is it the last one of a transaction?"""
    salts: tuple[int, int]
    """Whose frame it is: the log is begun anew with other ones, in the same file."""
    sums: tuple[int, int]
    """Checksums of everything up to its end."""
    at: int
    """Where its header begins, in bytes."""


def missing_bytes(database: Path) -> int:
    """Return how much the database file lacks of what its head promises; 0 for a whole one.

    What the write-ahead log holds is not missed.
    """
    if log_of(database).exists():
        return 0
    with database.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if len(head) < _HEAD_BYTES or not head.startswith(_MAGIC):
        return 0  # not begun, or something else, which SQLite will say
    return max(0, _page_bytes(head) * int.from_bytes(head[28:32]) - database.stat().st_size)


def torn_bytes(database: Path) -> int:
    """Return how many bytes of the write-ahead log belong to a write that was never completed; 0 when there are none.

    A process that writes at this moment leaves such bytes too: ask again when nobody can.
    """
    try:
        with log_of(database).open("rb") as file:
            return _torn(file, log_of(database).stat().st_size)
    except FileNotFoundError:
        return 0


def torn_for_good(database: Path, connection: sqlite3.Connection) -> int:
    """Return the same when nobody can be writing."""
    if not torn_bytes(database):
        return 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        return torn_bytes(database)
    finally:
        connection.execute("ROLLBACK")


def log_of(database: Path) -> Path:
    """Return the write-ahead log of a database."""
    return database.with_name(f"{database.name}-wal")


def _page_bytes(head: bytes) -> int:
    size = int.from_bytes(head[16:18])
    return 65536 if size == 1 else size


def _torn(file: BinaryIO, size: int) -> int:
    header = file.read(_LOG_HEADER.size)
    if len(header) < _LOG_HEADER.size:
        return len(header)
    magic, _, page_bytes, _, *salts, first, second = _LOG_HEADER.unpack(header)
    frame_bytes = _FRAME_HEADER.size + page_bytes
    frames = list(_frames(file, frame_bytes))
    ours = [frame for frame in frames if frame.salts == tuple(salts)]
    whole = list(takewhile(lambda frame: frame.salts == tuple(salts) and frame.at + frame_bytes <= size, frames))
    commits = [index for index, frame in enumerate(whole) if frame.commits]
    last, before = (commits or [-1])[-1], (commits[:-1] or [-1])[-1]
    # Every transaction is flushed before the next begins: only the last one can be damaged inside.
    order = ">" if magic & _BIG_ENDIAN else "<"
    sums = whole[before].sums if before >= 0 else (first, second)
    if not _are_sound(file, whole[before + 1 : last + 1], frame_bytes, sums, order):
        last = before
    kept = _LOG_HEADER.size + (last + 1) * frame_bytes
    written = max(kept, ours[-1].at + frame_bytes if ours else 0)
    # A piece at the end that is too short to say whose it is follows what was written last.
    return (size if size - written < frame_bytes else written) - kept


def _frames(file: BinaryIO, frame_bytes: int) -> Iterator[_Frame]:
    """Give the frames of the log; behind those of this generation may be some left over from an older one."""
    at = _LOG_HEADER.size
    while len(header := _read(file, at, _FRAME_HEADER.size)) == _FRAME_HEADER.size:
        _, pages, first_salt, second_salt, first, second = _FRAME_HEADER.unpack(header)
        yield _Frame(commits=pages > 0, salts=(first_salt, second_salt), sums=(first, second), at=at)
        at += frame_bytes


def _are_sound(file: BinaryIO, frames: Sequence[_Frame], frame_bytes: int, sums: tuple[int, int], order: str) -> bool:
    for frame in frames:
        data = _read(file, frame.at, frame_bytes)
        sums = _checksum(data[:8] + data[_FRAME_HEADER.size :], sums, order)
        if sums != frame.sums:
            return False
    return True


def _checksum(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = sums
    words = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for even, odd in zip(words, words, strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
