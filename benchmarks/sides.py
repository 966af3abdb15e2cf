"""Sides of a comparison, each in a process of its own, in turns, with one Prefect server for those that need it."""

import asyncio
import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

#: The two of most comparisons, as `--side` of a script takes them.
SIDES = ("prefect", "echelon")

ROOT = Path(__file__).parents[1]

#: What a side says when it has warmed up.
READY = "ready"


class Side:
    """A process that runs what it is asked for, one after the other."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = " ".join(command)
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self._ready = False

    def wait_ready(self) -> None:
        """Wait until it has warmed up."""
        if not self._ready:
            self._ready = self._read() == READY

    def ask(self, given: Any) -> None:
        """Ask for a run."""
        assert self.process.stdin is not None
        self.wait_ready()
        print(json.dumps(given), file=self.process.stdin, flush=True)

    def answered(self, seconds: float) -> bool:
        """Wait so long for the answer at most; say whether it is there."""
        assert self.process.stdout is not None
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def answer(self) -> Any:
        """Return what was measured."""
        return self._read()

    def measure(self, given: Any, rest_seconds: float = 1.0) -> Any:
        """Rest, ask for a run, and return what was measured; the server records behind a run, no side pays for both."""
        self.wait_ready()
        time.sleep(rest_seconds)
        self.ask(given)
        return self.answer()

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} has ended; above is why")
        return json.loads(line)


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment of this process without what it says about Prefect and Echelon, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ECHELON_"))}
    quiet = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return kept | quiet | {"PYTHONPATH": path} | more


@contextlib.contextmanager
def kept_server(home: Path, environment: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """Give what a client of Prefect needs to use the server that `echelon up` keeps in a home, as its environment."""
    told = dict(environment or clean_environment()) | {"ECHELON_HOME": str(home)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    up = subprocess.run(
        [sys.executable, "-m", "echelon", "up", "--json", "--port", str(port)],
        env=told,
        stdout=subprocess.PIPE,
        check=True,
    )
    try:
        server = json.loads(up.stdout)
        yield {"PREFECT_API_URL": server["url"], "PREFECT_API_AUTH_STRING": Path(server["secret"]).read_text()}
    finally:
        subprocess.run([sys.executable, "-m", "echelon", "down"], env=told, stdout=subprocess.DEVNULL, check=False)


@contextlib.contextmanager
def two_sides(script: str, folder: str, plain_logging: str) -> Iterator[tuple[Side, Side]]:
    """Give plain Prefect and Echelon, on the server that `echelon up` keeps, so that its noise meets both."""
    with kept_server(Path(folder)) as client:
        plain = Side((script, "--side", "prefect"), clean_environment(**client, PREFECT_LOGGING_LEVEL=plain_logging))
        ours = Side((script, "--side", "echelon"), clean_environment(ECHELON_HOME=folder))
        try:
            yield plain, ours
        finally:
            for side in (plain, ours):
                side.process.communicate()


def answer(measured: Callable[[Any], Awaitable[Any]], warm: Any) -> None:
    """Be a side: measure what each line of stdin asks for; `warm` is measured first, as what is slow once is paid."""
    asyncio.run(answering(measured, warm))


async def answering(measured: Callable[[Any], Awaitable[Any]], warm: Any) -> None:
    """Be a side on a loop that runs already, and goes on while nothing is asked for: work may be left behind a run."""
    await measured(warm)
    print(json.dumps(READY), flush=True)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1) as reader:
        while line := await loop.run_in_executor(reader, sys.stdin.readline):
            print(json.dumps(await measured(json.loads(line))), flush=True)
