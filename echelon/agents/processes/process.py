"""A child process that is never left behind: own group, bounded output, ended with all its children.

No shell is involved anywhere: arguments arrive as they are given. Built on asyncio's protocol for child processes,
because `Process.wait()` of Python 3.11 does not return while a grandchild holds the pipes of a child that has ended.
"""

import asyncio
import codecs
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from echelon.agents.observed import OBSERVER, Observer
from echelon.agents.processes.owner import owned
from echelon.agents.processes.reaper import watched
from echelon.resilience.timeout import pulse

#: How long a process may take to end itself when asked to, in seconds.
GRACE_SECONDS = 2.0

#: How much of stderr is kept: its end, in bytes.
STDERR_TAIL_BYTES = 8 * 1024

_STDIN, _STDOUT = 0, 1


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a process left."""

    exit_code: int
    """Its exit code; negative: the signal that killed it."""
    stdout: bytes | None
    """What it wrote; None when that was more than allowed, and it was killed for it."""
    stderr_tail: bytes
    """The end of what it wrote to stderr."""


async def run_process(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    limit_bytes: int,
    grace_seconds: float = GRACE_SECONDS,
) -> Finished:
    """Run a program to its end. When this is cancelled, or the program ends, or we are killed, its group ends too.

    `env` is its whole environment; None: that of this process. What it writes is a heartbeat of the attempt under way.
    `OSError` when it cannot be started. A child that makes a session of its own has left the group and is not ended.
    """
    observer = OBSERVER.get()
    _, child = await asyncio.get_running_loop().subprocess_exec(
        lambda: _Child(limit_bytes, pulse(), observer),
        *argv,
        stdin=DEVNULL if stdin is None else PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=cwd,
        env={**(os.environ if env is None else env), **owned()},
        start_new_session=True,
    )
    with watched(child.group):
        try:
            child.feed(stdin)
            await child.exited.wait()
            return await child.result(grace_seconds)
        finally:
            await child.end(grace_seconds)


class _Child(asyncio.SubprocessProtocol):
    """Collects what a process writes, and ends its group."""

    def __init__(self, limit_bytes: int, beat: Callable[[], None], observer: Observer | None) -> None:
        self._beat = beat
        self._observer = observer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.exited = asyncio.Event()
        self._closed = asyncio.Event()
        self._limit_bytes = limit_bytes
        self._stdout = bytearray()
        self._stderr_tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    @property
    def group(self) -> int:
        """Its process group: it leads one of its own."""
        return self._transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._beat()
        if fd != _STDOUT:
            self._stderr_tail = (self._stderr_tail + data)[-STDERR_TAIL_BYTES:]
            if self._observer is not None:
                self._observer.wrote("stderr", self._decoder.decode(data))
        elif not self._too_much:
            self._stdout += data
            if self._too_much:
                self._signal(signal.SIGKILL)

    def process_exited(self) -> None:
        self._signal(signal.SIGKILL)  # children that outlive it would keep the pipes open
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._closed.set()

    def feed(self, stdin: bytes | None) -> None:
        """Give it its input; it may end without reading everything."""
        if stdin is not None:
            pipe = cast("asyncio.WriteTransport", self._transport.get_pipe_transport(_STDIN))
            pipe.write(stdin)
            pipe.write_eof()

    async def result(self, grace_seconds: float) -> Finished:
        """Return what it left, once its pipes are read to their end or held by something that left the group."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await self._closed.wait()
        return Finished(
            exit_code=self._transport.get_returncode() or 0,
            stdout=None if self._too_much else bytes(self._stdout),
            stderr_tail=self._stderr_tail,
        )

    async def end(self, grace_seconds: float) -> None:
        """Ask the group to end, and make it; a second cancellation shortens the asking."""
        try:
            if not self.exited.is_set():
                self._signal(signal.SIGTERM)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(grace_seconds):
                        await self.exited.wait()
        finally:
            if not self.exited.is_set():
                self._signal(signal.SIGKILL)
                await self.exited.wait()
            self._transport.close()

    @property
    def _too_much(self) -> bool:
        return len(self._stdout) > self._limit_bytes

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the second: macOS, of a group of zombies
            os.killpg(self.group, number)
