"""The door to the database: transactions to read and to write in, with its errors put into words once."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Self

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from echelon.journal.dialects import create_engine, is_away, parse_url
from echelon.journal.migrate import bring_to_head
from echelon.model.errors import JournalError

#: The database is in trouble: nothing can be written at all, whatever the records are.
_TROUBLE = (OperationalError, InterfaceError, PoolTimeoutError, OSError)


class ConnectionLost(JournalError):
    """The server is away or coming back. What was written last may be there or not."""


class Database:
    """A journal database at the revision of this code."""

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self.name = name
        self._engine = engine
        self._writing = engine.execution_options(writes=True)

    @classmethod
    async def open(cls, url: str) -> Self:
        """Open the database at `url`, made and brought to the newest revision where needed; raise `JournalError`."""
        parsed = parse_url(url)
        name = parsed.render_as_string(hide_password=True)
        with _explained("open", name, (SQLAlchemyError, OSError)):
            database = cls(create_engine(parsed), name)
            try:
                await bring_to_head(database._engine, database._writing)
            except BaseException:
                await database.close()
                raise
        return database

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one state of the journal; raise `JournalError` when it cannot be read.

        `ConnectionLost`, which is one, when the server is away: then it may be asked again.
        """
        with _explained("read", self.name, (SQLAlchemyError, OSError)):
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that is committed at the end of the block, or not at all.

        Raise `JournalError` when nothing can be written, `ConnectionLost` when nobody knows whether it was; what is the
        fault of a record is raised as it is.
        """
        with _explained("write", self.name, _TROUBLE):
            async with self._writing.begin() as connection:
                yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


@contextmanager
def _explained(doing: str, name: str, kinds: tuple[type[Exception], ...]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not isinstance(error, kinds) and not _is_lost(error):
            raise
        reason = getattr(error, "orig", None) or error
        kind = ConnectionLost if is_away(error) else JournalError
        raise kind(
            f"cannot {doing} the journal {name}: {reason}. "
            "Check that it is there, that you may write it and that the disk has room; "
            "ECHELON_HOME or ECHELON_JOURNAL_URL name another place"
        ) from error


def _is_lost(error: Exception) -> bool:
    """Say whether the server is gone or refuses us: drivers tell that in many ways, some of them in their own words."""
    if isinstance(error, DBAPIError):
        # Outside of a statement no record is at fault: it could not connect, or not commit.
        return is_away(error) or error.statement is None
    return type(error).__module__.startswith("asyncpg.")
