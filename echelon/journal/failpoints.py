"""Named places where a process can be told to die, so that recovery is tried at every one of them (F8).

One stands at every commit boundary: before something is done, between doing and writing it down, between writing it
down and telling so. They do nothing unless the environment says otherwise, which is read once, at the first of them:

    ECHELON_FAILPOINT_AT=<name>:<k>    kill -9 when the point is passed for the k-th time; `*` stands for any point
    ECHELON_FAILPOINT_LIST=<file>      append the name of every point that is passed
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from echelon.model.errors import InvalidInput

AT = "ECHELON_FAILPOINT_AT"
LIST = "ECHELON_FAILPOINT_LIST"

#: Stands for every point: its count is the number of points passed in all.
ANY = "*"

#: Cannot be caught, so nothing is tidied up; where there is no such signal the process is ended the hard way.
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)

_Last = Callable[[], object]


class Failpoints:
    """Where this process dies, and where it is written down which points it passed. Safe to use from threads."""

    def __init__(self, name: str | None, passage: int, listing: Path | None) -> None:
        self._name = name
        self._passage = passage
        self._listing = listing
        self._passed: Counter[str] = Counter()
        self._lock = threading.Lock()

    def passed(self, name: str, last: _Last | None) -> None:
        """Take note of a point; when it is the one, do `last` and die."""
        with self._lock:
            self._passed.update((name, ANY))
            if self._listing is not None:
                with self._listing.open("a", encoding="utf-8") as listing:
                    listing.write(f"{name}\n")
            if self._name in {name, ANY} and self._passed[self._name] == self._passage:
                if last is not None:
                    last()
                os.kill(os.getpid(), _KILL)


def read_failpoints(environment: Mapping[str, str]) -> Failpoints | None:
    """Return what the environment asks for; None when it asks for nothing; `InvalidInput` when it makes no sense."""
    at, listing = environment.get(AT, ""), environment.get(LIST, "")
    if not at and not listing:
        return None
    name, _, passage = at.partition(":")
    if at and not (name and passage.isdecimal() and int(passage)):
        raise InvalidInput(f"{AT}={at!r} names no passage of a failpoint; write <name>:<k>, k from 1 up")
    return Failpoints(name or None, int(passage or 0), Path(listing) if listing else None)


#: Stands for an environment that was not read yet: not at import, which must not fail because of it.
_UNREAD = Failpoints(None, 0, None)

_failpoints: Failpoints | None = _UNREAD


def arm(environment: Mapping[str, str]) -> None:
    """Read the environment, once more for a process that was forked; `InvalidInput` when it makes no sense."""
    global _failpoints  # noqa: PLW0603 - one for the process, like the environment itself
    _failpoints = read_failpoints(environment)


def failpoint(name: str, last: _Last | None = None) -> None:
    """Die here if this process was told to. `last` is done only then: the half of a write that a crash leaves."""
    if _failpoints is _UNREAD:
        arm(os.environ)
    if _failpoints is not None:
        _failpoints.passed(name, last)
