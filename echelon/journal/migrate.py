"""Bring a journal to the revision of this code. Alembic is imported only when there is something to do (0.3 s)."""

from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from echelon.journal.dialects import lock_schema
from echelon.journal.schema import HEAD
from echelon.model.errors import JournalError

MIGRATIONS = Path(__file__).parent / "migrations"

_VERSION = table("alembic_version", column("version_num"))


def is_at_head(connection: Connection) -> bool:
    """Say whether there is nothing to do."""
    return _revision(connection) == HEAD


def upgrade(connection: Connection) -> None:
    """Upgrade the database where it is behind; raise `JournalError` where it is ahead of this code.

    Processes that open it at the same time wait for the first one, then find nothing left to do.
    """
    lock_schema(connection)
    revision = _revision(connection)
    if revision == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise JournalError(
            f"the journal was written by a newer Echelon (revision {revision}, this one knows {HEAD}). "
            "Upgrade echelon, or let ECHELON_JOURNAL_URL name another journal"
        )
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    """Return the revision of the database; None when it is empty."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(select(_VERSION.c.version_num))
