"""The one guard around every call: budget → room → breaker → retry → timeout, one rung a method (F1, F3, F4, F5).

The breaker is asked once a call and told once how the call ended, attempts and all: a passing error that a retry cures
must not open it. While it is open no further attempt is made under permits given before.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from echelon.model.errors import AgentTimeout, BudgetExhausted
from echelon.model.policy import DEFAULT_RESILIENCE, Resilience
from echelon.model.usage import Budget, Usage
from echelon.resilience.breaker import Breaker, Permit
from echelon.resilience.budget import Account, Reservation
from echelon.resilience.errors import can_pass
from echelon.resilience.retry import Sleep, retrying
from echelon.resilience.timeout import within

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Verdict(Generic[T]):
    """How a call ended: with a value, or with the error of its last attempt."""

    value: T | None
    """What the work returned; None when there is an error."""
    error: Exception | None
    """Why there is no value; None when there is one."""
    attempts: int
    """Calls made; 0 when it was refused before the first."""
    seconds: float
    """Time at work in seconds, waits between attempts included, the wait for room not."""
    usage: Usage
    """What all attempts used together, as far as they told; `calls` counts every attempt at least once."""


class _Progress(Generic[T]):
    """One call on its way down the rungs."""

    def __init__(self, work: Callable[[], Awaitable[T]], tokens: int) -> None:
        self.work = work
        self.tokens = tokens
        self.attempts = 0
        self.entered: float | None = None
        self.told = Usage()
        self.reservation: Reservation | None = None
        self.permit: Permit | None = None

    def note(self, result: object) -> None:
        """Take the usage that a value or an error tells; an attempt that tells no calls was one."""
        told = getattr(result, "usage", None)
        if isinstance(told, Usage):
            self.told += told.model_copy(update={"calls": max(0, told.calls - 1), "seconds": 0.0})

    def usage(self, seconds: float) -> Usage:
        """Return what was used, given the time it took."""
        return self.told.model_copy(update={"calls": self.told.calls + self.attempts, "seconds": seconds})


class Guard:
    """Guards calls by one policy. It never raises for a failure of the call; only cancellation passes through.

    A guard may be shared by concurrent calls. `limit` bounds how many are at work at one time (F5). `account` and
    `breaker` are shared with other guards; `rng`, `clock` and `sleep` are there to make a run repeatable.
    """

    def __init__(
        self,
        policy: Resilience,
        *,
        breaker: Breaker | None = None,
        account: Account | None = None,
        limit: asyncio.Semaphore | None = None,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.policy = policy.over(DEFAULT_RESILIENCE)
        self._admit: Callable[[], AbstractContextManager[Permit | None]] = breaker.admit if breaker else nullcontext
        self._account = account or Account(Budget(), "nobody", clock=clock)
        self._room: AbstractAsyncContextManager[Any] = limit or nullcontext()
        self._rng = rng or random.Random()  # noqa: S311 - spreads waits, protects nothing
        self._clock = clock
        self._sleep = sleep

    async def call(self, work: Callable[[], Awaitable[T]], *, tokens: int = 0) -> Verdict[T]:
        """Do `work` within the policy; `tokens` is the estimate reserved for it.

        Usage is read from an attribute `usage` of what `work` returns, and of errors that carry one.
        """
        progress = _Progress(work, tokens)
        value: T | None = None
        error: Exception | None = None
        try:
            value = await self._within_budget(progress)
        except Exception as failure:  # noqa: BLE001 - whatever went wrong ends in an envelope
            error = failure
        seconds = self._seconds(progress)
        return Verdict(
            value=value, error=error, attempts=progress.attempts, seconds=seconds, usage=progress.usage(seconds)
        )

    async def _within_budget(self, progress: _Progress[T]) -> T:
        progress.reservation = self._account.reserve(tokens=progress.tokens)
        try:
            return await self._with_room(progress)
        finally:
            if progress.attempts:  # made calls are paid, also when cancelled
                progress.reservation.settle(progress.usage(self._seconds(progress)))
            else:
                progress.reservation.cancel()

    async def _with_room(self, progress: _Progress[T]) -> T:
        async with self._room:
            progress.entered = self._clock()
            return await self._past_breaker(progress)

    async def _past_breaker(self, progress: _Progress[T]) -> T:
        with self._admit() as progress.permit:
            return await self._with_retries(progress)

    async def _with_retries(self, progress: _Progress[T]) -> T:
        try:
            return await self._attempt(progress)
        except Exception as error:
            if self.policy.attempts == 1 or not can_pass(error):
                raise
            return await self._again(progress, error)

    async def _again(self, progress: _Progress[T], first_error: Exception) -> T:
        """Go on after a first attempt that failed. Most calls need no second, and are spared the machinery of one."""
        failed: list[Exception] = [first_error]

        async def attempt() -> T:
            if failed:
                raise failed.pop()  # tenacity counts the first attempt as its own, and waits before the next
            return await self._attempt(progress)

        def another(wait_seconds: float) -> bool:
            return self._may_try_again(progress, wait_seconds)

        return await retrying(self.policy, rng=self._rng, sleep=self._sleep, another=another)(attempt)

    async def _attempt(self, progress: _Progress[T]) -> T:
        assert self.policy.timeout_seconds is not None, "a policy is completed before it is used"
        left, whose = self._account.deadline()
        if left <= 0:
            raise BudgetExhausted("seconds", 0, 0, whose)
        progress.attempts += 1
        try:
            value = await within(min(left, self.policy.timeout_seconds), progress.work)
        except AgentTimeout as error:
            if error.seconds == left:
                raise BudgetExhausted("seconds", self.policy.timeout_seconds, left, whose) from error
            raise
        except Exception as error:
            progress.note(error)
            raise
        progress.note(value)
        return value

    def _may_try_again(self, progress: _Progress[T], wait_seconds: float) -> bool:
        if progress.permit is not None and not progress.permit.holds:
            return False
        assert progress.reservation is not None, "the budget rung is above the retries"
        try:
            progress.reservation.extend(calls=1, seconds=wait_seconds)
        except BudgetExhausted:
            return False
        return True

    def _seconds(self, progress: _Progress[T]) -> float:
        return 0.0 if progress.entered is None else self._clock() - progress.entered
