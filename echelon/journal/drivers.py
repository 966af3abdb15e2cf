"""How work reaches a database from asyncio: a file in threads of our own, a server through its asyncio driver.

Work is plain code on a `Connection`, in a transaction of its own, and the same for both. For a file it runs as a whole
in a thread: an asyncio driver would change threads up to four times a statement, which costs more than the statement.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL

from echelon.journal.dialects import CHANNEL, SQLITE, identity_of, postgresql_engine, sqlite_engine
from echelon.journal.feeds import Pauses

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

Work = Callable[[Connection], T]

#: Reads at one time; a long one must not keep the others waiting.
_READERS = 4


class Driver(Protocol):
    """A database within reach."""

    pauses: Pauses
    """How often to look for what other processes wrote."""
    tells: bool
    """Does it tell that somebody wrote?"""

    async def read(self, work: Work[T]) -> T:
        """Do `work` on a connection that sees one state of the database."""
        ...

    async def write(self, work: Work[T]) -> T:
        """Do `work` in a transaction that is committed at its end, or not at all.

        When the caller is cancelled it may go on, and then ends before any other write begins.
        """
        ...

    async def listen(self, heard: Callable[[str], None], ready: Callable[[], None]) -> None:
        """Call `heard` with every run that got new events, from `ready` on, for as long as the line holds."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


def driver_for(url: URL) -> Driver:
    """Return the driver for a URL."""
    if url.get_backend_name() == SQLITE:
        return FileDriver(sqlite_engine(url), Path(str(url.database)))
    return ServerDriver(postgresql_engine(url))


class FileDriver:
    """SQLite: one thread writes, a few read."""

    #: Other processes do not tell that they wrote.
    pauses = Pauses(first_seconds=0.02, longest_seconds=0.25)
    tells = False

    def __init__(self, engine: Engine, file: Path) -> None:
        self._engine = engine
        self._file = file
        self._identity = identity_of(file)
        self._writing = engine.execution_options(writes=True)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="echelon-journal-reader")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="echelon-journal-writer")

    async def read(self, work: Work[T]) -> T:
        """Do `work` in one of the threads that read."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def write(self, work: Work[T]) -> T:
        """Do `work` in the thread that writes, behind whatever is in work there."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._write, work)

    async def listen(self, heard: Callable[[str], None], ready: Callable[[], None]) -> None:
        """Return at once: there is nobody to listen to."""

    async def close(self) -> None:
        """Wait for what is in work, and close the file."""
        await asyncio.to_thread(self._close)

    def _read(self, work: Work[T]) -> T:
        with self._engine.connect() as connection:
            return work(connection)

    def _write(self, work: Work[T]) -> T:
        with self._writing.begin() as connection:
            result = work(connection)
            if identity_of(self._file) != self._identity:
                # It could still be written, and nobody would ever find it.
                raise OSError("it was removed, or another file put in its place, while this process used it")
            return result

    def _close(self) -> None:
        for threads in (self._readers, self._writer):
            threads.shutdown()
        self._engine.dispose()


class ServerDriver:
    """PostgreSQL, through asyncpg."""

    #: The server tells that something was written; a word of it may get lost with its connection.
    pauses = Pauses(first_seconds=1.0, longest_seconds=2.0)
    tells = True

    def __init__(self, engine: "AsyncEngine") -> None:
        self._engine = engine
        self._one_by_one = asyncio.Lock()
        self._transactions: set[asyncio.Task[Any]] = set()

    async def read(self, work: Work[T]) -> T:
        """Do `work` on a connection of the pool."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def write(self, work: Work[T]) -> T:
        """Do `work` in a transaction, behind the one that is in work."""
        writing = asyncio.create_task(self._write(work), name="echelon-journal-transaction")
        self._transactions.add(writing)
        writing.add_done_callback(self._forget)
        return await asyncio.shield(writing)  # a driver that is cancelled in the middle leaves its connection broken

    async def listen(self, heard: Callable[[str], None], ready: Callable[[], None]) -> None:
        """Listen until the connection is lost."""
        ended = asyncio.Event()

        def hear(_connection: object, _pid: int, _channel: str, run_id: str) -> None:
            heard(run_id)

        def end(_connection: object) -> None:
            ended.set()

        async with self._engine.connect() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            raw.add_termination_listener(end)
            await raw.add_listener(CHANNEL, hear)
            ready()
            try:
                await ended.wait()
            finally:
                await connection.invalidate()  # it listens: nobody else can use it

    async def close(self) -> None:
        """Wait for what is in work, and close every connection."""
        await asyncio.gather(*self._transactions, return_exceptions=True)
        await self._engine.dispose()

    def _forget(self, writing: asyncio.Task[Any]) -> None:
        self._transactions.discard(writing)
        if not writing.cancelled():
            writing.exception()  # whoever waits hears of it; it may be that nobody does any more

    async def _write(self, work: Work[T]) -> T:
        async with self._one_by_one, self._engine.begin() as connection:
            return await connection.run_sync(work)
