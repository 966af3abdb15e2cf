"""A child process that is never left behind: own group, bounded output, ended with all its children.

No shell is involved anywhere: arguments arrive as they are given.
"""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: How long a process may take to end itself when asked to, in seconds.
GRACE_SECONDS = 2.0

#: How much of stderr is kept: its end, in bytes.
STDERR_TAIL_BYTES = 8 * 1024

_CHUNK_BYTES = 64 * 1024


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
    """Run a program to its end. When this is cancelled, or the program ends, nothing of its group lives on.

    `OSError` when it cannot be started. A child that makes a session of its own has left the group and is not ended.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=DEVNULL if stdin is None else PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        start_new_session=True,
    )
    try:
        return await _follow(process, stdin, limit_bytes)
    finally:
        await _end(process, grace_seconds)


async def _follow(process: Process, stdin: bytes | None, limit_bytes: int) -> Finished:
    async with asyncio.TaskGroup() as group:
        stdout = group.create_task(_read(process, limit_bytes))
        stderr = group.create_task(_read_tail(process))
        group.create_task(_feed(process, stdin))
        await process.wait()
        _signal(process, signal.SIGKILL)  # children that outlive it would keep the pipes open
    assert process.returncode is not None, "it was waited for"
    return Finished(exit_code=process.returncode, stdout=stdout.result(), stderr_tail=stderr.result())


async def _read(process: Process, limit_bytes: int) -> bytes | None:
    assert process.stdout is not None, "it is a pipe"
    read = bytearray()
    while chunk := await process.stdout.read(_CHUNK_BYTES):
        read += chunk
        if len(read) > limit_bytes:
            _signal(process, signal.SIGKILL)
            return None
    return bytes(read)


async def _read_tail(process: Process) -> bytes:
    assert process.stderr is not None, "it is a pipe"
    tail = b""
    while chunk := await process.stderr.read(_CHUNK_BYTES):
        tail = (tail + chunk)[-STDERR_TAIL_BYTES:]
    return tail


async def _feed(process: Process, stdin: bytes | None) -> None:
    if stdin is None or process.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may end without reading everything
        process.stdin.write(stdin)
        await process.stdin.drain()
    process.stdin.close()


async def _end(process: Process, grace_seconds: float) -> None:
    """Ask the group to end, and make it; a second cancellation shortens the asking."""
    try:
        if process.returncode is None and _signal(process, signal.SIGTERM):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(grace_seconds):
                    await process.wait()
    finally:
        _signal(process, signal.SIGKILL)
        # asyncio offers no other way to let go of pipes that a child outside of the group still holds
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001


def _signal(process: Process, number: signal.Signals) -> bool:
    """Signal the whole group; False when nothing of it is left."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # macOS answers the second for a group of zombies
        return False
    return True
