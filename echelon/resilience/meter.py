"""Pays for a call part by part: a model that makes many requests reserves each of them before it is sent (F4).

A request reserves its prompt and the longest answer it may get, and that limit is what its provider is told: what runs
side by side cannot use more than there is. Where the rest is too small for all of it, the request waits for what others
give back, and takes what is left when nobody else holds anything.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import inf
from typing import Any

from echelon.model.usage import Budget, Usage
from echelon.resilience.budget import Account
from echelon.resilience.ledger import Amounts
from echelon.resilience.progress import CallProgress
from echelon.resilience.timeout import pause_time_limit

#: An error of rounding must not cost a token.
_DUST = 1e-12


@dataclass(frozen=True)
class RequestHold:
    """A part of a call that is under way: one request."""

    held: Amounts
    answer_tokens: int | None
    """The longest answer that was paid for, in tokens; None when neither tokens nor money are bounded."""
    is_last: bool
    """Is it all that is left? A longer answer could not be paid for."""


class Meter:
    """Pays for the requests of one call."""

    def __init__(self, call: CallProgress[Any]) -> None:
        self._call = call

    def tokens_left(self) -> float:
        """Return how many tokens are not used up, reserved by others or not; infinite where nothing bounds them."""
        reservation, price = self._call.reservation, self._call.price
        assert reservation is not None, "the budget rung is above the attempts"
        cost = reservation.left("cost")
        bought = inf if price is None or cost == inf else price.written_for(cost)
        return min(reservation.left("tokens"), bought)

    async def reserve(self, prompt_tokens: int, answer_tokens: int) -> RequestHold:
        """Set aside what a request will use, after a wait for what others give back.

        The answer that may be asked for is shorter where less is left. `BudgetExhausted` when that is nothing.
        """
        call, price = self._call, self._call.price
        reservation = call.reservation
        assert reservation is not None, "the budget rung is above the attempts"

        def amounts(read: int, written: int) -> Amounts:
            cost = price.of(Usage(tokens_in=read, tokens_out=written)) if price else None
            return Amounts(tokens=read + written, calls=1, cost=cost or 0.0)

        wanted = amounts(prompt_tokens, answer_tokens)
        # The last call writes down what there is: an answer that has been paid for is better than none.
        least = Amounts(calls=1) if reservation.final_call else amounts(prompt_tokens, 1)
        with pause_time_limit(lambda: call.account.deadline(final_call=reservation.final_call).seconds):
            held = await call.claim(wanted, least)
        if not (reservation.bounds("tokens") or (price and reservation.bounds("cost"))):
            return RequestHold(held, None, is_last=True)
        if reservation.final_call:
            return RequestHold(held, answer_tokens, is_last=True)
        paid = held.tokens - prompt_tokens
        if price:
            paid = min(paid, price.written_for(held.cost - amounts(prompt_tokens, 0).cost + _DUST))
        return RequestHold(held, max(1, min(paid, answer_tokens)), is_last=held != wanted)

    def release(self, part: RequestHold) -> None:
        """Give back what was set aside for a request that is not sent."""
        reservation = self._call.reservation
        assert reservation is not None, "it was set aside"
        reservation.release(part.held)

    def pay(self, part: RequestHold, usage: Usage) -> None:
        """Record what a request used; what it did not use is free for others at once."""
        reservation, price = self._call.reservation, self._call.price
        assert reservation is not None, "it was set aside"
        cost = price.of(usage) if price and usage.cost is None else usage.cost
        reservation.pay(part.held, usage.model_copy(update={"calls": 1, "cost": cost}))

    @contextmanager
    def lending(self) -> Generator[Account]:
        """Let a whole run use, in the block, what the call may use; what it used is paid when the call ends (F4).

        It sets aside what it needs itself: the call holds nothing meanwhile that the run would wait for.
        """
        reservation, account = self._call.reservation, self._call.account
        assert reservation is not None, "the budget rung is above the attempts"
        share = Account(Budget(), f"a share of {account.name}", account)
        reservation.lend()
        try:
            yield share
        finally:
            reservation.note_paid(share.used)


_METER: ContextVar[Meter | None] = ContextVar("echelon_meter", default=None)


def current_meter() -> Meter | None:
    """Return what pays for the requests of the call under way; None where no budget bounds them."""
    return _METER.get()


@contextmanager
def metering(call: CallProgress[Any]) -> Generator[None]:
    """Let the parts of a call be paid one by one in the block, where a budget bounds them."""
    bounded = call.reservation is not None and any(map(call.reservation.bounds, ("tokens", "calls", "cost")))
    token = _METER.set(Meter(call) if bounded else None)
    try:
        yield
    finally:
        _METER.reset(token)
