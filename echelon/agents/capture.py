"""What agents log and print goes to whoever observes them, while a run is at work; all other output stays as it is."""

import io
import logging
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

from echelon.agents.observed import OBSERVER, Stream

_lock = threading.Lock()
_runs: list["_Capture"] = []
"""Runs at work in this process; the first one installs the capture, the last one takes it away."""


@contextmanager
def capturing(*, pass_on: bool = True) -> Generator[None]:
    """Capture logs and prints of agents during the block; `pass_on` prints appear where they would have, too."""
    with _lock:
        capture = _runs[-1] if _runs else _Capture(pass_on=pass_on)
        if not _runs:
            capture.install()
        _runs.append(capture)
    try:
        yield
    finally:
        with _lock:
            capture = _runs.pop()
            if not _runs:
                capture.remove()


class _Capture:
    """A handler of all logs, and routers in the place of the standard streams."""

    def __init__(self, *, pass_on: bool) -> None:
        self._before = sys.stdout, sys.stderr
        self._routers = (
            _Router(sys.stdout, "stdout", pass_on=pass_on),
            _Router(sys.stderr, "stderr", pass_on=pass_on),
        )
        self._handler = _Handler()

    def install(self) -> None:
        sys.stdout, sys.stderr = self._routers
        logging.getLogger().addHandler(self._handler)

    def remove(self) -> None:
        logging.getLogger().removeHandler(self._handler)
        # Whoever has put something else there since is left alone.
        if sys.stdout is self._routers[0]:
            sys.stdout = self._before[0]
        if sys.stderr is self._routers[1]:
            sys.stderr = self._before[1]


class _Handler(logging.Handler):
    """Takes what an agent logs; everything else goes where it went before."""

    def emit(self, record: logging.LogRecord) -> None:
        observer = OBSERVER.get()
        if observer is None or record.name.partition(".")[0] == "echelon":
            self._as_before(record)
            return
        observer.logged(record.levelno, f"{record.name}: {self.format(record)}")

    def _as_before(self, record: logging.LogRecord) -> None:
        """Print what Python prints where nobody has set up logging: our handler must not keep that back."""
        last, alone = logging.lastResort, logging.getLogger().handlers == [self]
        if alone and last is not None and record.levelno >= last.level and not _has_handler(record.name):
            last.handle(record)


def _has_handler(name: str) -> bool:
    """Say whether a logger below the root has a handler of its own."""
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None and logger.parent is not None:
        if logger.handlers:
            return True
        logger = logger.parent if logger.propagate else None
    return False


class _Router(io.TextIOBase):
    """A standard stream that knows who writes."""

    def __init__(self, stream: TextIO, name: Stream, *, pass_on: bool) -> None:
        super().__init__()
        self._stream = stream
        self._name: Stream = name
        self._pass_on = pass_on

    def write(self, text: str, /) -> int:
        """Write, for whoever observes the writer and, where that is wanted, to the stream itself."""
        observer = OBSERVER.get()
        if observer is not None:
            observer.wrote(self._name, text)
        if observer is None or self._pass_on:
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def isatty(self) -> bool:
        """Say whether the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the file behind the stream: what is written there is not seen here."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] - a constant of the stream
        """How text becomes bytes."""
        return self._stream.encoding

    @property
    def buffer(self) -> io.BufferedIOBase:
        """The bytes below the stream: what is written there is not seen here."""
        return self._stream.buffer  # pyright: ignore[reportReturnType] - of text streams it is one
