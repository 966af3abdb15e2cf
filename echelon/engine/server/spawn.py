"""Spawning the process of a local Prefect server, and ending it. The process itself is `process.py`."""

import asyncio
import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path

from echelon.engine.server.database import ServerDatabase, template_file, version_file
from echelon.engine.server.secret import SERVER_VARIABLE, choose_secret
from echelon.engine.server.settings import server_environment
from echelon.model.errors import ServerError

#: The server gives itself this long to write the last records, and 5 s to end; see `process.py`.
STOP_SECONDS = 30.0

#: A local server answers after 2 s on a slow machine, 10 s when it is the machine's first.
START_SECONDS = 120.0

#: How much of a server's log an error shows.
TAIL_LINES = 15

PROCESS_FILE = Path(__file__).with_name("process.py")


class ServerProcess:
    """A running server process: its address, its database, its log, and how to end it."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, database: ServerDatabase, log: Path) -> None:
        self._process = process
        self.database = database
        self.log = log
        self.url = f"http://127.0.0.1:{port}/api"

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Has the process ended, whatever way?"""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Let the server write its last records and end; kill it when that takes more than STOP_SECONDS."""
        if self._process.stdin is None:
            self._process.terminate()
        else:
            with contextlib.suppress(OSError):
                self._process.stdin.close()  # the end of the pipe is the signal, as it is when this process dies
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.database.discard()

    def wait_ready(self, timeout_seconds: float) -> None:
        """Block until the API answers; raise ServerError with the end of the log when it does not."""
        try:
            answer(self.url, timeout_seconds)  # no polling: the socket listens already, the answer comes when it can
        except (OSError, http.client.HTTPException) as error:
            raise self.failure(str(error) or type(error).__name__) from error

    async def ready(self, timeout_seconds: float = START_SECONDS) -> None:
        """Wait for the API like `wait_ready`, while the event loop goes on."""
        await asyncio.to_thread(self.wait_ready, timeout_seconds)

    def detach(self) -> None:
        """Leave the process to itself; it goes on when this one has ended."""
        self._process.returncode = 0  # otherwise Popen warns about a process that nobody waited for

    def failure(self, reason: str) -> ServerError:
        """Explain why the server does not answer, from the end of its log."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)  # a process that is dying may not be dead yet
        code = self._process.poll()
        state = "is still starting" if code is None else f"ended with exit code {code}"
        return ServerError(
            f"the local Prefect server did not start: its process {state} ({reason}).\n"
            f"The end of {self.log}:\n{tail(self.log)}\n"
            "What to do: `echelon doctor` checks the installation; or set PREFECT_API_URL to a server that runs."
        )


def spawn(
    folder: Path,
    database: ServerDatabase,
    settings: Mapping[str, str],
    *,
    log: Path,
    port: int = 0,
    kept: bool = False,
    hosts: Sequence[str] = (),
) -> ServerProcess:
    """Start a server process and return at once; requests are accepted from now on and answered when it is up.

    The listening socket is bound here and handed down, so the port is known without a race. A server that is not kept
    reads from a pipe whose other end is this process: when this process ends, however it ends, so does the server.
    It answers to whoever knows the secret that is kept in `folder`.
    `settings` are Prefect's, on top of those of every local server. `hosts` are names that it goes by besides those of
    this machine for itself.
    """
    environment = server_environment(folder, database.url) | dict(settings) | {SERVER_VARIABLE: choose_secret(folder)}
    if database.migrated:
        environment["PREFECT_SERVER_DATABASE_MIGRATE_ON_START"] = "false"
    try:
        with listen(port) as listener, log.open("wb") as output:
            bound: int = listener.getsockname()[1]
            environment |= _own_pages(bound)
            inherited = hand_down(listener)
            process = subprocess.Popen(  # noqa: S603  # our own interpreter and our own file
                [
                    sys.executable,
                    "-P",
                    str(PROCESS_FILE),
                    boot_message(database, inherited, bound, kept=kept, hosts=hosts),
                ],
                stdin=subprocess.DEVNULL if kept else subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                pass_fds=[number for number in (inherited, database.lock) if number is not None],
                # Ctrl-C in this terminal must not reach the server: the run still has its end to report.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
    finally:
        database.release()
    return ServerProcess(process, bound, database, log)


def _own_pages(port: int) -> dict[str, str]:
    """Return the settings by which the page of a server talks to that server, and no other page may."""
    names = ("127.0.0.1", "localhost")
    return {
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": ",".join(f"http://{name}:{port}" for name in names),
        "PREFECT_UI_API_URL": f"http://127.0.0.1:{port}/api",
    }


def hand_down(listener: socket.socket) -> int | None:
    """Return the number under which the child inherits the socket; on Windows the child has to bind the port again."""
    if sys.platform == "win32":
        listener.close()
        return None
    return listener.fileno()


def boot_message(
    database: ServerDatabase, inherited: int | None, port: int, *, kept: bool, hosts: Sequence[str] = ()
) -> str:
    """Return what the server's process is told; the meaning of each key is in `process.py`."""
    migrates = database.file is not None and not database.migrated
    message = {
        "socket": inherited,
        "port": port,
        "parent": None if kept else os.getpid(),
        "lock": str(database.lock_file) if database.lock_file else None,
        "template": str(template_file()) if database.empty else None,
        "database": str(database.file) if database.file else None,
        "noted": str(version_file(database.file)) if database.file and migrates else None,
        "temporary": str(database.temporary) if database.temporary else None,
        "hosts": list(hosts),
        "ephemeral": not kept,
    }
    return json.dumps(message)


def listen(port: int) -> socket.socket:
    """Bind a loopback port: the wished one, or any free one."""
    listener = socket.socket()
    if sys.platform != "win32":  # connections of a server that has just ended do not keep its port from the next one
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    listener.listen(100)
    return listener


def tail(log: Path) -> str:
    """Return the last lines of a log file."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:]) or "  (nothing was written)"


def answer(api_url: str, timeout_seconds: float, path: str = "/health") -> int:
    """Ask an API, for its health at first, and return the HTTP status; one connection, no proxy, no retries."""
    address = urllib.parse.urlsplit(api_url)
    secure = address.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(address.hostname or "", address.port, timeout=timeout_seconds)
    try:
        connection.request("GET", address.path.rstrip("/") + path)
        return connection.getresponse().status
    finally:
        connection.close()
