"""The Prefect server behind a run: the one that is configured, the one kept by `echelon up`, or one of its own.

    with resolve_server(home) as server:        # an embedded server boots in the background from here on
        plan = ...                              # time well spent
        server.wait_ready()
        with server.connected():
            asyncio.run(flow())

Importing this module must not import Prefect, so that a server can be spawned in the first 0.1 s of a run.
"""

import asyncio
import contextlib
import enum
import http.client
import logging
import os
import sys
import threading
from collections.abc import Generator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from echelon.engine.server import settings
from echelon.engine.server.database import ServerDatabase, claim_database
from echelon.engine.server.kept import kept_server
from echelon.engine.server.spawn import START_SECONDS, ServerProcess, answer, spawn
from echelon.engine.server.trust import is_trusted
from echelon.journal.private import private_folder
from echelon.model.errors import ServerError
from echelon.redaction import redact

log = logging.getLogger("echelon.engine.server")

#: A server that somebody else runs has to answer at once.
REACH_SECONDS = 2.5

#: How long the client's own queue of events may take to be sent before the server is stopped, in seconds.
FLUSH_SECONDS = 15.0


class ServerKind(enum.StrEnum):
    """Whose server a run uses."""

    #: The one named by PREFECT_API_URL or the active Prefect profile.
    CONFIGURED = "configured"
    #: The one `echelon up` keeps running on this machine.
    KEPT = "kept"
    #: A child process that lives exactly as long as the run.
    EMBEDDED = "embedded"


class ServerHandle:
    """A Prefect API to run on. As a context manager it is started on entry and stopped on exit."""

    #: The API that the Prefect of this process was last connected to; empty before the first.
    _told: ClassVar[str] = ""

    def __init__(self, kind: ServerKind, url: str, home: Path, origin: str = "") -> None:
        self.kind = kind
        #: The API's address, ending in /api.
        self.url = url
        self.home = home
        #: Where the user chose it, in words.
        self.origin = origin
        self._before: dict[str, str | None] | None = None

    def start(self) -> Self:
        """Set the environment of the client; return at once."""
        if self._before is None:
            self._before = settings.configure(self.home, self._client_url())
            if self.kind is ServerKind.CONFIGURED:
                # Prefect itself would ask files in the working folder first.
                self._before["PREFECT_API_URL"] = os.environ.get("PREFECT_API_URL")
                os.environ["PREFECT_API_URL"] = self.url
        return self

    def stop(self) -> None:
        """Send what the client still has to tell, and give the environment back."""
        flush_client()
        if self._before is not None:
            settings.restore(self._before)
            self._before = None

    def wait_ready(self, timeout_seconds: float = REACH_SECONDS) -> None:
        """Block until the API answers.

        Raises:
            ServerError: it does not; with what was asked, why it failed and what to do.
        """
        try:
            status = answer(self.url, timeout_seconds)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(str(error) or type(error).__name__) from error
        if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise self._unreachable(f"it answers with HTTP status {status}")

    def is_open(self) -> bool:
        """Say whether whoever reaches the server may use it, because it asks for no credentials."""
        return answer(self.url, REACH_SECONDS, "/admin/version") == http.HTTPStatus.OK

    async def ready(self, timeout_seconds: float | None = None) -> None:
        """Wait for the API like `wait_ready`, while the event loop goes on."""
        arguments = () if timeout_seconds is None else (timeout_seconds,)
        await asyncio.to_thread(self.wait_ready, *arguments)

    async def check(self) -> None:
        """Raise `ServerError` at once when the server that the user chose does not answer.

        The one that is kept here was found alive; should it not answer after all, that costs the picture, not the run.
        """
        if self.kind is ServerKind.CONFIGURED:
            await self.ready()

    @contextlib.contextmanager
    def connected(self) -> Generator[Self]:
        """Make the Prefect of this process use this server inside the block, whenever it was imported."""
        # What sends events stays connected to the server it began with: another one would never hear of this run.
        if ServerHandle._told not in ("", self.url):
            flush_client()
        ServerHandle._told = self.url
        with settings.prefect_settings(self.home, self._client_url()):
            yield self

    def _client_url(self) -> str | None:
        return None if self.kind is ServerKind.CONFIGURED else self.url

    def _unreachable(self, reason: str) -> ServerError:
        if self.kind is ServerKind.KEPT:
            remedy = "run `echelon down`, then `echelon up`, or continue without it"
        else:
            remedy = "start that server, correct the address, or remove the setting to run on an embedded server"
        chosen = f", chosen by {self.origin}" if self.origin else ""
        return ServerError(redact(f"the Prefect server at {self.url}{chosen}, cannot be reached: {reason}; {remedy}"))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class EmbeddedServer(ServerHandle):
    """An API-only Prefect server as a child process, on loopback, with its files below `home`.

    Runs of one process that overlap share one server: `start` and `stop` count. The records of a second *process* in
    the same home go to a database of its own, which ends with it (`lasting` is False): SQLite has one writer.
    """

    _shared: ClassVar[dict[Path, "EmbeddedServer"]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, home: Path) -> None:
        super().__init__(ServerKind.EMBEDDED, "", home)
        self._users = 0
        self._process: ServerProcess | None = None

    @classmethod
    def of(cls, home: Path) -> "EmbeddedServer":
        """Return this process's server for a home: the one that is running, or a new one."""
        with cls._lock:
            return cls._shared.setdefault(home.resolve(), cls(home))

    @classmethod
    def urls(cls) -> frozenset[str]:
        """Return the addresses of all servers this process runs itself."""
        with cls._lock:
            return frozenset(server.url for server in cls._shared.values())

    @property
    def lasting(self) -> bool:
        """Will Prefect's records of this run still be there afterwards?"""
        return self._process is not None and self._process.database.lasting

    @property
    def pid(self) -> int | None:
        """The id of the server's process while it runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> Self:
        """Spawn the server and return at once; it can be talked to from now on, and answers when it is up."""
        with self._lock:
            if self._process is None:
                self._process = spawn_embedded(self.home)
                self.url = self._process.url
                self._shared[self.home.resolve()] = self
            self._users += 1
        return super().start()

    def wait_ready(self, timeout_seconds: float = START_SECONDS) -> None:
        """Block until the API answers; raise ServerError with the end of the server's log when it never will."""
        process = self._process
        if process is None:
            raise ServerError("the embedded Prefect server is not started: call start(), or use it in a with block")
        process.wait_ready(timeout_seconds)

    async def check(self) -> None:
        """An embedded server is started for whoever needs it."""

    def stop(self) -> None:
        """End the server when its last user stops, after everything that it was told is recorded."""
        with self._lock:
            self._users = max(0, self._users - 1)
            process = self._process if self._users == 0 else None
        if process is None:
            return
        super().stop()
        with self._lock:
            self._process = None
            self._shared.pop(self.home.resolve(), None)
        process.stop()


def spawn_embedded(home: Path, *, share: bool = True) -> ServerProcess:
    """Spawn a server that lives as long as this process wants; `share` lets it borrow a database where it must.

    Raises `ServerError` when another server has the records of the home, and `share` is False.
    """
    folder = home / "prefect"
    if settings.database_is_chosen():
        private_folder(folder)
        database = ServerDatabase(url=None)
    else:
        database = claim_database(folder, share=share)
    # A second server in this home must not write over the log of the first.
    log = (database.temporary or folder) / "server.log"
    return spawn(folder, database, settings.ONE_RUN_ONLY, log=log)


def resolve_server(home: Path) -> ServerHandle:
    """Return the server a run in `home` should use; nothing is started or asked yet.

    The user's own choice comes first, then the server that `echelon up` keeps, then an embedded one.
    """
    trusted = is_trusted(home, Path())
    configured = settings.configured_server(EmbeddedServer.urls(), trusted=trusted)
    refused = None if trusted else settings.refused_server(EmbeddedServer.urls())
    if refused is not None:
        _warn_of(refused)
    kept = kept_server(home)
    if configured is not None and (kept is None or not kept.is_at(configured.url)):
        return ServerHandle(ServerKind.CONFIGURED, configured.url, home, configured.origin)
    if kept is not None:
        return ServerHandle(ServerKind.KEPT, kept.url, home, "`echelon up`")
    return EmbeddedServer.of(home)


@cache
def _warn_of(refused: settings.ConfiguredServer) -> None:
    """Say once that a server is not used."""
    log.warning(
        "the Prefect server %s is not used: %s names it, and this folder is not trusted; --trust-folder uses it, now "
        "and later",
        redact(refused.url),
        refused.origin,
    )


def flush_client() -> None:
    """Send the events and log lines that the Prefect of this process still has in its queues."""
    if "prefect.events.worker" not in sys.modules:
        return
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for worker in (EventsWorker, APILogWorker):
        with _quiet(logging.getLogger(worker.__name__)):
            # In a thread of its own, where it blocks whether or not there is an event loop here.
            flush = threading.Thread(target=worker.drain_all, kwargs={"timeout": FLUSH_SECONDS, "at_exit": False})
            flush.start()
            flush.join(FLUSH_SECONDS)


@contextlib.contextmanager
def _quiet(logger: logging.Logger) -> Generator[None]:
    """Keep back warnings: a queue that is being emptied on purpose warns that it is not empty yet."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
