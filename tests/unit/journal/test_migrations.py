import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from echelon.journal import schema
from echelon.journal.dialects import parse_url
from echelon.journal.journal import SqlJournal
from echelon.journal.migrate import MIGRATIONS
from echelon.model.errors import InvalidInput, JournalError
from echelon.settings import Settings
from echelon.testing.run_events import run_started

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]

OPEN_AND_LIST_MODULES = """
import asyncio, sys
from pathlib import Path
from echelon.journal.journal import SqlJournal
from echelon.settings import Settings

async def main():
    async with SqlJournal.open(Settings(home=Path(sys.argv[1]))) as journal:
        await journal.runs()

asyncio.run(main())
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"alembic", "prefect", "fsspec", "mako", "aiosqlite", "asyncpg"}))
"""


def database(settings):
    return closing(sqlite3.connect(settings.home / "journal.db"))


def revision(settings):
    with database(settings) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchall()


def migrate(settings, how, to):
    engine = create_engine(f"sqlite:///{settings.home}/journal.db")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        how(config, to)
    engine.dispose()


async def open_and_close(settings):
    async with SqlJournal.open(settings) as journal:
        return await journal.runs()


def child(home):
    return subprocess.Popen(
        [sys.executable, "-c", OPEN_AND_LIST_MODULES, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


async def test_a_fresh_journal_is_made_at_the_newest_revision(settings):
    assert await open_and_close(settings) == ()
    assert revision(settings) == [(schema.HEAD,)]


async def test_the_newest_revision_is_the_one_the_code_expects():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


async def test_the_migrations_make_exactly_the_tables_of_the_code(settings):
    await open_and_close(settings)
    engine = create_engine(f"sqlite:///{settings.home}/journal.db")
    with engine.connect() as connection:
        without_indexes = {"include_object": lambda _object, _name, kind, _reflected, _other: kind != "index"}
        context = MigrationContext.configure(connection, opts=without_indexes)
        difference = compare_metadata(context, schema.metadata)
    engine.dispose()

    assert difference == []


async def test_an_older_journal_is_upgraded(settings):
    settings.home.mkdir()
    with database(settings) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")

    await open_and_close(settings)

    assert revision(settings) == [(schema.HEAD,)]


async def test_the_log_cannot_be_taken_back_and_the_journal_stays_as_it_is(settings):
    await open_and_close(settings)

    with pytest.raises(NotImplementedError, match="keep a copy of it before an upgrade"):
        migrate(settings, command.downgrade, "0002")
    assert revision(settings) == [(schema.HEAD,)]
    await open_and_close(settings)


async def test_every_older_revision_can_be_taken_back(settings):
    settings.home.mkdir()
    migrate(settings, command.upgrade, "0002")
    migrate(settings, command.downgrade, "0001")

    with database(settings) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        columns = {row[1] for row in connection.execute("PRAGMA table_info(runs)")}
    assert not tables & {"sessions", "claims"}
    assert not columns & {"token", "flow_run_id"}
    await open_and_close(settings)


async def test_a_journal_of_a_newer_version_is_left_alone(settings):
    await open_and_close(settings)
    with database(settings) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()

    with pytest.raises(JournalError, match=r"newer Echelon \(revision 9999, this one knows .*Upgrade echelon"):
        await open_and_close(settings)
    assert revision(settings) == [("9999",)]


async def test_an_upgrade_that_fails_leaves_the_journal_as_it_was(settings):
    settings.home.mkdir()
    with database(settings) as connection:
        connection.execute("CREATE TABLE events (in_the_way TEXT)")

    with pytest.raises(JournalError, match="events already exists"):
        await open_and_close(settings)
    with database(settings) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("events",)]


async def test_at_head_neither_alembic_nor_prefect_is_imported(settings):
    """`echelon runs` answers at once."""
    await open_and_close(settings)

    output, _ = child(settings.home).communicate()

    assert output == "[]\n"


async def test_processes_that_open_a_fresh_journal_at_once_do_not_collide(settings):
    children = [child(settings.home) for _ in range(4)]
    outputs = [process.communicate()[0] for process in children]

    assert [process.returncode for process in children] == [0] * 4
    assert any("alembic" in output for output in outputs)
    assert revision(settings) == [(schema.HEAD,)]


async def test_journals_that_open_at_once_in_one_process_do_not_collide(settings):
    assert await asyncio.gather(*[open_and_close(settings) for _ in range(5)]) == [()] * 5


# What cannot be opened


@pytest.fixture
def read_only_folder():
    """A folder nobody may write, seen by somebody who is not root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    folder.rmdir()


@contextmanager
def as_owner(folder, mode):
    user = os.geteuid()
    os.seteuid(os.getuid())
    folder.chmod(mode)
    yield
    folder.chmod(0o555)
    os.seteuid(user)


async def test_a_read_only_home_is_told_with_what_to_do(read_only_folder):
    with pytest.raises(JournalError, match=r"cannot open the journal .*/home/journal.db.*ECHELON_HOME"):
        await open_and_close(Settings(home=read_only_folder / "home"))


async def test_a_journal_that_may_only_be_read_refuses_to_be_written(read_only_folder):
    """The folder is writable for this test alone, while the journal is made."""
    with as_owner(read_only_folder, 0o777):
        await open_and_close(Settings(home=read_only_folder))
    database = read_only_folder / "journal.db"
    with as_owner(read_only_folder, 0o755):
        before = database.read_bytes()
        database.chmod(0o444)

    with pytest.raises(JournalError, match=r"cannot \w+ the journal .*(readonly database|unable to open)"):
        async with SqlJournal.open(Settings(home=read_only_folder)) as journal:
            await journal.append(run_started())
    assert database.read_bytes() == before
    with as_owner(read_only_folder, 0o777):
        database.unlink()


async def test_a_home_without_a_place_for_the_database_is_told(read_only_folder):
    with pytest.raises(JournalError, match=r"cannot open the journal .*unable to open database file"):
        await open_and_close(Settings(home=read_only_folder))


async def test_a_file_that_is_no_database_is_told(settings):
    settings.home.mkdir()
    (settings.home / "journal.db").write_bytes(b"not a database" * 100)

    with pytest.raises(JournalError, match="file is not a database"):
        await open_and_close(settings)


async def test_a_server_that_does_not_answer_is_told_without_the_password(tmp_path):
    settings = Settings(home=tmp_path, journal_url="postgresql://me:secret@127.0.0.1:1/none")

    with pytest.raises(JournalError, match=r"cannot open the journal postgresql\+asyncpg://me:\*\*\*@127") as error:
        await open_and_close(settings)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "sqlite://", "sqlite:///:memory:"])
async def test_a_url_that_cannot_be_used_is_refused(tmp_path, url):
    with pytest.raises(InvalidInput, match="ECHELON_JOURNAL_URL"):
        await open_and_close(Settings(home=tmp_path, journal_url=url))


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///a.db", "sqlite"),
        ("sqlite+aiosqlite:///a.db", "sqlite"),
        ("postgres://h/d", "postgresql+asyncpg"),
        ("postgresql://h/d", "postgresql+asyncpg"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg"),
    ],
)
async def test_people_need_not_know_the_driver(url, driver):
    assert parse_url(url).drivername == driver


async def test_an_unreadable_journal_is_told(settings):
    async with SqlJournal.open(settings) as journal:
        with database(settings) as connection:
            connection.execute("DROP TABLE events")

        with pytest.raises(JournalError, match=r"cannot read the journal .*no such table: events"):
            await journal.events("r1")


async def test_a_home_with_a_percent_sign_is_no_problem(tmp_path):
    async with SqlJournal.open(Settings(home=tmp_path / "100% mine")) as journal:
        await journal.append(run_started())

        assert len(await journal.runs()) == 1
