"""The rungs of the guard above its attempts, one context a rung: entered before the first attempt, left at the end.

A new rung is a class here or in a file of its own, and one entry in `Guards.guard`.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from echelon.model.usage import Price
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.bulkhead import Slot
from echelon.resilience.ledger import Amounts
from echelon.resilience.progress import CallProgress

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
        self._largest = 0

    async def enter(self, call: CallProgress[Any]) -> None:
        """Reserve, maybe after a wait for what others give back; `BudgetExhausted` when too little can come.

        For a last call something is kept back already. A call without an estimate is expected to use what the largest
        of its kind did so far, or whatever is left.
        """
        if call.reservation is not None:
            return
        call.reservation = call.account.open()
        tokens, least = (self._largest, 0) if call.tokens is None else (call.tokens, call.tokens)
        await call.claim(self._amounts(tokens), self._amounts(least))

    def _amounts(self, tokens: int) -> Amounts:
        return Amounts(tokens=tokens, calls=1, cost=self._price.at_most(tokens) if self._price else 0.0)

    async def leave(self, call: CallProgress[Any], error: BaseException | None) -> None:  # noqa: ARG002 - paid all the same
        """Settle what was used; a call that was not made costs nothing."""
        assert call.reservation is not None, "what is left was entered"
        if call.attempts:  # made calls are paid, also when cancelled
            self._largest = max(self._largest, call.told.tokens)
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
        queue_length = self._slot.waiting if self._slot else 0
        with call.waiting(self._slot.name if self._slot else "processors", queue_length):
            await self._limiter.__aenter__()

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
