"""The local Prefect server that `echelon up` keeps running, with its user interface and its scheduler."""

import json
import urllib.parse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from echelon.engine.server.database import ServerDatabase, claim_database
from echelon.engine.server.loopback import LOOPBACK
from echelon.engine.server.settings import database_is_chosen
from echelon.engine.server.spawn import START_SECONDS, ServerProcess, spawn
from echelon.journal.private import private_folder, write_private
from echelon.model.errors import ServerError

#: Prefect's own default, where people look for the user interface.
DEFAULT_PORT = 4200

#: How long a kept server may take to end before it is killed, in seconds.
DOWN_SECONDS = 15.0


@dataclass(frozen=True)
class KeptServer:
    """A server that keeps running, as the state file in the home describes it."""

    pid: int
    url: str
    #: When it was started, ISO 8601, UTC.
    started: str
    #: The process's own creation time in seconds since 1970, which tells it from a later process of the same number.
    created: float

    @property
    def ui_url(self) -> str:
        """The address of the user interface."""
        return self.url.removesuffix("/api")

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return urllib.parse.urlsplit(self.url).port or 0

    def is_at(self, url: str) -> bool:
        """Say whether an address is that of this server, by whichever of the names of this machine for itself."""
        asked = urllib.parse.urlsplit(url)
        return asked.hostname in LOOPBACK and asked.port == self.port


class LocalServer:
    """What `echelon up` and `echelon down` do in one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "prefect"
        self.state_file = self.folder / "server.json"

    def running(self) -> KeptServer | None:
        """Return the kept server, if there is one; a state file that a crash left behind is removed."""
        if not self.state_file.exists():
            return None
        try:
            server = KeptServer(**json.loads(self.state_file.read_text()))
        except (OSError, ValueError, TypeError):
            server = None
        if server is not None and _alive(server):
            return server
        self.state_file.unlink(missing_ok=True)
        return None

    def up(self, port: int = DEFAULT_PORT, hosts: Sequence[str] = ()) -> tuple[KeptServer, bool]:
        """Start the server unless it runs already; return it, and whether this call started it.

        The port is the wished one, or any free one when that is taken. The server listens on loopback only; `hosts` are
        names that it goes by besides those of this machine for itself. Returns when it answers.

        Raises:
            ServerError: it does not start, or a run is using the home's database at this moment.
        """
        running = self.running()
        if running is not None:
            return running, False
        process = self._spawn_in_home(port, hosts)
        try:
            server = self._record(process)
            process.wait_ready(START_SECONDS)
        except BaseException:
            self.state_file.unlink(missing_ok=True)
            process.stop()
            raise
        process.detach()
        return server, True

    def down(self) -> KeptServer | None:
        """End the server and return what it was, or None when none was running."""
        server = self.running()
        if server is not None:
            _end(server.pid)
            self.state_file.unlink(missing_ok=True)
        return server

    def _spawn_in_home(self, port: int, hosts: Sequence[str]) -> ServerProcess:
        try:
            return self._spawn(port, hosts)
        except OSError as error:
            raise ServerError(
                f"no server can be kept in {self.folder}: {error.strerror or error}; "
                "ECHELON_HOME names another folder, which you may write and whose disk has room"
            ) from error

    def _spawn(self, port: int, hosts: Sequence[str]) -> ServerProcess:
        private_folder(self.folder)
        database = ServerDatabase(url=None) if database_is_chosen() else claim_database(self.folder, share=False)
        # The built user interface is put here instead of into the installed package, which may not be writable.
        settings = {"PREFECT_SERVER_UI_STATIC_DIRECTORY": str(self.folder / "ui")}
        return spawn(
            self.folder, database, settings, log=self.folder / "kept-server.log", port=port, kept=True, hosts=hosts
        )

    def _record(self, process: ServerProcess) -> KeptServer:
        try:
            created = psutil.Process(process.pid).create_time()
        except psutil.NoSuchProcess as error:
            raise process.failure("it ended at once") from error
        started = datetime.now(UTC).isoformat(timespec="seconds")
        server = KeptServer(pid=process.pid, url=process.url, started=started, created=created)
        write_private(self.state_file, json.dumps(asdict(server)).encode())
        return server


def kept_server(home: Path) -> KeptServer | None:
    """Return the server that `echelon up` keeps running for this home, if any."""
    return LocalServer(home).running()


def _alive(server: KeptServer) -> bool:
    try:
        process = psutil.Process(server.pid)
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - server.created) < 1
    except psutil.NoSuchProcess:
        return False


def _end(pid: int) -> None:
    process = psutil.Process(pid)
    process.terminate()
    try:
        process.wait(DOWN_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(DOWN_SECONDS)
