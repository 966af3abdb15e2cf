"""The one guard around every call: budget → bulkhead → breaker → retry → timeout, one rung a method (F1, F3, F4, F5).

The breaker is asked once a call and told once how the call ended, attempts and all: a passing error that a retry cures
must not open it. While it is open no further attempt is made under permits given before.

When the budget is used up, a call that can wrap up gets one more within what was kept back for that (F4).
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from math import inf
from typing import Any, Generic, TypeVar

from echelon.model.errors import AgentTimeout, BudgetExhausted
from echelon.model.policy import DEFAULT_RESILIENCE, Resilience
from echelon.model.usage import Budget, Price, Usage
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.budget import Account, Reservation, final_call
from echelon.resilience.bulkhead import Slot
from echelon.resilience.errors import can_pass
from echelon.resilience.progress import CallProgress
from echelon.resilience.retry import Sleep, retrying
from echelon.resilience.retry_budget import RetryBudget
from echelon.resilience.timeout import within

T = TypeVar("T")

#: Bounds how many calls are at work at one time: a bulkhead's slot, a semaphore.
Limiter = AbstractAsyncContextManager[Any]


@dataclass(frozen=True, kw_only=True)
class CallResult(Generic[T]):
    """How a call ended: with a value, or with the error of its last attempt."""

    value: T | None
    """What the work returned; None when there is an error."""
    error: Exception | None
    """Why there is no value; None when there is one."""
    attempts: int
    """Calls made; 0 when it was refused before the first."""
    seconds: float
    """Time at work in seconds, waits between attempts included, the wait for a slot not."""
    usage: Usage
    """What all attempts used together, as far as they told; `calls` counts every attempt at least once."""
    wrapped_up: bool = False
    """Was the value made in the last call, within what was kept back when the budget was used up?"""


class Guard:
    """Guards calls by one policy. It never raises for a failure of the call; only cancellation passes through.

    A guard may be shared by concurrent calls. `limiters` bound how many are at work at one time (F5): bulkheads' slots
    or semaphores, entered in this order. `account`, `breaker` and `retry_budget` are shared with other guards; `price`
    makes money of tokens; `rng`, `clock` and `sleep` are there to make a run repeatable.
    """

    def __init__(
        self,
        policy: Resilience,
        *,
        breaker: Breaker | None = None,
        account: Account | None = None,
        limiters: Sequence[Limiter] = (),
        retry_budget: RetryBudget | None = None,
        price: Price | None = None,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.policy = policy.over(DEFAULT_RESILIENCE)
        self._breaker = breaker
        #: What all its calls are taken from, unless a call has an account of its own.
        self.account = account or Account(Budget(), "nobody", clock=clock)
        self._limiters = tuple(limiters)
        self._coming = 0
        #: Each slot with the calls that the slots before it let through at one time.
        self._slots = tuple(_let_through(limiter for limiter in limiters if isinstance(limiter, Slot)))
        self._retry_budget = retry_budget
        self._price = price
        self._timeout_seconds = self.policy.timeout_seconds or inf
        self._idle_seconds = self.policy.idle_seconds or None
        self._rng = rng or random.Random()  # noqa: S311 - spreads waits, protects nothing
        self._clock = clock
        self._sleep = sleep

    def reserve(self, calls: int) -> None:
        """Reserve slots for so many calls to come, so that others cannot take all; a negative number gives back (F5).

        A reservation lasts until its call has ended, whether it is made or not.
        """
        before, self._coming = self._coming, self._coming + calls
        for slot, most in self._slots:
            slot.reserve(int(min(self._coming, most) - min(before, most)))

    async def call(
        self,
        work: Callable[[], Awaitable[T]],
        *,
        tokens: int = 0,
        account: Account | None = None,
        wrap_up: Callable[[], Awaitable[T]] | None = None,
    ) -> CallResult[T]:
        """Do `work` within the policy; `tokens` is the estimate reserved for it, `account` that of this call alone.

        Usage is read from an attribute `usage` of what `work` returns, and of errors that carry one. `wrap_up` writes
        down what there is; it is called once, when the budget is used up and a share of it was kept back for this.
        """
        progress = CallProgress(work, account or self.account, self._price, tokens)
        value: T | None = None
        error: Exception | None = None
        try:
            value = await self._or_wrap_up(progress, wrap_up)
        except Exception as failure:  # noqa: BLE001 - whatever went wrong ends in an envelope
            error = failure
        seconds = self._seconds(progress)
        return CallResult(
            value=value,
            error=error,
            attempts=progress.attempts,
            seconds=seconds,
            usage=progress.usage(seconds),
            wrapped_up=progress.wrapped_up,
        )

    async def _or_wrap_up(self, progress: CallProgress[T], wrap_up: Callable[[], Awaitable[T]] | None) -> T:
        try:
            return await self._within_budget(progress)
        except BudgetExhausted as exhausted:
            kept_back = progress.account.reserve_final_call() if wrap_up else None
            if kept_back is None or wrap_up is None:
                raise
            try:
                return await self._final_call(progress, wrap_up, kept_back)
            except Exception as failure:
                raise exhausted from failure  # what it failed for first is what somebody can change

    async def _final_call(
        self, progress: CallProgress[T], wrap_up: Callable[[], Awaitable[T]], kept_back: Reservation
    ) -> T:
        """Make the last call, once, past the same rungs."""
        last = CallProgress(wrap_up, progress.account, self._price)
        last.reservation = kept_back
        try:
            with final_call():
                value = await self._paid(last)
        finally:
            progress.attempts += last.attempts
            progress.told.add(last.told)
            progress.entered = last.entered if progress.entered is None else progress.entered
        progress.wrapped_up = True
        return value

    async def _within_budget(self, progress: CallProgress[T]) -> T:
        cost = self._price.at_most(progress.tokens) if self._price else 0.0
        progress.reservation = progress.account.reserve(tokens=progress.tokens, cost=cost)
        return await self._paid(progress)

    async def _paid(self, progress: CallProgress[T]) -> T:
        assert progress.reservation is not None, "what is paid was reserved"
        try:
            return await self._with_limiters(progress, self._limiters)
        finally:
            if progress.attempts:  # made calls are paid, also when cancelled
                progress.reservation.settle(progress.usage(self._seconds(progress)))
            else:
                progress.reservation.cancel()

    async def _with_limiters(self, progress: CallProgress[T], limiters: tuple[Limiter, ...]) -> T:
        if limiters:
            async with limiters[0]:
                return await self._with_limiters(progress, limiters[1:])
        progress.entered = self._clock()
        return await self._past_breaker(progress)

    async def _past_breaker(self, progress: CallProgress[T]) -> T:
        if self._breaker is None:
            return await self._with_retries(progress)
        with await self._breaker.enter() as permit:
            progress.permit = permit
            value = await self._with_retries(progress)
            permit.returned(value, seconds=progress.last_seconds)
            return value

    async def _with_retries(self, progress: CallProgress[T]) -> T:
        try:
            value = await self._attempt(progress)
        except Exception as error:
            if self.policy.attempts == 1 or not can_pass(error):
                raise
            value = await self._again(progress, error)
        if self._retry_budget is not None:
            self._retry_budget.succeeded(retried=progress.attempts > 1)
        return value

    async def _again(self, progress: CallProgress[T], first_error: Exception) -> T:
        """Go on after a first attempt that failed. Most calls need no second, and are spared the machinery of one."""
        failed: list[Exception] = [first_error]

        async def attempt() -> T:
            if failed:
                raise failed.pop()  # tenacity counts the first attempt as its own, and waits before the next
            return await self._attempt(progress)

        def another(wait_seconds: float) -> bool:
            return self._may_try_again(progress, wait_seconds)

        try:
            return await retrying(self.policy, rng=self._rng, sleep=self._sleep, another=another)(attempt)
        finally:
            if progress.retry_held and self._retry_budget is not None:  # cancelled while it waited
                self._retry_budget.give_back()

    async def _attempt(self, progress: CallProgress[T]) -> T:
        assert progress.reservation is not None, "the budget rung is above the attempts"
        left, whose = progress.account.deadline(final_call=progress.reservation.final_call)
        if left <= 0:
            raise BudgetExhausted("seconds", 0, 0, whose)
        progress.attempts += 1
        progress.retry_held = False
        seconds, began = min(left, self._timeout_seconds), self._clock()
        try:
            value = await within(None if seconds == inf else seconds, progress.work, idle_seconds=self._idle_seconds)
        except AgentTimeout as error:
            if error.seconds == left and not error.idle:
                raise BudgetExhausted("seconds", self._timeout_seconds, left, whose) from error
            raise
        except Exception as error:
            progress.note(error)
            raise
        progress.last_seconds = self._clock() - began
        progress.note(value)
        return value

    def _may_try_again(self, progress: CallProgress[T], wait_seconds: float) -> bool:
        """Say whether one more attempt is wanted by all rungs above; what it takes from them is taken."""
        assert progress.reservation is not None, "the budget rung is above the retries"
        if progress.reservation.final_call or (progress.permit is not None and not progress.permit.holds):
            return False
        try:
            progress.reservation.extend(calls=1, seconds=wait_seconds)
        except BudgetExhausted:
            return False
        progress.retry_held = self._retry_budget is not None and self._retry_budget.take()
        return progress.retry_held or self._retry_budget is None

    def _seconds(self, progress: CallProgress[T]) -> float:
        return 0.0 if progress.entered is None else self._clock() - progress.entered


def _let_through(slots: Iterable[Slot]) -> Iterator[tuple[Slot, float]]:
    most = inf
    for slot in slots:
        yield slot, most
        most = min(most, slot.most)
