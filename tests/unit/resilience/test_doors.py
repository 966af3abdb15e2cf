"""F1: a call without a fallback waits for the next probe of an open breaker, in line and holding nothing."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from echelon.model.errors import AgentFailed, BreakerOpen, BudgetExhausted
from echelon.model.policy import BreakerPolicy, BulkheadPolicy, Resilience, RetryBudgetPolicy
from echelon.model.usage import Budget
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.budget import Account
from echelon.resilience.bulkhead import Bulkhead
from echelon.resilience.doors import ProbeDoor
from echelon.resilience.guard import CallResult, Guard
from echelon.resilience.retry_budget import RetryBudget
from tests.unit.resilience.guarding import DOWN, Work, in_virtual_time

Clock = Callable[[], float]

#: Opens after two failed calls, for 10 s, then 20, then 40.
FIRM = BreakerPolicy(consecutive_failures=2, open_seconds=10, open_jitter=0)


@dataclass
class Provider:
    """Is down until a time, and takes a second a call; notes when it was called."""

    clock: Clock
    up_at: float = 0.0
    called_at: list[float] = field(default_factory=list[float])
    at_once: int = 0
    most_at_once: int = 0

    async def __call__(self) -> str:
        self.called_at.append(self.clock())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(1)
        finally:
            self.at_once -= 1
        if self.clock() < self.up_at:
            raise DOWN
        return "answer"


@dataclass
class Waits:
    """Notes the waits of one call."""

    told: list[tuple[str, float, int]] = field(default_factory=list[tuple[str, float, int]])
    failed: list[int] = field(default_factory=list[int])

    def waited(self, limiter: str, seconds: float, queue_length: int) -> None:
        self.told.append((limiter, seconds, queue_length))

    def attempt_failed(self, attempt: int, error: Exception, seconds: float) -> None:
        self.failed.append(attempt)


def patient(clock: Clock, breaker: Breaker, policy: Resilience | None = None, **parts: Any) -> Guard:
    stated = policy or Resilience(attempts=3, backoff_seconds=0)
    timeout = float("inf") if stated.timeout_seconds is False else stated.timeout_seconds or 300.0
    doors = [ProbeDoor(breaker, attempts=stated.attempts or 3, timeout_seconds=timeout)]
    return Guard(stated, breaker=breaker, doors=doors, clock=clock, rng=random.Random(1), **parts)


def opened(clock: Clock, policy: BreakerPolicy = FIRM) -> Breaker:
    breaker = Breaker("provider", policy, clock=clock)
    for _ in range(policy.consecutive_failures):
        breaker.admit().end(DOWN)
    return breaker


async def all_of(guard: Guard, work: Work, calls: int) -> list[CallResult[Any]]:
    return await asyncio.gather(*(guard.call(work) for _ in range(calls)))


@pytest.mark.parametrize("calls", [2, 30, 300])
def test_calls_outlast_a_provider_that_is_down_for_a_time(calls: int) -> None:
    """Lost is only the one whose attempts were used up before two failures had opened the breaker."""

    async def night(clock: Clock) -> tuple[list[CallResult[Any]], Provider]:
        provider = Provider(clock, up_at=25)
        limit = Bulkhead("run", BulkheadPolicy(max_concurrency=16, max_queue=None))
        guard = patient(clock, Breaker("provider", FIRM, clock=clock), limiters=[limit.slot()])
        return await all_of(guard, provider, calls), provider

    results, provider = in_virtual_time(night)

    assert [result.value for result in results].count("answer") == calls - 1
    assert sum(result.attempts for result in results) == len(provider.called_at)


def test_without_a_door_a_call_is_refused_at_once() -> None:
    async def refused(clock: Clock) -> tuple[CallResult[Any], float]:
        guard = Guard(Resilience(), breaker=opened(clock), clock=clock)
        return await guard.call(Provider(clock)), clock()

    result, at = in_virtual_time(refused)

    assert (type(result.error), at) == (BreakerOpen, 0)


def test_while_it_waits_a_call_holds_no_slot_no_reservation_and_no_fair_part() -> None:
    """One slot, one call in the budget, and another domain that wants both: it is served at once."""

    async def crowd(clock: Clock) -> tuple[float, float, CallResult[Any]]:
        slots = Bulkhead("run", BulkheadPolicy(max_concurrency=2, max_queue=None))
        account = Account(Budget(calls=3), "job", clock=clock)
        waiting = patient(clock, opened(clock), limiters=[slots.slot("a")], account=account, tenant="a")
        other = Guard(Resilience(), limiters=[slots.slot("b")], account=account, clock=clock)
        waiting.reserve(1)
        call = asyncio.create_task(waiting.call(Provider(clock)))
        await asyncio.sleep(0.1)
        held = account.reserved["calls"] + slots.at_work
        await all_of(other, Provider(clock), 2)
        return held, clock(), await call

    held, done_at, result = in_virtual_time(crowd)

    assert held == 0
    assert done_at == pytest.approx(1.1)  # side by side: the part of the one that waits was theirs
    assert result.value == "answer"


def test_no_more_probes_are_made_than_the_policy_allows_however_many_wait() -> None:
    async def crowd(clock: Clock) -> tuple[Provider, list[CallResult[Any]]]:
        provider = Provider(clock, up_at=15)  # the first probe, at 10 s, fails
        return provider, await all_of(patient(clock, opened(clock)), provider, 100)

    provider, results = in_virtual_time(crowd)
    before_it_closed = [round(at) for at in provider.called_at if at < 34]

    assert all(result.value == "answer" for result in results)
    assert before_it_closed == [10, 11, 12, 33]  # the attempts of one call, and 20 s after it failed another call
    assert sum(result.attempts for result in results) == 103


def test_several_probes_are_made_side_by_side_where_the_policy_allows_it() -> None:
    async def crowd(clock: Clock) -> Provider:
        provider = Provider(clock)
        await all_of(patient(clock, opened(clock, FIRM.model_copy(update={"half_open_calls": 3}))), provider, 30)
        return provider

    provider = in_virtual_time(crowd)

    assert [at for at in provider.called_at if at < 11] == [10, 10, 10]


def test_those_who_wait_come_in_turn() -> None:
    async def crowd(clock: Clock) -> list[int]:
        began: list[int] = []

        async def work(number: int) -> None:
            began.append(number)
            await asyncio.sleep(1)

        breaker = opened(clock)
        guards = [patient(clock, breaker, tenant=str(number % 2)) for number in range(6)]
        calls = [guard.call(lambda number=number: work(number)) for number, guard in enumerate(guards)]
        await asyncio.gather(*calls)
        return began

    assert in_virtual_time(crowd) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("policy", "budget", "waited", "whose"),
    [
        (Resilience(timeout_seconds=5), Budget(), 0, "its timeout"),
        (Resilience(timeout_seconds=25), Budget(), 11.1, "its timeout"),
        (Resilience(), Budget(seconds=5), 0, "task 'ask'"),
        (Resilience(timeout_seconds=5), Budget(seconds=25), 11.1, "task 'ask'"),
        (Resilience(timeout_seconds=False), Budget(seconds=25), 11.1, "task 'ask'"),
    ],
    ids=["too short", "until the second probe", "budget too short", "budget before timeout", "no timeout"],
)
def test_a_call_whose_time_does_not_suffice_says_so(
    policy: Resilience, budget: Budget, waited: float, whose: str
) -> None:
    """The probe of another at 10 s fails at 11 s, which is seen a moment later; the next would be at 31 s."""

    async def in_vain(clock: Clock) -> tuple[CallResult[Any], CallResult[Any], float]:
        breaker = opened(clock)
        account = Account(budget, "task 'ask'", clock=clock)
        first = asyncio.create_task(patient(clock, breaker, Resilience(attempts=1)).call(Provider(clock, up_at=1000)))
        await asyncio.sleep(0)
        result = await patient(clock, breaker, policy, account=account).call(Provider(clock))
        at = clock()
        return await first, result, at

    _, result, at = in_virtual_time(in_vain)

    assert isinstance(result.error, BreakerOpen)
    assert result.attempts == 0
    assert f"waited {waited:.1f} s of the" in str(result.error)
    assert f"that {whose} allows; next probe in {(31 if waited else 10) - at:.1f} s" in str(result.error)
    assert at == pytest.approx(waited, abs=0.3)


def test_nobody_waits_for_a_breaker_that_a_person_has_opened() -> None:
    async def in_vain(clock: Clock) -> tuple[CallResult[Any], float]:
        breaker = Breaker("provider", FIRM, clock=clock)
        breaker.isolate("maintenance")
        return await patient(clock, breaker, Resilience(timeout_seconds=False)).call(Provider(clock)), clock()

    result, at = in_virtual_time(in_vain)

    assert (type(result.error), at) == (BreakerOpen, 0)
    assert "until it is reset" in str(result.error)


@pytest.mark.parametrize("stopped", ["the first in line", "one behind it", "all"])
def test_a_cancelled_wait_gives_everything_back(stopped: str) -> None:
    async def crowd(clock: Clock) -> tuple[list[bool], Breaker, dict[str, float]]:
        breaker, account = opened(clock), Account(Budget(calls=9), "job", clock=clock)
        guard = patient(clock, breaker, account=account)
        guard.reserve(3)
        calls = [asyncio.create_task(guard.call(Provider(clock))) for _ in range(3)]
        await asyncio.sleep(1)
        for call in {"the first in line": calls[:1], "one behind it": calls[1:2]}.get(stopped, calls):
            call.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        guard.reserve(-3)
        return [isinstance(end, CallResult) for end in ended], breaker, account.reserved

    done, breaker, reserved = in_virtual_time(crowd)

    assert done == {"the first in line": [False, True, True], "one behind it": [True, False, True]}.get(
        stopped, [False] * 3
    )
    assert breaker.line.waiting == 0
    assert reserved["calls"] == 0


def test_the_wait_is_reported_and_is_no_time_at_work() -> None:
    async def one(clock: Clock) -> tuple[CallResult[Any], Waits]:
        observer = Waits()
        return await patient(clock, opened(clock)).call(Provider(clock), observer=observer), observer

    result, observer = in_virtual_time(one)

    assert observer.told == [("breaker provider", 10, 0)]
    assert (result.seconds, result.attempts) == (1, 1)


def test_what_was_used_before_a_wait_is_paid_once_and_told_together() -> None:
    """Three attempts before, each a second; one attempt behind. The call beside it is lost before the breaker opens."""

    async def two(clock: Clock) -> tuple[list[CallResult[Any]], Account, list[Waits]]:
        account, observers = Account(Budget(calls=20), "job", clock=clock), [Waits(), Waits()]
        guard = patient(clock, Breaker("provider", FIRM, clock=clock), account=account)
        provider = Provider(clock, up_at=5)
        return await asyncio.gather(*(guard.call(provider, observer=one) for one in observers)), account, observers

    results, account, observers = in_virtual_time(two)

    assert [(result.attempts, result.usage.calls, result.seconds) for result in results] == [(3, 3, 3), (4, 4, 4)]
    assert account.used.calls == 7
    assert [observer.failed for observer in observers] == [[1, 2, 3]] * 2


@pytest.mark.parametrize(
    ("policy", "error"),
    [(Resilience(attempts=1), DOWN), (Resilience(attempts=3), AgentFailed("cannot"))],
    ids=["retries are off", "it cannot pass"],
)
def test_what_must_not_be_made_again_is_not_made_again(policy: Resilience, error: Exception) -> None:
    async def once(clock: Clock) -> CallResult[Any]:
        breaker = Breaker("provider", FIRM, clock=clock)

        async def work() -> None:
            for _ in range(2):
                breaker.admit().end(DOWN)  # others find it down meanwhile
            raise error

        return await patient(clock, breaker, policy).call(work)

    result = in_virtual_time(once)

    assert (result.error, result.attempts) == (error, 1)


def test_the_retries_that_all_share_are_for_retries_and_not_for_calls_that_waited() -> None:
    """16 are under way when it opens, for 3 retries in all: only the one that was lost before it opened is lost."""

    async def crowd(clock: Clock) -> list[CallResult[Any]]:
        shared = RetryBudget("provider", RetryBudgetPolicy(retries=3, earned_by_success=0), clock=clock)
        breaker = Breaker("provider", FIRM, clock=clock)
        return await all_of(patient(clock, breaker, retry_budget=shared), Provider(clock, up_at=1.5), 16)

    assert [result.value for result in in_virtual_time(crowd)].count("answer") == 15


@pytest.mark.parametrize("isolated", [False, True], ids=["the next probe is too late", "a person opened it"])
def test_a_call_that_would_wait_in_vain_ends_as_its_own_attempt_did(isolated: bool) -> None:
    async def once(clock: Clock) -> CallResult[Any]:
        breaker = Breaker("provider", FIRM, clock=clock)

        async def work() -> None:
            for _ in range(2):
                breaker.admit().end(DOWN) if breaker.state == "closed" else None
            if isolated:
                breaker.isolate("maintenance")
            raise ConnectionError("the first cause") from DOWN

        return await patient(clock, breaker, Resilience(attempts=2, timeout_seconds=5)).call(work)

    result = in_virtual_time(once)

    assert str(result.error) == "the first cause"
    assert result.error is not None
    assert result.error.__cause__ is DOWN


def test_a_budget_that_is_used_up_while_a_call_waits_is_what_ends_it() -> None:
    async def late(clock: Clock) -> CallResult[Any]:
        account = Account(Budget(calls=1), "job", clock=clock)
        call = asyncio.create_task(patient(clock, opened(clock), account=account).call(Provider(clock)))
        await asyncio.sleep(1)
        await Guard(Resilience(), account=account, clock=clock).call(Provider(clock))
        return await call

    assert isinstance(in_virtual_time(late).error, BudgetExhausted)
