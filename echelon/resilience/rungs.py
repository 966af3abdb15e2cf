"""The rungs of the guard above its attempts, one context a rung: entered before the first attempt, left at the end.

A new rung is a class here or in a file of its own, and one entry in `Guards.guard`.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from echelon.model.usage import Price
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.bulkhead import Slot
from echelon.resilience.progress import CallProgress

#: Who had to wait for less did not wait, in seconds: the loop was busy with others.
SHORTEST_WAIT_SECONDS = 0.001


Limiter = AbstractAsyncContextManager[Any]
"""Bounds how many calls are at work at one time: a bulkhead's slot, a semaphore."""


class Rung(Protocol):
    """Something that a call must pass before it is made."""

    def around(self, call: CallProgress[Any]) -> AbstractAsyncContextManager[None]:
        """Hold what the call needs of this rung until it has ended; raises when it may not be made."""
        ...


class BudgetRung:
    """What a call will take is reserved before it, and what it took is settled behind it (F4)."""

    def __init__(self, price: Price | None, clock: Callable[[], float]) -> None:
        self._price = price
        self._clock = clock

    @asynccontextmanager
    async def around(self, call: CallProgress[Any]) -> AsyncIterator[None]:
        """Reserve, unless something is kept back for this very call; `BudgetExhausted` when too little is left."""
        if call.reservation is None:
            cost = self._price.at_most(call.tokens) if self._price else 0.0
            call.reservation = call.account.reserve(tokens=call.tokens, cost=cost)
        try:
            yield
        finally:
            if call.attempts:  # made calls are paid, also when cancelled
                call.reservation.settle(call.usage(call.seconds_at_work(self._clock())))
            else:
                call.reservation.cancel()


class SlotRung:
    """So many calls are at work at one time; whoever finds no slot waits (F5)."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._slot = limiter if isinstance(limiter, Slot) else None

    @asynccontextmanager
    async def around(self, call: CallProgress[Any]) -> AsyncIterator[None]:
        """Take a slot, at once or after a wait, which is reported; `BulkheadFull` when too many wait."""
        queue_length, began = self._slot.waiting if self._slot else 0, time.monotonic()
        async with self._limiter:
            waited = time.monotonic() - began
            if waited >= SHORTEST_WAIT_SECONDS and call.observer is not None:
                name = self._slot.name if self._slot else "processors"
                call.observer.waited(name, waited, queue_length)
            yield


class BreakerRung:
    """A dependency that fails again and again is left alone for a while (F1)."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    @asynccontextmanager
    async def around(self, call: CallProgress[Any]) -> AsyncIterator[None]:
        """Ask the breaker, and report how the call ended; `BreakerOpen` while it refuses calls."""
        with await self._breaker.enter() as permit:
            call.permit = permit
            yield
            permit.returned(call.value, seconds=call.last_seconds)
