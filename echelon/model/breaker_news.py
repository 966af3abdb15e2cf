"""What a breaker did, as a run is told of it (F1). Values only."""

from enum import StrEnum
from typing import Literal

from echelon.model.base import Value


class Turn(StrEnum):
    """What happened to a breaker."""

    OPENED = "opened"  #: calls are refused
    ISOLATED = "isolated"  #: calls are refused, since a person wants it so
    TRYING = "trying"  #: a few probes are let through
    CLOSED = "closed"  #: all calls are let through again
    PANIC = "panic"  #: calls should be refused and are not: too many dependencies are refused already
    MEASURED = "measured"  #: calls should be refused and are not: its policy only counts
    RELIEVED = "relieved"  #: there is no reason to refuse calls any more
    LEFT = "left"  #: the work that used it has ended


class BreakerNews(Value):
    """One turn of one breaker."""

    name: str
    """The dependency."""
    turn: Turn
    """What happened."""
    state: str
    """`closed`, `open` or `half-open`, since then."""
    reason: str = ""
    """Why; empty when there is nothing to say."""
    trips: int = 0
    """Openings in a row."""
    trial_in_seconds: float = 0.0
    """Time until the first probe, when open."""
    shared: Literal["redis", "process"] = "process"
    """Who knows of it: all processes with the same Redis, or this one only."""
    found: bool = False
    """Was it so before the run first used it?"""

    @property
    def message(self) -> str:
        """Say it in one sentence."""
        return f"breaker {self.name!r} {_SAID[self.turn].format(self.reason)}{self._times}{self._next}"

    @property
    def _times(self) -> str:
        again = self.turn is Turn.OPENED and self.trips > 1
        return f", {self.trips} times in a row now" if again else ""

    @property
    def _next(self) -> str:
        return f"; next probe in {self.trial_in_seconds:.1f} s" if self.turn is Turn.OPENED else ""


_SAID: dict[Turn, str] = {
    Turn.OPENED: "is open, calls are refused: {0}",
    Turn.ISOLATED: "is {0}; calls are refused until it is reset",
    Turn.TRYING: "lets probes through: {0}",
    Turn.CLOSED: "is closed, calls are let through again",
    Turn.PANIC: "lets all calls through: {0}",
    Turn.MEASURED: "lets all calls through: {0}",
    Turn.RELIEVED: "has no reason to refuse calls any more",
    Turn.LEFT: "is not used any more",
}


class BreakerStory(Value):
    """One breaker that a run used (F1)."""

    name: str
    """The dependency."""
    opened: int
    """How often it opened while the run used it."""
    isolated: int
    """How often a person opened it meanwhile."""
    state: str
    """How the run left it, or knows it now: `closed`, `open` or `half-open`."""
    reason: str
    """Why it is not closed; empty when it is."""
    shared: str
    """Who knew of it: all processes with the same `redis`, or the `process` of the run only."""

    @property
    def said(self) -> str:
        """Say it in one line."""
        times = [_times("opened", self.opened), _times("was isolated", self.isolated)]
        parts = [part for part in times if part] or ["never opened"]
        now = f"{self.state} ({self.reason})" if self.reason else self.state
        where = "shared through redis" if self.shared == "redis" else "in its process only"
        return f"{self.name} {', '.join([*parts, now])}; {where}"


def _times(what: str, number: int) -> str:
    return f"{what} {number} time{'' if number == 1 else 's'}" if number else ""
