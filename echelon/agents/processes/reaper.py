"""Children do not outlive us: a helper process that ends them when this process dies without doing so itself.

A command has a group of its own, so that its whole family can be ended; for the same reason nothing tells it when we
are killed. The helper, one for each process of ours, reads from a pipe which groups are alive. However we end, the
system closes that pipe, and the helper kills the groups that are left, then ends.
"""

import atexit
import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

log = logging.getLogger("echelon.agents")

#: Lines `+group` and `-group` come in; whatever is left when they end is killed. Deaf to what stops us.
_PROGRAM = """
import os, signal, sys
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""

#: How long a helper with nothing left to do may take to end, in seconds.
_END_SECONDS = 1.0


@contextmanager
def watched(group: int) -> Generator[None]:
    """Let a process group end with this process, should it die in the meantime."""
    watch(group)
    try:
        yield
    finally:
        forget(group)


def watch(group: int) -> None:
    """Let a process group end with this process, until it is forgotten."""
    _REAPER.tell(f"+{group}")


def forget(group: int) -> None:
    """Let a process group be: it has ended."""
    _REAPER.tell(f"-{group}")


class _Reaper:
    """The helper of this process, started when first needed, and again when it died or this process was forked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._groups: set[str] = set()

    def tell(self, line: str) -> None:
        with self._lock:
            number = line[1:]
            (self._groups.add if line[0] == "+" else self._groups.discard)(number)
            if self._process is not None and self._owner == os.getpid() and self._wrote(line):
                return
            if self._groups and self._started():
                for group in self._groups:
                    self._wrote(f"+{group}")

    def close(self) -> None:
        with self._lock:
            process, self._process = self._process, None
            if process is None or self._owner != os.getpid():
                return
            assert process.stdin is not None, "it was opened with a pipe"
            with contextlib.suppress(OSError):
                process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)

    def _started(self) -> bool:
        if self._owner != os.getpid():
            atexit.register(self.close)
        self._owner, self._process = os.getpid(), None
        try:
            self._process = self._helper()
        except OSError as error:  # no reason to fail a command that runs already
            log.warning("commands will go on if this process is killed: their helper cannot be started: %s", error)
            return False
        return True

    def _helper(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own program in our own interpreter
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
            close_fds=True,
        )

    def _wrote(self, line: str) -> bool:
        assert self._process is not None, "it was started"
        assert self._process.stdin is not None, "it was opened with a pipe"
        try:
            self._process.stdin.write(f"{line}\n".encode())
        except OSError:  # it was killed
            self._process.stdin.close()
            self._process.wait()
            return False
        return True


_REAPER = _Reaper()
