"""Everything that differs between SQLite and PostgreSQL; no other file of the journal knows which one it is."""

import logging
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Engine, Float, create_engine, event, literal_column, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from echelon.journal.private import make_file, private_folder
from echelon.journal.torn import missing_bytes, torn_for_good
from echelon.model.errors import InvalidInput

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

log = logging.getLogger("echelon.journal")

BUSY_TIMEOUT_SECONDS = 30.0

SQLITE, POSTGRESQL = "sqlite", "postgresql"

#: The driver of each database, by the names people write in URLs.
DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+aiosqlite": "sqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}

#: What each connection is told. FULL keeps what was committed through a power cut too: one flush a transaction,
#: shared by everything that is in it.
SQLITE_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON")

#: A process that is stopped in the middle of a transaction keeps its locks; the server ends it, so that another one
#: can take its run over.
POSTGRESQL_SETTINGS = ("idle_in_transaction_session_timeout = '10s'",)

#: Any fixed number: it names the lock that PostgreSQL gives to one migrating process at a time.
_MIGRATION_LOCK = 0x45C4E104

#: Any fixed number: it names the locks under which the standing budgets of a job are asked.
_STANDING_LOCK = 0x45C4E105

#: Where a PostgreSQL server tells that a run has new events.
CHANNEL = "echelon_journal"

#: What PostgreSQL says when it goes away or comes back: trouble with the connection (class 08), shutdown, crash, start.
_AWAY = ("08", "57P01", "57P02", "57P03")


def is_away(error: Exception) -> bool:
    """Say whether the server is away for what may be a moment; a file never is."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    told = getattr(error, "orig", None) or error
    return isinstance(told, ConnectionError) or str(getattr(told, "sqlstate", None)).startswith(_AWAY)


def parse_url(url: str) -> URL:
    """Return `url` with the driver we use; raise `InvalidInput` when it is none of a database we know."""
    scheme, is_path, path = url.partition(":///")
    if is_path and DRIVERS.get(scheme) == SQLITE:
        return URL.create(SQLITE, database=path)  # as it is: '?', '#' and '%' are characters of file names
    try:
        parsed = make_url(url)
        return parsed.set(drivername=DRIVERS[parsed.drivername])
    except (ArgumentError, KeyError) as error:
        # The URL itself is not quoted: it may hold a password.
        raise InvalidInput(
            "the journal URL cannot be used; set ECHELON_JOURNAL_URL to sqlite:///<file> or postgresql://<host>/<database>"
        ) from error


def lock_schema(connection: Connection) -> None:
    """Keep every other process from migrating until the transaction of `connection` ends."""
    # SQLite has only one writer anyway: its transaction began with the lock.
    if connection.dialect.name == POSTGRESQL:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})


def lock_job(connection: Connection, job: str) -> None:
    """Keep every other process from asking the standing budgets of a job until the transaction ends (F10)."""
    # SQLite has only one writer anyway.
    if connection.dialect.name == POSTGRESQL:
        query = text("SELECT pg_advisory_xact_lock(CAST(:lock AS int), hashtext(:job))")
        connection.execute(query, {"lock": _STANDING_LOCK, "job": job})


def announce(connection: Connection, run_ids: list[str]) -> None:
    """Tell all who listen that runs have new events, once the transaction of `connection` is committed."""
    # Nobody listens to a file.
    if connection.dialect.name == POSTGRESQL:
        query = text("SELECT pg_notify(:channel, run_id) FROM unnest(CAST(:run_ids AS text[])) AS run_id")
        connection.execute(query, {"channel": CHANNEL, "run_ids": run_ids})


#: Seconds since 1970 by the clock of the database, which all processes that share it share too.
_NOW_SECONDS = {
    SQLITE: "((julianday('now') - 2440587.5) * 86400.0)",
    POSTGRESQL: "extract(epoch from clock_timestamp())::float8",
}


def now_seconds(dialect: str) -> ColumnElement[float]:
    """Return the expression for the time now, in seconds since 1970."""
    return literal_column(_NOW_SECONDS[dialect], Float)


def sqlite_engine(url: URL) -> Engine:
    """Return the engine for a file, which is made here when there is none."""
    if url.database in {None, "", ":memory:"}:
        raise InvalidInput("a journal in memory is lost with its process; set ECHELON_JOURNAL_URL to sqlite:///<file>")
    path = Path(str(url.database))
    _prepare_file(path)
    return _engine_for_file(url, identity_of(path))


def identity_of(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of its name; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@lru_cache(maxsize=8)
def _engine_for_file(url: URL, _identity: tuple[int, int] | None) -> Engine:
    """Return one engine for each file: it keeps the statements that it compiled, which cost more than a small run.

    A file that was put in the place of another one gets an engine, and so connections, of its own. There is no limit of
    connections: several journals of one process may share them, and each of them has few threads.
    """
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, max_overflow=-1)
    _own_transactions(engine)
    return engine


def _prepare_file(path: Path) -> None:
    """Make the file, and let readers and the writer work side by side (WAL, which the file remembers)."""
    private_folder(path.parent)
    if path.exists() and (missing := missing_bytes(path)):
        raise OSError(
            f"the file is cut short, its last {missing} bytes are gone, and what is left cannot be trusted; put a copy "
            "of it back"
        )
    try:
        make_file(path)  # what SQLite puts beside it, it makes as private as this
        with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)) as connection:
            torn = torn_for_good(path, connection)
            connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        raise OSError(str(error)) from error
    if torn:
        log.warning(
            "the last write to the journal %s was cut off; %d bytes of it are dropped, all that was acknowledged "
            "before is there",
            path,
            torn,
        )


def _own_transactions(engine: Engine) -> None:
    """Begin transactions ourselves: the driver begins late, then a writer that has read is refused without waiting."""

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction] - called by SQLAlchemy
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in SQLITE_PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction] - called by SQLAlchemy
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def postgresql_engine(url: URL) -> "AsyncEngine":
    """Return the engine for a server; connections are made when they are needed."""
    from sqlalchemy.ext.asyncio import create_async_engine  # with it comes the ORM, which a file does not need

    try:
        engine = create_async_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise InvalidInput(
            "the journal URL names PostgreSQL, but asyncpg is not installed: pip install 'echelon[postgres]'"
        ) from error

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction] - called by SQLAlchemy
        cursor = connection.cursor()
        for setting in POSTGRESQL_SETTINGS:
            cursor.execute(f"SET {setting}")
        cursor.close()
        connection.commit()  # else it is taken back with the transaction it began

    return engine
