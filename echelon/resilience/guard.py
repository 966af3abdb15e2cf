"""Around every call: bulkhead → budget → rate → quota → breaker → retry → timeout, a rung each (F1, F3, F4, F5, F10).

The breaker is asked once a call and told once how the call ended, attempts and all: a passing error that a retry cures
must not open it. While it is open no further attempt is made under permits given before.

A call that is refused for now leaves its rungs, waits at a door where there is one, and climbs again.

When the budget is used up, a call that knows how to wrap up gets one more within what was kept back for that (F4).
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

from echelon.model.errors import AgentTimeout, BudgetExhausted, ReplicaStopped
from echelon.model.policy import DEFAULT_RESILIENCE, Resilience
from echelon.model.usage import Budget, Price, Usage
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.budget import Account, final_call
from echelon.resilience.bulkhead import Slot
from echelon.resilience.doors import Door, DoorWaits, RateDoor
from echelon.resilience.errors import can_pass
from echelon.resilience.meter import metering
from echelon.resilience.progress import CallObserver, CallProgress
from echelon.resilience.quota.gate import QuotaGate, gated
from echelon.resilience.rate import RateLimiter
from echelon.resilience.rate_rung import RateRung
from echelon.resilience.retry import Sleep, retrying
from echelon.resilience.retry_budget import RetryBudget
from echelon.resilience.rungs import BreakerRung, BudgetRung, Limiter, Rung, SlotRung
from echelon.resilience.stoppable import GRACE_SECONDS, StopRequest, run_stoppably
from echelon.resilience.timeout import time_limit

T = TypeVar("T")


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
    """Time at work in seconds, waits between attempts included, the wait for room not."""
    usage: Usage
    """What all attempts used together, as far as they told; `calls` counts every attempt at least once."""
    wrapped_up: bool = False
    """Was the value made in the last call, within what was kept back when the budget was used up?"""


class Guard:
    """Guards calls by one policy. It never raises for a failure of the call; only cancellation passes through.

    A guard may be shared by concurrent calls. `limiters` bound how many are at work at one time (F5): bulkheads' slots
    or semaphores, entered in this order. `account`, `breaker`, `rate_limiter` and `retry_budget` are shared with other
    guards, and `quota` stands before all who call the same; `price` makes money of tokens; `rng`, `clock` and `sleep`
    are there to make a run repeatable. `doors` are where a call waits that is refused for now, as one of `tenant`, a
    higher `priority` first. An attempt that is stopped has `grace_seconds` to clean up, and is given up then.
    """

    def __init__(
        self,
        policy: Resilience,
        *,
        breaker: Breaker | None = None,
        account: Account | None = None,
        limiters: Sequence[Limiter] = (),
        rate_limiter: RateLimiter | None = None,
        doors: Sequence[Door] = (),
        quota: QuotaGate | None = None,
        tenant: str = "",
        priority: int = 0,
        retry_budget: RetryBudget | None = None,
        price: Price | None = None,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self.policy = policy.over(DEFAULT_RESILIENCE)
        #: What all its calls are taken from, unless a call has an account of its own.
        self.account = account or Account(Budget(), "no budget", clock=clock)
        self._pace = rate_limiter and RateRung(rate_limiter, sleep)
        #: What stands before its dependency while a limit of that is used up; None: nothing does.
        self.quota = quota
        self._rungs = tuple(_rungs(price, clock, limiters, (self._pace, quota), breaker))
        self._doors = (*doors, *((RateDoor(rate_limiter),) if rate_limiter else ()))
        self._tenant, self._priority = tenant, priority
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
        self._grace_seconds = grace_seconds

    def reserve(self, calls: int) -> None:
        """Keep slots for so many calls to come, or for fewer (a negative number): others must not take them all (F5).

        A call is expected until it has ended, whether it is made or not.
        """
        before, self._coming = max(0, self._coming), self._coming + calls
        for slot, most in self._slots:
            slot.reserve(int(min(max(0, self._coming), most) - min(before, most)))

    async def call(
        self,
        work: Callable[[], Awaitable[T]],
        *,
        tokens: int | None = None,
        account: Account | None = None,
        wrap_up: Callable[[], Awaitable[T]] | None = None,
        observer: CallObserver | None = None,
        stop: StopRequest | None = None,
    ) -> CallResult[T]:
        """Do `work` within the policy; `tokens` is the estimate reserved for it, `account` that of this call alone.

        Without an estimate the most that a call used so far is reserved, or what is left. 0 is for work that reserves
        its parts itself: see `Meter`.

        Usage is read from an attribute `usage` of what `work` returns, and of errors that carry one. `wrap_up` writes
        down what there is; it is called once, when the budget is used up and a share of it was kept back for this.
        `observer` hears of waits and of attempts that fail. A call that is stopped by `stop`, which runs it then, ends
        with `ReplicaStopped`.
        """
        progress = CallProgress(work, account or self.account, self._price, tokens, observer)
        waits = DoorWaits(progress, self._doors, self._tenant, self._clock, self._sleep, self._priority)
        error = _stopped(stop)
        try:
            while error is None:
                try:
                    await self._climb(waits.climb)
                    break
                except Exception as failure:  # noqa: BLE001 - raised again where no door lets the call wait
                    refused = waits.refusal(failure)
                    with self._reserving_one_less():
                        await waits.wait(refused)
        except BudgetExhausted as exhausted:
            waits.end()
            error = await self._wrap_up(progress, wrap_up, exhausted, stop)
        except asyncio.CancelledError:
            error = _stopped(stop)
            if error is None:
                raise
        except Exception as failure:  # noqa: BLE001 - whatever went wrong ends in an envelope
            error = failure
        finally:
            waits.end()
        seconds = progress.seconds_at_work(self._clock())
        return CallResult(
            value=progress.value if error is None else None,
            error=error,
            attempts=progress.attempts,
            seconds=seconds,
            usage=progress.usage(seconds),
            wrapped_up=progress.wrapped_up,
        )

    @contextmanager
    def _reserving_one_less(self) -> Generator[None]:
        """Let others have the slot that is reserved for a call while it waits at a door (F5)."""
        given_back = min(1, max(0, self._coming))
        self.reserve(-given_back)
        try:
            yield
        finally:
            self.reserve(given_back)

    async def _climb(self, progress: CallProgress[T]) -> None:
        """Pass all rungs, then make the attempts; what was taken on the way is given back in turn."""
        taken: list[Rung] = []
        failure: BaseException | None = None
        try:
            for rung in self._rungs:
                await rung.enter(progress)
                taken.append(rung)
            progress.entered = self._clock()
            if progress.position is not None:
                progress.position.end()
            try:
                progress.value = await self._attempt(progress)
            except Exception as error:
                if self.policy.attempts == 1 or not can_pass(error):
                    raise
                progress.value = await self._again(progress, error)
            if self._retry_budget is not None:
                self._retry_budget.succeeded(retried=progress.attempts > 1)
        except BaseException as error:
            failure = error
            raise
        finally:
            for rung in reversed(taken):
                await rung.leave(progress, failure)

    async def _wrap_up(
        self,
        progress: CallProgress[T],
        wrap_up: Callable[[], Awaitable[T]] | None,
        exhausted: BudgetExhausted,
        stop: StopRequest | None,
    ) -> Exception | None:
        """Make the last call, once, past the same rungs; return why there is no value, None when there is one."""
        kept_back = progress.account.reserve_final_call() if wrap_up else None
        if kept_back is None or wrap_up is None:
            return exhausted
        last = CallProgress(wrap_up, progress.account, self._price, observer=progress.observer)
        last.reservation = kept_back
        try:
            with final_call():
                await self._climb(last)
        except asyncio.CancelledError:
            stopped = _stopped(stop)
            if stopped is None:
                raise
            return stopped
        except Exception as failure:  # noqa: BLE001 - what it failed for first is what somebody can change
            exhausted.__cause__ = failure
            return exhausted
        finally:
            progress.add(last, self._clock())
        progress.wrapped_up = True
        return None

    async def _again(self, progress: CallProgress[T], first_error: Exception) -> T:
        """Go on after a first attempt that failed. Most calls need no second, and are spared the machinery of one."""
        failed: list[Exception] = [first_error]

        async def attempt() -> T:
            if failed:
                raise failed.pop()  # tenacity counts the first attempt as its own, and waits before the next
            if self._pace is not None:
                await self._pace.again(progress)
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
        await progress.reservation.confirm()
        if self.quota is not None:
            self.quota.check()  # it may have closed since the attempt before
        progress.attempts += 1
        progress.retry_held = False
        seconds, began = min(left, self._timeout_seconds), self._clock()
        try:
            async with time_limit(None if seconds == inf else seconds, idle_seconds=self._idle_seconds):
                with metering(progress), gated(self.quota):
                    async with run_stoppably(progress.work, self._grace_seconds) as task:
                        await asyncio.wait({task})
                value = _result_of(task, progress)
        except Exception as error:
            out_of_time = isinstance(error, AgentTimeout) and error.seconds == left and not error.idle
            failure = BudgetExhausted.while_at_work(left, whose) if out_of_time else error
            progress.fail(failure, self._clock() - began)
            if out_of_time:
                raise failure from error
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


def _stopped(stop: StopRequest | None) -> Exception | None:
    """Say that a call is stopped, if it is."""
    return ReplicaStopped(stop.reason) if stop and stop.reason else None


def _result_of(task: "asyncio.Task[T]", progress: CallProgress[T]) -> T:
    """Return what an attempt returned; one that was stopped may say what it had used by then."""
    try:
        return task.result()
    except asyncio.CancelledError as stopped:
        progress.note(stopped)
        raise


def _rungs(
    price: Price | None,
    clock: Callable[[], float],
    limiters: Iterable[Limiter],
    passes: Iterable[Rung | None],
    breaker: Breaker | None,
) -> Iterator[Rung]:
    yield from map(SlotRung, limiters)
    # Below the slots: what waits for a slot must hold nothing that those with a slot wait for.
    yield BudgetRung(price, clock)
    yield from filter(None, passes)
    if breaker is not None:
        yield BreakerRung(breaker)


def _let_through(slots: Iterable[Slot]) -> Iterator[tuple[Slot, float]]:
    most = inf
    for slot in slots:
        yield slot, most
        most = min(most, slot.most)
