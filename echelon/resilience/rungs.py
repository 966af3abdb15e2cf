"""The rungs of the guard above its attempts, one context a rung: entered before the first attempt, left at the end.

A new rung is a class here or in a file of its own, and one entry in `Guards.guard`.
"""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
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

    async def enter(self, call: CallProgress[Any]) -> None:
        """Take what the call needs of this rung, maybe after a wait; raises when it may not be made."""
        ...

    async def leave(self, call: CallProgress[Any], error: BaseException | None) -> None:
        """Give back what was taken when the call has ended, with an error or with a value; never raises."""
        ...


class BudgetRung:
    """What a call will take is reserved before it, and what it took is settled behind it (F4)."""

    def __init__(self, price: Price | None, clock: Callable[[], float]) -> None:
        self._price = price
        self._clock = clock

    async def enter(self, call: CallProgress[Any]) -> None:
        """Reserve, unless something is kept back for this very call; `BudgetExhausted` when too little is left."""
        if call.reservation is None:
            cost = self._price.at_most(call.tokens) if self._price else 0.0
            call.reservation = call.account.reserve(tokens=call.tokens, cost=cost)

    async def leave(self, call: CallProgress[Any], error: BaseException | None) -> None:  # noqa: ARG002 - paid all the same
        """Settle what was used; a call that was not made costs nothing."""
        assert call.reservation is not None, "what is left was entered"
        if call.attempts:  # made calls are paid, also when cancelled
            call.reservation.settle(call.usage(call.seconds_at_work(self._clock())))
        else:
            call.reservation.cancel()


class SlotRung:
    """So many calls are at work at one time; whoever finds no slot waits (F5)."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        self._slot = limiter if isinstance(limiter, Slot) else None

    async def enter(self, call: CallProgress[Any]) -> None:
        """Take a slot, at once or after a wait, which is reported; `BulkheadFull` when too many wait."""
        queue_length, began = self._slot.waiting if self._slot else 0, time.monotonic()
        await self._limiter.__aenter__()
        waited = time.monotonic() - began
        if waited >= SHORTEST_WAIT_SECONDS and call.observer is not None:
            name = self._slot.name if self._slot else "processors"
            call.observer.waited(name, waited, queue_length)

    async def leave(self, call: CallProgress[Any], error: BaseException | None) -> None:  # noqa: ARG002 - given back anyway
        """Give the slot back."""
        await self._limiter.__aexit__(None, None, None)


class BreakerRung:
    """A dependency that fails again and again is left alone for a while (F1)."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    async def enter(self, call: CallProgress[Any]) -> None:
        """Ask the breaker; `BreakerOpen` while it refuses calls."""
        call.permit = await self._breaker.enter()

    async def leave(self, call: CallProgress[Any], error: BaseException | None) -> None:
        """Report how the call ended."""
        assert call.permit is not None, "what is left was entered"
        if error is None:
            call.permit.returned(call.value, seconds=call.last_seconds)
        call.permit.end(error)
