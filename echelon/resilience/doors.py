"""Where a call may wait that is refused for now: which doors a guard has is decided when it is made (F1, F3).

A call that is refused at a door has left its rungs: it holds no slot and has reserved nothing while it waits in line,
and climbs again when it is first and its time has come. Without a door for what was refused, the call ends at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from echelon.model.errors import BreakerOpen, BudgetExhausted
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.errors import can_pass
from echelon.resilience.ledger import Deadline
from echelon.resilience.line import LinePosition, TooLate, WaitingLine
from echelon.resilience.progress import CallProgress
from echelon.resilience.rate import RateLimiter, RateReached
from echelon.resilience.retry import Sleep

T = TypeVar("T")


class Door(Protocol):
    """Something that refuses calls for a time, and lets them wait for its end."""

    @property
    def line(self) -> WaitingLine:
        """Those who wait."""
        ...

    def lets_wait(self, call: CallProgress[Any], error: Exception) -> bool:
        """Say whether a call that ended so may wait, and be made again."""
        ...

    def patience(self, deadline: Deadline) -> Deadline:
        """Return how long it may wait, given the time that its budgets leave it."""
        ...

    def too_late(self, error: Exception, waited_seconds: float, patience: Deadline) -> Exception:
        """Return how a call ends whose time does not suffice; `error` is how it ended before it waited."""
        ...


@dataclass(frozen=True)
class ProbeDoor:
    """A breaker before a dependency that nothing stands in for: calls wait for the next probe (F1)."""

    breaker: Breaker
    attempts: int
    """Calls that the policy allows; with a single one what was made is never made again (F3)."""
    timeout_seconds: float
    """The longest wait where no budget bounds the time."""

    @property
    def line(self) -> WaitingLine:
        """Those who wait for the breaker, in all runs of this process."""
        return self.breaker.line

    def lets_wait(self, call: CallProgress[Any], error: Exception) -> bool:
        """Let a call wait that was refused, or whose last attempt failed together with the dependency.

        What it does after the wait is no retry on top of the outage (F3): the breaker lets it through like any call.
        """
        if not call.attempts:
            return isinstance(error, BreakerOpen) and error.name == self.breaker.name
        return self.attempts > 1 and can_pass(error) and self.breaker.refuses

    def patience(self, deadline: Deadline) -> Deadline:
        """Return what the budgets leave, or else the time limit of an attempt."""
        return Deadline(self.timeout_seconds, "its timeout") if deadline.seconds == inf else deadline

    def too_late(self, error: Exception, waited_seconds: float, patience: Deadline) -> Exception:
        """Say for how long it was waited, and when the next probe would have been."""
        if not waited_seconds and not isinstance(error, BreakerOpen):
            return error  # it waited for nothing: what its own attempt failed for says more
        refusal = self.breaker.refusal()
        return refusal.after(waited_seconds, patience.seconds, patience.whose)


@dataclass(frozen=True)
class RateDoor:
    """The rate at which a provider takes calls: they wait for as long as their budgets allow (F5)."""

    limiter: RateLimiter

    @property
    def line(self) -> WaitingLine:
        """Those who wait for the provider, in all runs of this process."""
        return self.limiter.line

    def lets_wait(self, call: CallProgress[Any], error: Exception) -> bool:  # noqa: ARG002 - the rung refuses before an attempt
        """Let every call wait that came too early."""
        return isinstance(error, RateReached) and error.limiter is self.limiter

    def patience(self, deadline: Deadline) -> Deadline:
        """Return what the budgets leave; without one there is no bound, since a limit of a provider is no failure."""
        return deadline

    def too_late(self, error: Exception, waited_seconds: float, patience: Deadline) -> Exception:  # noqa: ARG002 - see above
        """Say which budget is too short."""
        wanted = waited_seconds + self.limiter.ready_in()
        return BudgetExhausted("seconds", wanted, patience.seconds, patience.whose)


class RefusedCall(NamedTuple):
    """A call that may wait at a door, and be made again."""

    door: Door
    """Where it waits."""
    error: Exception
    """How its last climb ended."""


class DoorWaits(Generic[T]):
    """The climbs of one call up the rungs of its guard, and its waits at the doors between them."""

    def __init__(
        self,
        call: CallProgress[T],
        doors: Sequence[Door],
        tenant: str,
        clock: Callable[[], float],
        sleep: Sleep,
        priority: int = 0,
    ) -> None:
        #: The climb that is made now, or is to be made next.
        self.climb = call
        self._call = call
        self._doors = doors
        self._position = LinePosition(tenant, priority)
        self._clock = clock
        self._sleep = sleep
        #: By the door: how long it may wait there, and until when.
        self._until: dict[WaitingLine, tuple[Deadline, float]] = {}
        self._waited: dict[WaitingLine, float] = {}
        call.position = self._position

    def end(self) -> None:
        """End the last climb, whatever came of it, once; the call is in no line any more."""
        self._end_climb()
        self._position.end()

    def refusal(self, error: Exception) -> RefusedCall:
        """Return where the call may wait after a climb that ended so; raises the error where no door lets it."""
        climb = self._end_climb()
        for door in self._doors:
            if door.lets_wait(climb, error):
                return RefusedCall(door, error)
        raise error

    async def wait(self, refused: RefusedCall) -> None:
        """Wait in line for another climb; raises what the door says when the time does not suffice."""
        line, began = refused.door.line, self._clock()
        if line not in self._until:
            patience = refused.door.patience(self._call.account.deadline(final_call=False))
            self._until[line] = patience, began + patience.seconds
        patience, until = self._until[line]
        ahead = line.waiting
        try:
            await line.wait(self._position, lambda: until - self._clock(), self._sleep)
        except TooLate:
            waited = self._waited.get(line, 0.0) + self._clock() - began
            late = refused.door.too_late(refused.error, waited, patience)
            if late is refused.error:
                raise late from late.__cause__
            raise late from refused.error
        finally:
            seconds = self._clock() - began
            self._waited[line] = self._waited.get(line, 0.0) + seconds
            self._call.note_wait(line.name, seconds, ahead)
        self.climb = self._call.again()
        self.climb.position = self._position

    def _end_climb(self) -> CallProgress[T]:
        climb, self.climb = self.climb, self._call
        if climb is self._call:
            climb.pause(self._clock())
        else:
            self._call.add(climb, self._clock())
        return climb
