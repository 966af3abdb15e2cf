"""The database of a local Prefect server: one file, one connection, one server process at a time.

Only files and locks may live here; no Prefect, because all of it happens before the server's process is spawned.
"""

import contextlib
import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from echelon.journal.private import private_folder
from echelon.model.errors import ServerError

if sys.platform != "win32":
    import fcntl

#: How long to wait for a server that is writing its last records, in seconds (it takes 1 or 2).
CLOSING_SECONDS = 5.0

#: What a server that is about to end writes into its lock file.
CLOSING = "closing"


@dataclass
class ServerDatabase:
    """Where one server process keeps its records, and the lock that makes it the only one to do so."""

    #: What Prefect connects to; None when the user's own environment names a database.
    url: str | None
    #: The file behind the URL, if there is one.
    file: Path | None = None
    #: The lock to hand down to the server's process, which holds it for as long as it lives.
    lock: int | None = None
    lock_file: Path | None = None
    #: Files that end with the server: this database was only borrowed space.
    temporary: Path | None = None

    @property
    def empty(self) -> bool:
        """Is there no database yet, so that the server will make it from nothing?"""
        return self.file is not None and not self.file.exists()

    @property
    def migrated(self) -> bool:
        """Does the file already have the tables of the installed Prefect?"""
        return self.file is not None and _recorded_version(self.file) == prefect_version()

    @property
    def lasting(self) -> bool:
        """Will the records still be there when the server has ended?"""
        return self.url is None or (self.file is not None and self.temporary is None)

    def release(self) -> None:
        """Let go of this process's hold; a server process that inherited the lock keeps its own."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    def discard(self) -> None:
        """Remove what was only borrowed; the server must have ended."""
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)


def single_connection_url(file: Path) -> str:
    """Return a SQLite URL over which Prefect opens one connection, for a file in a folder named ':memory:'.

    Over a pool of connections SQLite answers "database is locked" as soon as two subflows start together, the API
    turns that into a 503, and the client waits 2, 4, 8 s. Prefect keeps one connection when it reads ':memory:' in the
    URL (`AioSqliteConfiguration.engine`), also in the name of a folder. Remove when Prefect has a setting for it;
    `tests/unit/engine/test_prefect_doors.py` fails when the trick stops working.
    """
    if sys.platform == "win32":  # no ':' in file names there: in memory, nothing is kept
        return "sqlite+aiosqlite:///file::memory:?cache=shared&uri=true&check_same_thread=false"
    return f"sqlite+aiosqlite:///{file}"


def database_file(folder: Path) -> Path:
    """Return where the records of a server whose files are in `folder` are kept.

    Each minor version of Prefect has a file of its own: what a newer one has migrated, an older one cannot open.
    """
    return folder / f"prefect-{_minor(prefect_version())}" / ":memory:" / "prefect.db"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _adopt_earlier(file: Path, folder: Path) -> None:
    """Go on with the file of a version of ours that kept one for all versions of Prefect, where it is of this one."""
    earlier = folder / ":memory:"
    version = _recorded_version(earlier / file.name)
    if not file.exists() and version is not None and _minor(version) == _minor(prefect_version()):
        private_folder(file.parent.parent)
        with contextlib.suppress(OSError):  # another process has just done so
            earlier.rename(file.parent)


def claim_database(folder: Path, *, share: bool) -> ServerDatabase:
    """Take the database in `folder`, or one of its own when another server has it and `share` allows that.

    Raises:
        ServerError: another server has it, and `share` is False.
    """
    private_folder(folder)
    if sys.platform == "win32":
        return ServerDatabase(url=single_connection_url(folder))
    lock_file = folder / "database.lock"
    lock = _lock(lock_file)
    if lock is not None:
        _adopt_earlier(database_file(folder), folder)
        return _prepared(ServerDatabase(url="", file=database_file(folder), lock=lock, lock_file=lock_file))
    if not share:
        holder = lock_file.read_text().strip() or "unknown"
        raise ServerError(
            f"the Prefect records in {folder} are in use by a run, or by its server that is closing (server process "
            f"{holder}); "
            "try again when that has ended, in some seconds"
        )
    own = Path(tempfile.mkdtemp(prefix="echelon-prefect-"))
    return _prepared(ServerDatabase(url="", file=database_file(own), temporary=own))


def _prepared(database: ServerDatabase) -> ServerDatabase:
    """Start a new file from the machine's template, which saves the 4 s of Prefect's migrations."""
    assert database.file is not None  # both callers have just set it
    database.url = single_connection_url(database.file)
    private_folder(database.file.parent)
    template = template_file()
    if not database.file.exists() and template.exists():
        arriving = database.file.with_suffix(f".{os.getpid()}")
        shutil.copyfile(template, arriving)
        arriving.replace(database.file)
        record_version(database.file)
    return database


def _lock(path: Path) -> int | None:
    """Lock a file for whoever holds the returned descriptor, or return None when somebody else has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + CLOSING_SECONDS
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        if path.read_text() != CLOSING or time.monotonic() > deadline:
            os.close(descriptor)
            return None
        time.sleep(0.02)


def prefect_version() -> str:
    """Return the version of the installed Prefect, without importing it."""
    return importlib.metadata.version("prefect")


def template_file() -> Path:
    """Return where this machine keeps an empty, migrated database for the installed Prefect."""
    return platformdirs.user_cache_path("echelon") / f"prefect-{prefect_version()}.db"


def version_file(database: Path) -> Path:
    """Return the note beside a database that says which Prefect migrated it."""
    return database.with_suffix(".json")


def record_version(database: Path) -> None:
    """Note that the installed Prefect's migrations have been applied."""
    version_file(database).write_text(json.dumps({"prefect": prefect_version()}))


def _recorded_version(database: Path) -> str | None:
    try:
        return json.loads(version_file(database).read_text())["prefect"] if database.exists() else None
    except (OSError, ValueError, KeyError):
        return None
