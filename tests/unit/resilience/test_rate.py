"""F5: so many requests and so many tokens a minute for everybody who calls a provider."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from echelon.model.errors import BudgetExhausted, InvalidJob
from echelon.model.policy import BreakerPolicy, BulkheadPolicy, RateLimitPolicy, Resilience
from echelon.model.usage import Budget, Usage
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.budget import Account
from echelon.resilience.bulkhead import Bulkhead
from echelon.resilience.doors import ProbeDoor
from echelon.resilience.guard import CallResult, Guard
from echelon.resilience.rate import RateLimiter
from echelon.resilience.shared import Dependencies
from echelon.testing.clock import FakeClock
from tests.unit.resilience.guarding import DOWN, Told, in_virtual_time

Clock = Callable[[], float]


def limiter(clock: Clock, requests: float | None = None, tokens: float | None = None) -> RateLimiter:
    return RateLimiter("provider", RateLimitPolicy(requests_per_minute=requests, tokens_per_minute=tokens), clock=clock)


class Calls:
    """Notes when calls were made; each takes so long, and tells so many tokens."""

    def __init__(self, clock: Clock, seconds: float = 0.1, usage: Usage | None = None) -> None:
        self._clock, self._seconds, self._usage = clock, seconds, usage
        self.at: list[float] = []

    async def __call__(self) -> Any:
        self.at.append(round(self._clock(), 3))
        await asyncio.sleep(self._seconds)
        return Told(self._usage) if self._usage else "answer"


async def all_of(guards: list[Guard], work: Calls, tokens: int = 0) -> list[CallResult[Any]]:
    return await asyncio.gather(*(guard.call(work, tokens=tokens) for guard in guards))


# The limiter


@pytest.mark.parametrize(
    ("requests", "tokens", "calls", "ready_in"),
    [
        (60, None, [0], [1]),
        (60, None, [0, 0, 0], [1, 1, 1]),
        (None, 6000, [500, 100], [5, 1]),
        (60, 6000, [10, 500], [1, 5]),  # whichever is slower
        (60, 6000, [12000], [120]),  # more than a minute gives: it is made, and the next one waits for it
    ],
    ids=["requests", "evenly", "tokens", "both", "a large one"],
)
def test_a_call_moves_the_time_of_the_next_one(
    requests: float | None, tokens: float | None, calls: list[int], ready_in: list[float]
) -> None:
    clock = FakeClock()
    rate = limiter(clock, requests, tokens)
    waits: list[float] = []
    for used in calls:
        assert rate.take(used)
        waits.append(rate.ready_in())
        assert rate.take(used) is False
        clock.advance(waits[-1])

    assert waits == pytest.approx(ready_in)


def test_nothing_is_saved_up_while_nobody_calls() -> None:
    clock = FakeClock()
    rate = limiter(clock, 60)
    clock.advance(3600)

    assert (rate.take(), rate.take()) == (True, False)


@pytest.mark.parametrize(("more", "ready_in"), [(300, 8), (0, 5), (-200, 3), (-9000, 0)])
def test_what_was_used_in_fact_counts(more: int, ready_in: float) -> None:
    rate = limiter(FakeClock(), tokens=6000)
    rate.take(500)
    rate.settle(tokens=more)

    assert rate.ready_in() == pytest.approx(ready_in)


def test_a_limit_that_limits_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="requests_per_minute, tokens_per_minute or both"):
        RateLimitPolicy()


def test_a_provider_has_one_rate_in_a_process() -> None:
    shared = Dependencies()
    shared.rate_limiter("provider", RateLimitPolicy(requests_per_minute=60))

    with pytest.raises(InvalidJob, match=r"rate limit 'provider' was asked for with two policies.*in one place"):
        shared.rate_limiter("provider", RateLimitPolicy(requests_per_minute=61))


# In the guard


def test_calls_are_spaced_evenly_and_never_exceed_the_rate() -> None:
    async def crowd(clock: Clock) -> Calls:
        calls, guard = Calls(clock), Guard(Resilience(), rate_limiter=limiter(clock, 60), clock=clock)
        await all_of([guard] * 300, calls)
        return calls

    assert in_virtual_time(crowd).at == pytest.approx(range(300), abs=0.001)


def test_those_who_wait_for_the_rate_hold_no_slot() -> None:
    """Two slots for all: the calls to another provider are made at once, whatever waits for the slow one."""

    async def crowd(clock: Clock) -> tuple[Calls, Calls]:
        slots = Bulkhead("run", BulkheadPolicy(max_concurrency=2, max_queue=None))
        slow = Guard(Resilience(), rate_limiter=limiter(clock, 6), limiters=[slots.slot()], clock=clock)
        others = Guard(Resilience(), limiters=[slots.slot()], clock=clock)
        first, second = Calls(clock), Calls(clock)
        await asyncio.gather(all_of([slow] * 10, first), all_of([others] * 10, second))
        return first, second

    slow, others = in_virtual_time(crowd)

    assert slow.at == pytest.approx(range(0, 100, 10), abs=0.3)
    assert max(others.at) < 1


def test_a_call_that_waited_for_a_slot_does_not_come_in_a_crowd_later() -> None:
    """One call of 100 s holds the only slot: none of the 9 behind it saves up its time."""

    async def crowd(clock: Clock) -> Calls:
        slots = Bulkhead("provider", BulkheadPolicy(max_concurrency=9, max_queue=None))
        guard = Guard(Resilience(), rate_limiter=limiter(clock, 60), limiters=[slots.slot()], clock=clock)
        calls = Calls(clock, seconds=100)
        await all_of([guard] * 18, calls)
        return calls

    at = sorted(in_virtual_time(crowd).at)

    assert all(later - earlier >= 0.999 for earlier, later in pairwise(at))


def test_domains_that_wait_come_in_turn() -> None:
    async def crowd(clock: Clock) -> list[str]:
        served: list[str] = []
        rate = limiter(clock, 60)

        async def work(domain: str) -> None:
            served.append(domain)

        guards = {domain: Guard(Resilience(), rate_limiter=rate, tenant=domain, clock=clock) for domain in "ab"}
        await asyncio.gather(*(guards[domain].call(lambda domain=domain: work(domain)) for domain in "aaaaaabb"))
        return served

    assert "bab" in "".join(in_virtual_time(crowd))


def test_attempts_that_fail_are_requests_too() -> None:
    async def one(clock: Clock) -> list[float]:
        at: list[float] = []

        async def work() -> None:
            at.append(round(clock(), 1))
            raise DOWN

        policy = Resilience(attempts=3, backoff_seconds=0)
        await Guard(policy, rate_limiter=limiter(clock, 6), clock=clock).call(work)
        return at

    assert in_virtual_time(one) == [0, 10, 20]


@pytest.mark.parametrize(
    ("expected", "told", "second_at"),
    [
        (1000, None, 10),
        (1000, Usage(tokens_in=1500, tokens_out=500, calls=1), 20),
        (1000, Usage(tokens_in=100, tokens_out=0, calls=1), 1),
        (0, Usage(tokens_in=100, tokens_out=0, calls=5), 5),
    ],
    ids=["nobody tells", "more than expected", "fewer", "several requests in one call"],
)
def test_what_a_call_tells_moves_the_next_one(expected: int, told: Usage | None, second_at: float) -> None:
    async def two(clock: Clock) -> Calls:
        guard = Guard(Resilience(), rate_limiter=limiter(clock, 60, 6000), clock=clock)
        calls = Calls(clock, usage=told)
        await guard.call(calls, tokens=expected)
        await guard.call(calls, tokens=expected)
        return calls

    assert in_virtual_time(two).at == pytest.approx([0, second_at], abs=0.3)


def test_a_call_that_was_not_made_used_nothing() -> None:
    async def refused(clock: Clock) -> float:
        breaker = Breaker("provider", BreakerPolicy(consecutive_failures=1), clock=clock)
        breaker.admit().end(DOWN)
        rate = limiter(clock, 1)
        await Guard(Resilience(), rate_limiter=rate, breaker=breaker, clock=clock).call(Calls(clock))
        return rate.ready_in()

    assert in_virtual_time(refused) == 0


def test_a_budget_of_time_ends_the_wait_before_it_is_in_vain() -> None:
    async def two(clock: Clock) -> tuple[list[CallResult[Any]], float]:
        account = Account(Budget(seconds=5), "job", clock=clock)
        guard = Guard(Resilience(), rate_limiter=limiter(clock, 6), account=account, clock=clock)
        return await all_of([guard, guard], Calls(clock)), clock()

    (_, late), ended_at = in_virtual_time(two)

    assert isinstance(late.error, BudgetExhausted)
    assert (late.error.what, late.attempts, ended_at) == ("seconds", 0, 0.1)


def test_without_a_budget_the_time_limit_of_an_attempt_does_not_end_the_wait() -> None:
    async def two(clock: Clock) -> list[CallResult[Any]]:
        guard = Guard(Resilience(timeout_seconds=5), rate_limiter=limiter(clock, 1), clock=clock)
        return await all_of([guard] * 3, Calls(clock))

    assert [result.value for result in in_virtual_time(two)] == ["answer"] * 3


def test_a_last_call_waits_where_it_is_since_it_cannot_come_again() -> None:
    async def last(clock: Clock) -> tuple[CallResult[Any], Calls]:
        account = Account(Budget(calls=2, final_call=0.5), "job", clock=clock)
        guard = Guard(Resilience(), rate_limiter=limiter(clock, 60), account=account, clock=clock)
        calls = Calls(clock)
        await guard.call(calls)
        return await guard.call(calls, wrap_up=calls), calls

    result, calls = in_virtual_time(last)

    assert (result.value, result.wrapped_up) == ("answer", True)
    assert calls.at == pytest.approx([0, 1], abs=0.01)


def test_the_wait_is_reported_and_is_no_time_at_work() -> None:
    class Hears:
        def __init__(self) -> None:
            self.waits: list[tuple[str, float, int]] = []

        def waited(self, limiter: str, seconds: float, queue_length: int) -> None:
            self.waits.append((limiter, round(seconds, 1), queue_length))

        def attempt_failed(self, attempt: int, error: Exception, seconds: float) -> None: ...

    async def two(clock: Clock) -> tuple[CallResult[Any], Hears]:
        guard, hears = Guard(Resilience(), rate_limiter=limiter(clock, 6), clock=clock), Hears()
        await guard.call(Calls(clock))
        return await guard.call(Calls(clock), observer=hears), hears

    result, hears = in_virtual_time(two)

    assert hears.waits == [("rate limit of provider", 9.9, 0)]
    assert result.seconds == pytest.approx(0.1)


def test_a_cancelled_wait_lets_the_next_one_come() -> None:
    async def crowd(clock: Clock) -> tuple[Calls, RateLimiter]:
        rate, calls = limiter(clock, 6), Calls(clock)
        guard = Guard(Resilience(), rate_limiter=rate, clock=clock)
        tasks = [asyncio.create_task(guard.call(calls)) for _ in range(3)]
        await asyncio.sleep(1)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return calls, rate

    calls, rate = in_virtual_time(crowd)

    assert calls.at == pytest.approx([0, 10], abs=0.3)
    assert rate.line.waiting == 0


def test_a_call_waits_for_its_time_and_for_the_breaker() -> None:
    """The breaker opens for 10 s while calls wait for the rate; all are made, and never faster than the rate."""

    async def crowd(clock: Clock) -> tuple[list[CallResult[Any]], Calls]:
        breaker = Breaker(
            "provider", BreakerPolicy(consecutive_failures=1, open_seconds=10, open_jitter=0), clock=clock
        )
        door = ProbeDoor(breaker, attempts=3, timeout_seconds=300)
        guard = Guard(
            Resilience(), breaker=breaker, doors=[door], rate_limiter=limiter(clock, 60), clock=clock, tenant="a"
        )
        calls = Calls(clock)
        breaker.admit().end(DOWN)
        return await all_of([guard] * 20, calls), calls

    results, calls = in_virtual_time(crowd)

    assert all(result.value == "answer" for result in results)
    assert calls.at[0] == pytest.approx(10, abs=1.1)
    assert calls.at[-1] - calls.at[0] == pytest.approx(19, abs=3)
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(calls.at))
