"""Two sides of a comparison, each in a process of its own, in turns on one Prefect server."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from echelon.engine.server.kept import LocalServer

#: The names of the two, as `--side` of a script takes them.
SIDES = ("prefect", "echelon")


class Side:
    """A process that runs what it is asked for, one after the other."""

    def __init__(self, script: str, name: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, script, "--side", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def measure(self, given: Any, rest_seconds: float = 1.0) -> Any:
        """Rest, ask for a run, and return what was measured; the server records behind a run, no side pays for both."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        time.sleep(rest_seconds)
        print(json.dumps(given), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())


@contextlib.contextmanager
def two_sides(script: str, folder: str, plain_logging: str) -> Iterator[tuple[Side, Side]]:
    """Give plain Prefect and Echelon, on the server that `echelon up` keeps, so that its noise meets both."""
    kept = LocalServer(Path(folder))
    server, _ = kept.up(port=0)
    plain = Side(script, "prefect", {"PREFECT_API_URL": server.url, "PREFECT_LOGGING_LEVEL": plain_logging})
    ours = Side(script, "echelon", {"ECHELON_HOME": folder})
    try:
        yield plain, ours
    finally:
        for side in (plain, ours):
            side.process.communicate()
        kept.down()


def answer(measured: Callable[[Any], Awaitable[Any]], warm: Any) -> None:
    """Be a side: measure what each line of stdin asks for; `warm` is measured first, as what is slow once is paid."""

    async def answering() -> None:
        await measured(warm)
        for line in sys.stdin:
            print(json.dumps(await measured(json.loads(line))), flush=True)

    asyncio.run(answering())
