"""The door to the database: transactions to read and to write in, with its errors put into words once."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from echelon.journal.dialects import SQLITE, is_away, parse_url
from echelon.journal.drivers import Driver, Work, driver_for
from echelon.journal.feeds import Pauses
from echelon.journal.migrate import is_at_head, upgrade
from echelon.model.errors import JournalError
from echelon.redaction import redact

T = TypeVar("T")

#: The database is in trouble: nothing can be written at all, whatever the records are.
_TROUBLE = (OperationalError, InterfaceError, PoolTimeoutError, OSError)


def _lacks_file(url: URL) -> bool:
    """Say whether a database would be made by opening it."""
    return url.get_backend_name() == SQLITE and not Path(str(url.database)).exists()


class ConnectionLost(JournalError):
    """The server is away or coming back. What was written last may be there or not."""


class Database:
    """A journal database at the revision of this code."""

    def __init__(self, driver: Driver, name: str) -> None:
        self.name = name
        self._driver = driver

    @classmethod
    async def open(cls, url: str) -> Self:
        """Open the database at `url`, made and brought to the newest revision where needed; raise `JournalError`."""
        parsed = parse_url(url)
        name = redact(parsed.render_as_string(hide_password=True))
        with _explained("open", name, (SQLAlchemyError, OSError)):
            driver = driver_for(parsed)
            try:
                if not await driver.read(is_at_head):
                    await driver.write(upgrade)
            except BaseException:
                await driver.close()
                raise
        return cls(driver, name)

    @classmethod
    async def is_ready(cls, url: str) -> bool:
        """Say whether there is a database at `url` that can be read as it is; none is made, or brought up to date."""
        parsed = parse_url(url)
        if _lacks_file(parsed):
            return False
        with _explained("open", redact(parsed.render_as_string(hide_password=True)), (SQLAlchemyError, OSError)):
            driver = driver_for(parsed)
            try:
                return await driver.read(is_at_head)
            finally:
                await driver.close()

    @property
    def pauses(self) -> Pauses:
        """How often to look for what other processes wrote."""
        return self._driver.pauses

    @property
    def tells(self) -> bool:
        """Does the database tell that somebody wrote?"""
        return self._driver.tells

    async def read(self, work: Work[T]) -> T:
        """Do `work` on a connection that sees one state of the journal; raise `JournalError` when it cannot be read.

        `ConnectionLost`, which is one, when the server is away: then it may be asked again.
        """
        with _explained("read", self.name, (SQLAlchemyError, OSError)):
            return await self._driver.read(work)

    async def write(self, work: Work[T]) -> T:
        """Do `work` in a transaction that is committed at its end, or not at all.

        Raise `JournalError` when nothing can be written, `ConnectionLost` when nobody knows whether it was; what is the
        fault of a record is raised as it is.
        """
        with _explained("write", self.name, _TROUBLE):
            return await self._driver.write(work)

    async def listen(self, heard: Callable[[str], None], ready: Callable[[], None]) -> None:
        """Call `heard` with every run that got new events; returns where nobody tells, or when the line is cut."""
        with _explained("read", self.name, (SQLAlchemyError, OSError)):
            await self._driver.listen(heard, ready)

    async def close(self) -> None:
        """Close every connection."""
        await self._driver.close()


@contextmanager
def _explained(doing: str, name: str, kinds: tuple[type[Exception], ...]) -> Generator[None]:
    try:
        yield
    except Exception as error:
        if not isinstance(error, kinds) and not _is_lost(error):
            raise
        reason = redact(str(getattr(error, "orig", None) or error))
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
