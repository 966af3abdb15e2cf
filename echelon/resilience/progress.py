"""One call on its way down the rungs of its guard: what it took on the way, and what it told."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from math import inf
from typing import Generic, Protocol, TypeVar

from echelon.model.errors import BudgetExhausted
from echelon.model.usage import Price, Usage
from echelon.resilience.breaker.breaker import Permit
from echelon.resilience.budget import Account
from echelon.resilience.ledger import Amounts
from echelon.resilience.line import LinePosition
from echelon.resilience.reservation import Reservation
from echelon.resilience.tally import UsageTally

T = TypeVar("T")

#: Who had to wait for less did not wait, in seconds: the loop was busy with others.
SHORTEST_WAIT_SECONDS = 0.001


class CallObserver(Protocol):
    """Hears what happens to one call; returns at once."""

    def waited(self, limiter: str, seconds: float, queue_length: int) -> None:
        """It waited for a slot, a probe or its time, behind so many others."""
        ...

    def attempt_failed(self, attempt: int, error: Exception, seconds: float) -> None:
        """An attempt, counted from 1, failed after so many seconds."""
        ...


class CallProgress(Generic[T]):
    """One call on its way down the rungs."""

    def __init__(
        self,
        work: Callable[[], Awaitable[T]],
        account: Account,
        price: Price | None,
        tokens: int | None = None,
        observer: CallObserver | None = None,
    ) -> None:
        self.work = work
        self.account = account
        #: What it is expected to use; 0 when it reserves each part of itself, None when nobody knows.
        self.tokens = tokens
        self.price = price
        self.observer = observer
        #: What the attempt that succeeded returned; None before.
        self.value: T | None = None
        #: Attempts made or begun.
        self.attempts = 0
        #: When it had passed all rungs; None before.
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
        #: Where it stands in the lines before the doors of its guard; None: nowhere.
        self.position: LinePosition | None = None
        #: Requests that it took of the rate of its provider.
        self.paced = 0
        #: Attempts of the climbs before this one.
        self.attempts_before = 0
        self._worked = 0.0

    def again(self) -> "CallProgress[T]":
        """Return the same call as it begins to climb once more; what it comes to is to be added to this one."""
        climb = CallProgress(self.work, self.account, self.price, self.tokens, self.observer)
        climb.attempts_before = self.attempts_before + self.attempts
        return climb

    def add(self, climb: "CallProgress[T]", now: float) -> None:
        """Take over what another climb of this call came to; the time between the two is no time at work."""
        self.attempts += climb.attempts
        self.told.add(climb.told)
        self.value = climb.value
        self._worked += climb.seconds_at_work(now)

    def pause(self, now: float) -> None:
        """Stop counting the time at work: the climb is over."""
        self._worked, self.entered = self.seconds_at_work(now), None

    def note_wait(self, limiter: str, seconds: float, queue_length: int) -> None:
        """Report a wait behind so many others; it is no time at work."""
        if seconds < SHORTEST_WAIT_SECONDS:
            return
        if self.entered is not None:
            self.entered += seconds
        if self.observer is not None:
            self.observer.waited(limiter, seconds, queue_length)

    @contextmanager
    def waiting(self, limiter: str, queue_length: int = 0) -> Generator[None]:
        """Report the wait in the block, behind so many others; it is no time at work."""
        began = time.monotonic()
        yield
        self.note_wait(limiter, time.monotonic() - began, queue_length)

    async def claim(self, wanted: Amounts, least: Amounts) -> Amounts:
        """Set something aside for the call, after a wait for what others give back; return what was set aside.

        `BudgetExhausted` when less than `least` can come, or none before the time of the account is up.
        """
        assert self.reservation is not None, "the budget rung opens it"
        left, whose = self.account.deadline(final_call=self.reservation.final_call)
        try:
            with self.waiting(f"the budget of {self.account.name}"):
                async with asyncio.timeout(None if left == inf else max(0.0, left)):
                    return await self.reservation.claim(wanted, least)
        except TimeoutError as error:
            raise BudgetExhausted("seconds", 0, 0, whose) from error

    def fail(self, error: Exception, seconds: float) -> None:
        """Take into account that an attempt failed after so many seconds."""
        self.note(error)
        if self.observer is not None:
            self.observer.attempt_failed(self.attempts_before + self.attempts, error, seconds)

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

    def seconds_at_work(self, now: float) -> float:
        """Return how long it is at work; the wait for slots does not count."""
        return self._worked + (0.0 if self.entered is None else now - self.entered)

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
