"""What processes share about a breaker, and the port through which they do (F1).

Shared are the state, its times and the slots for probes. Not shared are the windows: each process opens the
breaker by what it saw itself, and all of them follow.
"""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from pybreaker import STATE_CLOSED

from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker.permit import Permit
from echelon.resilience.breaker.results import Result


@dataclass(frozen=True, kw_only=True)
class BreakerRecord:
    """The shared state of a breaker, as all processes see it. Times are spans: no two clocks are compared."""

    state: str = STATE_CLOSED
    """`closed`, `open` or `half-open`."""
    epoch: int = 0
    """Grows with every change; 0 when nothing is on record."""
    probe_in_seconds: float = 0.0
    """Time until the first probe; until a slot is free, when half-open."""
    trips: int = 0
    """Openings in a row."""
    reason: str = ""
    """Why it opened last."""
    isolated: str = ""
    """Why a person opened it; empty when nobody did."""
    isolated_by: str = ""
    """Who that was; empty when not known."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a probe ended, and what follows if it was the deciding one."""

    epoch: int
    """The half-open time it belongs to."""
    token: str
    result: Result
    open_seconds: float
    """For how long it opens again, should it do so."""
    reason: str
    """Why, should it do so."""


class Member(Protocol):
    """A breaker as its store sees it. All methods may be called from any thread."""

    name: str
    policy: BreakerPolicy

    def follow(self, record: BreakerRecord) -> None:
        """Compare with the shared state, and take over or tell again."""
        ...

    def must_ask(self) -> bool:
        """Say whether a probe still has to be asked for."""
        ...

    def admit_here(self) -> Permit:
        """Decide by what is known in this process alone."""
        ...

    def grant(self, record: BreakerRecord, token: str | None) -> Permit:
        """Make the permit for a probe that a slot was given for."""
        ...

    def published(self, record: BreakerRecord | None) -> None:
        """Hear that what was told is on record, or that it could not be told."""
        ...

    def settled(self, generation: int, ended: Ended, record: BreakerRecord | None) -> None:
        """Hear what became of a probe."""
        ...

    def share_changed(self) -> None:
        """Hear that the store was lost, or is there again."""
        ...


class Link(Protocol):
    """What ties one breaker to the others of its name. Nothing here waits, except for what `ask` returns."""

    @property
    def up(self) -> bool:
        """Does it work at this moment? When not, each process goes on by itself."""
        ...

    def ask(self) -> Future[Permit]:
        """Ask for a probe; the answer is a permit or `BreakerOpen`."""
        ...

    def publish(self, record: BreakerRecord, *, always: bool) -> None:
        """Make `record` the shared state: unless it has changed since that epoch, or always."""
        ...

    def settle(self, generation: int, ended: Ended) -> None:
        """Tell how a probe ended."""
        ...


class SharedStore(Protocol):
    """What keeps the state of breakers for several processes."""

    def join(self, breaker: Member) -> Link:
        """Keep a breaker in step from now on."""
        ...
