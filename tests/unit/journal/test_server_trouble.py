"""A PostgreSQL server that goes away, refuses or is restarted: told as trouble of the journal, not of a record."""

import contextlib

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.util import await_only

from echelon.journal.journal import SqlJournal
from echelon.model.errors import JournalError
from echelon.settings import Settings
from echelon.testing.run_events import step_ended

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(emptied, tmp_path):
    return Settings(home=tmp_path, journal_url=emptied)


async def cut_off(settings):
    """End every connection to the database, as a server does that is restarted."""
    admin = await asyncpg.connect(settings.journal_url)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()


async def test_a_connection_that_was_lost_between_writes_is_made_anew(settings, journal):
    await journal.append(step_ended("before"))
    await cut_off(settings)

    await journal.append(step_ended("after"))

    assert [found.node for found in await journal.steps("r1")] == ["before", "after"]


async def test_a_connection_that_is_lost_in_the_middle_of_a_write_is_told_as_trouble_with_the_server(settings, journal):
    def write(connection):
        connection.execute(text("SELECT 1"))
        await_only(cut_off(settings))
        connection.execute(text("SELECT 1"))

    with pytest.raises(JournalError, match=r"cannot write the journal postgresql\+asyncpg://.* that the disk has room"):
        await journal._database.write(write)


@contextlib.asynccontextmanager
async def closed_to_everybody(settings):
    """Let nobody connect to the database inside the block, and end the connections that there are."""
    url = make_url(settings.journal_url)
    admin = await asyncpg.connect(url.set(database="postgres").render_as_string(hide_password=False))
    await admin.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", url.database)
    try:
        yield
    finally:
        await admin.execute(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")
        await admin.close()


async def test_a_server_that_lets_nobody_in_is_told_as_trouble_with_the_server_and_not_of_a_record(settings, journal):
    async with closed_to_everybody(settings):
        with pytest.raises(JournalError, match=r"cannot write the journal .*not currently accepting connections"):
            await journal.append(step_ended("meanwhile"))
    await journal.append(step_ended("after"))

    assert [found.node for found in await journal.steps("r1")] == ["after"]


async def test_a_database_that_is_not_there_is_told(settings):
    url = settings.journal_url.rpartition("/")[0]

    with pytest.raises(JournalError, match=r"cannot open the journal .*database \"nowhere\" does not exist"):
        async with SqlJournal.open(Settings(home=settings.home, journal_url=f"{url}/nowhere")):
            pass


async def test_a_process_that_stops_in_the_middle_of_a_transaction_does_not_keep_its_locks_for_ever(journal):
    query = text("SHOW idle_in_transaction_session_timeout")

    assert await journal._database.read(lambda connection: connection.scalar(query)) == "10s"
