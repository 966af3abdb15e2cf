"""One call on its way down the rungs of its guard: what it took on the way, and what it told."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from echelon.model.usage import Price, Usage
from echelon.resilience.breaker.breaker import Permit
from echelon.resilience.budget import Account, Reservation
from echelon.resilience.tally import UsageTally

T = TypeVar("T")


class CallProgress(Generic[T]):
    """One call on its way down the rungs."""

    def __init__(
        self, work: Callable[[], Awaitable[T]], account: Account, price: Price | None, tokens: int = 0
    ) -> None:
        self.work = work
        self.account = account
        self.tokens = tokens
        self.price = price
        #: Attempts made or begun.
        self.attempts = 0
        #: When it got its slots; None before.
        self.entered: float | None = None
        #: How long the attempt that succeeded took, in seconds.
        self.last_seconds = 0.0
        #: What all attempts told that they used.
        self.told = UsageTally()
        self.reservation: Reservation | None = None
        self.permit: Permit | None = None
        #: Was a retry taken from the budget that is not made yet?
        self.retry_held = False
        #: Was it ended by the last call, within what was kept back?
        self.wrapped_up = False

    def note(self, result: object) -> None:
        """Take the usage that a value or an error tells; an attempt that tells no calls was one."""
        usage = getattr(result, "usage", None)
        if not isinstance(usage, Usage):
            return
        told = self.told
        if usage.cost is None and self.price is not None:
            cost = self.price.of(usage)
            told.cost = told.cost if cost is None else cost + (told.cost or 0.0)
        told.add(usage)
        told.calls -= min(1, usage.calls)

    def usage(self, seconds: float) -> Usage:
        """Return what was used, given the time it took."""
        told = self.told
        return Usage(
            tokens_in=told.tokens_in,
            tokens_out=told.tokens_out,
            calls=told.calls + self.attempts,
            seconds=seconds,
            cost=told.cost,
        )
