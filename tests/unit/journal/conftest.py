import asyncio
import contextlib
import os
import uuid
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from sqlalchemy import text

from echelon.journal.journal import SqlJournal
from echelon.settings import Settings
from echelon.testing.run_events import run_started
from tests.chaos.postgres_server import PostgresServer, programs

pytest.register_assert_rewrite("echelon.testing.journal_contract")

NAMED = "ECHELON_TEST_POSTGRES_URL"

#: Makes a journal on a server an empty one.
EMPTY = (
    "TRUNCATE runs, events, steps, concerns, dispositions, reopenings, gates, autonomy, reviews, adjustments, "
    "sessions, standing_spent, standing_claims CASCADE"
)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


@pytest.fixture
async def journal(settings):
    async with SqlJournal.open(settings) as opened:
        await opened.append(run_started())
        yield opened


@pytest.fixture
async def another(settings, journal):
    """Another process, as far as the database can tell."""
    async with SqlJournal.open(settings) as opened:
        yield opened


@pytest.fixture
def expire(journal):
    """End the leases of a run, as if their processes had not been heard of for long."""

    async def end(run_id):
        statement = text("UPDATE sessions SET expires = 0 WHERE run_id = :run_id")
        await journal._database.write(lambda connection: connection.execute(statement, {"run_id": run_id}))

    return end


@pytest.fixture(scope="session")
def postgres_server():
    """A server: one that the environment names, else one of our own. Without both it is skipped, but never in CI."""
    with contextlib.ExitStack() as stack:
        yield os.environ.get(NAMED) or _own_server(stack)


@contextlib.contextmanager
def _database(server):
    name = f"echelon_{uuid.uuid4().hex}"
    _told(server, f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    _told(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres(postgres_server):
    """A database for many tests."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture
def blank(postgres_server):
    """A database without a journal in it."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture
async def emptied(postgres):
    """The same, empty again when the test is over."""
    yield postgres
    await _tell(postgres, EMPTY)


@pytest.fixture(params=["sqlite", "postgresql"])
def on_both(request, tmp_path):
    """Settings of the same journal on both databases, which is empty for each test."""
    if request.param == "sqlite":
        return Settings(home=tmp_path / "home")
    return Settings(home=tmp_path / "home", journal_url=request.getfixturevalue("emptied"))


def _own_server(stack):
    if programs() is None and not os.environ.get("CI"):
        pytest.skip(f"PostgreSQL is not installed, and {NAMED} names no server")
    server = stack.enter_context(PostgresServer()).url.rpartition("/")[0]
    # Power cuts are not tried here, and half a second a database is saved.
    _told(server, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    return server


def _told(server, *statements):
    """Tell a server something, from outside of the event loop that may run."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(_tell(f"{server}/postgres", *statements))).result()


async def _tell(url, *statements):
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()
