"""The standard streams of a command: always there, and never a reason to stop what is at work."""

import contextlib
import io
import os
import select
import sys
from collections.abc import Generator
from typing import TextIO


def secure_streams() -> None:
    """Make the streams of this process safe to write to; called once, before anything is opened.

    A closed descriptor is opened to nothing: the next file, such as a journal, would get its number, and everything
    that is printed. What the encoding of a terminal does not have is escaped, and stderr, where only progress and
    messages go, is given up when it fails: its reader has gone, or its disk is full.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
    # Python has none where the descriptor was closed when it started.
    sys.stdin = sys.stdin or open(0, encoding="utf-8")  # noqa: SIM115 - it stays open
    sys.stdout = _escaping(sys.stdout or open(1, "w", encoding="utf-8"))  # noqa: SIM115
    if not isinstance(sys.stderr, Sturdy):
        sys.stderr = Sturdy(_escaping(sys.stderr or open(2, "w", encoding="utf-8")))  # noqa: SIM115


@contextlib.contextmanager
def own_descriptors() -> Generator[None]:
    """Keep standard input and output to ourselves: what else is in this process, or started by it, reads nothing there.

    What agents and their children write to descriptor 1 comes out of descriptor 2, since stdout is for results, and a
    program may read them. Nothing happens where stdout is no longer descriptor 1.
    """
    if _descriptor_of(sys.stdout) != 1:
        yield
        return
    sys.stdout.flush()
    stdin, stdout, nothing = os.dup(0), os.dup(1), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):  # what was printed there meanwhile is not worth the result
            sys.stdout.flush()
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        for descriptor in (stdin, stdout, nothing):
            os.close(descriptor)


def check_reader() -> None:
    """Raise `BrokenPipeError` when nobody reads standard output any more: without it, only the next write would say so.

    Nothing is checked where that cannot be seen, as of a file or on Windows.
    """
    descriptor = _descriptor_of(sys.stdout)
    if descriptor is None or not hasattr(select, "poll"):
        return
    poll = select.poll()
    poll.register(descriptor, 0)
    if any(state & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, state in poll.poll(0)):
        raise BrokenPipeError


def _descriptor_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):  # a stream that is no file
        return None


def _escaping(stream: TextIO) -> TextIO:
    reconfigure = getattr(stream, "reconfigure", None)  # a stream that a test or a program has put there may have none
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return stream


class Sturdy(io.TextIOBase):
    """A stream whose failures are nobody else's: what cannot be written is dropped, from the first failure on."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._failed = False

    def write(self, text: str, /) -> int:
        """Write, as long as that works."""
        if not self._failed:
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):  # the second: it was closed
                self._failed = True
        return len(text)

    def flush(self) -> None:
        """Everything is written at once."""

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def isatty(self) -> bool:
        """Say whether it is a terminal."""
        return not self._failed and self._stream.isatty()

    def fileno(self) -> int:
        """Return the file behind it."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] - a constant of the stream
        """How text becomes bytes."""
        return self._stream.encoding
