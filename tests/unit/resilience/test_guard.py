"""One guard around every call: whatever happens inside ends in a verdict."""

import asyncio
from typing import Any

import pytest

from echelon.model.errors import AgentTimeout, BreakerOpen, BudgetExhausted, ContractViolation
from echelon.model.policy import BreakerPolicy, Resilience
from echelon.model.usage import Budget, Usage
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.budget import Account
from echelon.resilience.guard import CallResult, Guard
from echelon.testing.clock import FakeClock
from tests.unit.resilience.guarding import DOWN, Told, guarded, most_at_once, script


def test_a_value_comes_back_with_its_price() -> None:
    clock = FakeClock()
    verdict = guarded(script("done", clock=clock), clock)

    assert verdict == CallResult(value="done", error=None, attempts=1, seconds=1, usage=Usage(calls=1, seconds=1))


def test_a_passing_error_is_tried_again_and_leaves_no_trace_in_the_verdict() -> None:
    clock = FakeClock()
    verdict = guarded(script(DOWN, "done", clock=clock), clock)

    assert (verdict.value, verdict.error, verdict.attempts) == ("done", None, 2)
    assert verdict.seconds == pytest.approx(2 + clock.slept[0])


@pytest.mark.parametrize(
    ("steps", "attempts"),
    [([DOWN, DOWN, DOWN], 3), ([ValueError("bug")], 1), ([DOWN, ValueError("bug")], 2), ([ContractViolation("no")], 1)],
)
def test_a_failure_is_returned_and_never_raised(steps: list[Exception], attempts: int) -> None:
    verdict = guarded(script(*steps), FakeClock())

    assert (verdict.value, verdict.error, verdict.attempts) == (None, steps[-1], attempts)


@pytest.mark.parametrize("end", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit()], ids=repr)
def test_only_what_ends_the_task_or_the_process_passes_through(end: BaseException) -> None:
    with pytest.raises(type(end)):
        asyncio.run(Guard(Resilience()).call(script(end)))


def test_each_attempt_has_the_time_of_the_policy() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    verdict = guarded(never, FakeClock(), Resilience(timeout_seconds=0.005, attempts=2))

    assert isinstance(verdict.error, AgentTimeout)
    assert (verdict.error.seconds, verdict.attempts) == (0.005, 2)


def test_a_call_that_no_budget_is_left_for_is_not_made() -> None:
    account = Account(Budget(calls=1), "job", spent=Usage(calls=1))
    verdict = guarded(script("never"), FakeClock(), account=account)

    assert isinstance(verdict.error, BudgetExhausted)
    assert (verdict.attempts, verdict.seconds, verdict.usage) == (0, 0, Usage())


def test_every_attempt_is_a_call_of_the_budget_and_the_last_error_stands_when_none_is_left() -> None:
    account = Account(Budget(calls=2), "job")
    verdict = guarded(script(DOWN, DOWN), FakeClock(), Resilience(attempts=5), account=account)

    assert (verdict.error, verdict.attempts) == (DOWN, 2)
    assert (account.used.calls, account.reserved["calls"]) == (2, 0)


class Costly(ConnectionError):
    usage = Usage(tokens_in=10, tokens_out=1, calls=2)


def test_the_usage_of_all_attempts_is_settled_also_of_those_that_failed() -> None:
    """2 calls of the first attempt + 3 of the second; tokens 11 + 44."""
    account = Account(Budget(tokens=1000), "job")
    value = Told(Usage(tokens_in=40, tokens_out=4, calls=3))
    verdict = guarded(script(Costly(), value), FakeClock(), account=account)

    assert (verdict.usage.tokens, verdict.usage.calls) == (55, 5)
    assert (account.used.tokens, account.used.calls) == (55, 5)


@pytest.mark.parametrize(("used", "errors"), [(40, [type(None)] * 2), (60, [type(None), BudgetExhausted])])
def test_the_estimate_is_reserved_while_the_call_is_under_way_and_others_wait_for_what_it_gives_back(
    used: int, errors: list[type]
) -> None:
    """60 of 100 are reserved for each of two: the second goes when the first has used 40, and not when it used 60."""
    account = Account(Budget(tokens=100), "job")
    guard = Guard(Resilience(), account=account)
    at_work = list[int]()

    async def work() -> Told:
        at_work.append(1)
        assert sum(at_work) == 1
        await asyncio.sleep(0)
        at_work.pop()
        return Told(Usage(tokens_in=used))

    async def two_at_a_time() -> list[CallResult[Told]]:
        return await asyncio.gather(guard.call(work, tokens=60), guard.call(work, tokens=60))

    assert [type(result.error) for result in asyncio.run(two_at_a_time())] == errors
    assert account.reserved == {"tokens": 0, "calls": 0, "cost": 0}


def test_the_time_of_the_job_ends_an_attempt_and_is_not_retried() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    account = Account(Budget(seconds=0.02), "job", clock=FakeClock())
    verdict = guarded(never, FakeClock(), Resilience(timeout_seconds=60), account=account)

    assert isinstance(verdict.error, BudgetExhausted)
    assert (verdict.error.what, verdict.error.whose, verdict.attempts) == ("seconds", "job", 1)


def test_no_wait_is_begun_that_goes_beyond_the_time_of_the_job() -> None:
    clock = FakeClock()
    slow_down = ConnectionError("slow down")
    slow_down.retry_after = 50  # type: ignore[attr-defined]
    account = Account(Budget(seconds=30), "job", clock=clock)
    verdict = guarded(script(slow_down), clock, account=account)

    assert (verdict.error, verdict.attempts, clock.slept) == (slow_down, 1, [])


def test_a_call_that_got_room_too_late_is_refused() -> None:
    clock = FakeClock()
    account = Account(Budget(seconds=5), "job", clock=clock)

    class SlowDoor(asyncio.Semaphore):
        async def acquire(self) -> Any:
            clock.advance(6)
            return await super().acquire()

    verdict = guarded(script("never"), clock, account=account, limiters=[SlowDoor(1)])

    assert isinstance(verdict.error, BudgetExhausted)
    assert verdict.attempts == 0


def test_a_cancelled_call_pays_what_it_made_and_gives_back_the_rest() -> None:
    account = Account(Budget(calls=10, tokens=100), "job")
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=1))

    async def cancelled() -> int:
        limit = asyncio.Semaphore(1)
        guard = Guard(Resilience(), account=account, breaker=breaker, limiters=[limit])
        at_work = asyncio.create_task(guard.call(asyncio.Event().wait, tokens=50))
        waiting = asyncio.create_task(guard.call(asyncio.Event().wait, tokens=50))
        await asyncio.sleep(0)
        for task in (at_work, waiting):
            task.cancel()
        await asyncio.gather(at_work, waiting, return_exceptions=True)
        return limit._value

    room = asyncio.run(cancelled())

    assert (room, breaker.state) == (1, "closed")
    assert (account.used.calls, account.reserved) == (1, {"tokens": 0, "calls": 0, "cost": 0})


def test_no_more_calls_are_at_work_than_there_is_room_for() -> None:
    guard = Guard(Resilience(), limiters=[asyncio.Semaphore(4)])

    assert most_at_once(lambda work: [guard.call(work) for _ in range(40)]) == 4


def test_waiting_for_room_is_not_time_at_work() -> None:
    clock = FakeClock()

    class SlowDoor(asyncio.Semaphore):
        async def acquire(self) -> Any:
            clock.advance(100)
            return await super().acquire()

    verdict = guarded(script("done", clock=clock), clock, limiters=[SlowDoor(1)])

    assert verdict.seconds == 1


def test_an_error_that_a_retry_cures_does_not_open_the_breaker() -> None:
    """A burst of 429 that every caller gets past must not stop the whole run."""
    clock = FakeClock()
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=2), clock=clock)
    for _ in range(10):
        assert guarded(script(DOWN, DOWN, "done"), clock, breaker=breaker).value == "done"

    assert breaker.state == "closed"


def test_calls_that_fail_with_all_their_attempts_open_it_and_the_next_is_refused_unpaid() -> None:
    clock = FakeClock()
    account = Account(Budget(calls=100), "job")
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=2), clock=clock)
    for _ in range(2):
        guarded(script(DOWN, DOWN, DOWN), clock, breaker=breaker, account=account)
    verdict = guarded(script("never"), clock, breaker=breaker, account=account)

    assert isinstance(verdict.error, BreakerOpen)
    assert (verdict.attempts, account.used.calls, clock.slept[6:]) == (0, 6, [])


def test_once_it_is_open_calls_under_way_make_no_further_attempt() -> None:
    clock = FakeClock()
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=1), clock=clock)
    made = 0

    async def work() -> None:
        nonlocal made
        made += 1
        if made == 1:
            breaker.admit().end(DOWN)
        raise DOWN

    verdict = guarded(work, clock, Resilience(attempts=5), breaker=breaker)

    assert (verdict.error, verdict.attempts) == (DOWN, 1)


def test_of_100_guarded_callers_at_half_open_exactly_one_reaches_the_dependency() -> None:
    clock = FakeClock()
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=1, open_seconds=30), clock=clock)
    breaker.admit().end(DOWN)
    clock.advance(30)
    reached = 0

    async def work() -> str:
        nonlocal reached
        reached += 1
        await asyncio.sleep(0)
        return "done"

    async def crowd() -> list[CallResult[str]]:
        guard = Guard(Resilience(), breaker=breaker, clock=clock)
        return await asyncio.gather(*(guard.call(work) for _ in range(100)))

    verdicts = asyncio.run(crowd())

    assert (reached, breaker.state) == (1, "closed")
    assert sum(isinstance(verdict.error, BreakerOpen) for verdict in verdicts) == 99


def test_fifty_guarded_calls_are_at_work_at_the_same_time() -> None:
    guard = Guard(Resilience(), breaker=Breaker("provider"), account=Account(Budget(calls=50), "job"))

    assert most_at_once(lambda work: [guard.call(work) for _ in range(50)], seconds=0.05) == 50
