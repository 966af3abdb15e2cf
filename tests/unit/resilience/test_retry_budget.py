"""F3: what all callers of a dependency may retry together; in an outage it is soon used up."""

import asyncio
import random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from echelon.model.policy import Resilience, RetryBudgetPolicy
from echelon.resilience.guard import Guard
from echelon.resilience.retry_budget import RetryBudget
from echelon.testing.clock import FakeClock

DOWN = ConnectionError("connection refused")


def budget(clock: FakeClock | None = None, **policy: Any) -> RetryBudget:
    return RetryBudget("provider", RetryBudgetPolicy(**policy), clock=clock or FakeClock())


class Provider:
    """Fails for so many calls, then works; counts them all."""

    def __init__(self, fails: float) -> None:
        self.fails = fails
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.fails:
            raise DOWN
        return "done"


def many(provider: Provider, calls: int, shared: RetryBudget | None, attempts: int = 3) -> list[Any]:
    clock = FakeClock()

    async def crowd() -> list[Any]:
        policy = Resilience(attempts=attempts)
        guard = Guard(policy, retry_budget=shared, rng=random.Random(1), clock=clock, sleep=clock.sleep)
        return await asyncio.gather(*(guard.call(provider) for _ in range(calls)))

    return asyncio.run(crowd())


@pytest.mark.parametrize("attempts", [3, 10], ids=["F3-3 attempts", "F3-10 attempts"])
def test_a_thousand_calls_in_a_full_outage_reach_the_provider_1100_times_at_most(attempts: int) -> None:
    provider = Provider(fails=float("inf"))
    verdicts = many(provider, 1000, budget(), attempts)

    assert provider.calls <= 1100
    assert all(verdict.error is DOWN and verdict.attempts >= 1 for verdict in verdicts)


def test_without_a_budget_they_are_multiplied() -> None:
    """The reason for having one."""
    provider = Provider(fails=float("inf"))
    many(provider, 100, None)

    assert provider.calls == 300


def test_a_short_disturbance_costs_nothing_in_the_end() -> None:
    """150 calls fail once, more than the budget has retries; every retry succeeds and gives back what it took."""
    shared = budget()
    verdicts = [many(Provider(fails=1), 1, shared)[0] for _ in range(150)]

    assert {(verdict.value, verdict.attempts) for verdict in verdicts} == {("done", 2)}
    assert shared.left == 100


def test_a_retry_that_was_taken_and_never_made_is_given_back() -> None:
    """Cancelled in the wait before it."""
    shared = budget(retries=5)

    async def cancelled() -> None:
        guard = Guard(Resilience(backoff_seconds=3600, backoff_max_seconds=3600), retry_budget=shared)
        call = asyncio.create_task(guard.call(Provider(fails=9)))
        for _ in range(10):
            await asyncio.sleep(0)
        assert shared.left == 4
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(cancelled())

    assert shared.left == 5


def test_a_budget_that_nobody_used_for_long_is_full_again() -> None:
    clock = FakeClock()
    shared = budget(clock, retries=2, forget_seconds=600)
    assert [shared.take() for _ in range(3)] == [True, True, False]
    clock.advance(599)
    assert not shared.take()
    clock.advance(599)  # that was a use
    assert not shared.take()

    clock.advance(600)

    assert shared.left == 2


class RetryBudgetMachine(RuleBasedStateMachine):
    """Takes, successes and quiet times against plain arithmetic."""

    @initialize(retries=st.integers(1, 20), earned=st.sampled_from([0.0, 0.125, 0.5, 1.0]))
    def start(self, retries: int, earned: float) -> None:
        self.clock = FakeClock()
        self.most, self.earned = float(retries), earned
        self.budget = budget(self.clock, retries=retries, earned_by_success=earned, forget_seconds=60)
        self.left, self.quiet = self.most, 0.0
        self.granted = self.income = 0.0

    def used(self) -> None:
        if self.quiet >= 60:
            self.income += self.most - self.left
            self.left = self.most
        self.quiet = 0.0

    @rule()
    def take(self) -> None:
        self.used()
        granted = self.left >= 1
        assert self.budget.take() is granted
        self.left -= granted
        self.granted += granted

    @rule(retried=st.booleans())
    def succeed(self, retried: bool) -> None:
        self.used()
        self.budget.succeeded(retried=retried)
        gain = 1.0 if retried else self.earned
        self.left = min(self.most, self.left + gain)
        self.income += gain

    @rule()
    def give_back(self) -> None:
        self.used()
        self.budget.give_back()
        self.left = min(self.most, self.left + 1)
        self.income += 1

    @rule(seconds=st.sampled_from([1.0, 30.0, 60.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.quiet += seconds

    @invariant()
    def it_is_as_counted_and_never_more_than_full_or_less_than_nothing(self) -> None:
        if not hasattr(self, "budget"):
            return
        assert 0 <= self.left <= self.most
        assert self.granted <= self.most + self.income

    @rule()
    def look(self) -> None:
        self.used()
        assert self.budget.left == self.left


RetryBudgetMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRetryBudgetMachine = RetryBudgetMachine.TestCase
