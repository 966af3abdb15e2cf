"""A PostgreSQL server of one's own, in a temporary folder, which may be killed: nobody else's data is near."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

#: Where Debian and its kin keep the programs, the newest version last.
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))

#: PostgreSQL refuses to run as root; then it runs as the user its package made.
USER = "postgres"

#: The server comes back within so many seconds after it was killed, its recovery included.
START_SECONDS = 30


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; None where it is not installed."""
    found = shutil.which("initdb")
    return Path(found).parent if found else PROGRAMS[-1] if PROGRAMS else None


class PostgresServer:
    """The server; `url` leads to an empty database on it."""

    def __init__(self) -> None:
        found = programs()
        assert found is not None, "PostgreSQL is not installed"
        self._programs = found
        self._folder = Path(tempfile.mkdtemp(prefix="echelon-postgres-"))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"postgresql://{USER}@127.0.0.1:{self._port}/postgres"

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            account = pwd.getpwnam(USER)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        self._call("initdb", "--auth=trust", f"--username={USER}", "--no-sync")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start it; back after a kill it first recovers what was committed."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        self._call("pg_ctl", "start", "--wait", f"--timeout={START_SECONDS}", "-o", options, "-l", str(self._log))

    def stop(self) -> None:
        """Stop it as its administrator does who does not wait for anybody: connections are ended, nothing is lost."""
        self._call("pg_ctl", "stop", "--wait", "--mode=fast", f"--timeout={START_SECONDS}")

    def kill(self) -> None:
        """Kill the server with all of its processes, as a failing machine does."""
        server = psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))
        family = [server, *server.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):  # the first to be killed is missed by the others, which end
                process.kill()
        psutil.wait_procs(family, timeout=START_SECONDS)
        time.sleep(0.05)  # until the system has taken their memory back

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _call(self, program: str, *arguments: str) -> None:
        who = {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        command = [str(self._programs / program), *arguments, "-D", str(self._data)]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder, **who
        )
