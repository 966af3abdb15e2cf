"""Policies as data become rungs: shared where they are to be shared, switched off where somebody says False."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from echelon.model.errors import BreakerOpen, InvalidJob
from echelon.model.policy import BreakerPolicy, BulkheadPolicy, Resilience, RetryBudgetPolicy
from echelon.model.usage import Budget, Price, Usage
from echelon.resilience.budget import Account
from echelon.resilience.guards import Guards
from echelon.resilience.registry import BreakerRegistry
from echelon.resilience.shared import Dependencies
from echelon.testing.clock import FakeClock
from tests.unit.resilience.guarding import DOWN, most_at_once

JOB = Resilience(
    timeout_seconds=60,
    attempts=3,
    breaker="provider",
    breaker_policy=BreakerPolicy(consecutive_failures=2),
    bulkhead=BulkheadPolicy(max_concurrency=2),
    retry_budget=RetryBudgetPolicy(retries=2),
)


async def down() -> Any:
    raise DOWN


class Organisation:
    """The guards of one run, with everything that they share in reach."""

    def __init__(self, dependencies: Dependencies | None = None) -> None:
        self.clock = FakeClock()
        self.account = Account(Budget(), "job")
        self.guards = Guards(
            breakers=BreakerRegistry(clock=self.clock),
            dependencies=dependencies or Dependencies(clock=self.clock),
            clock=self.clock,
            sleep=self.clock.sleep,
        )

    def call(self, policy: Resilience, work: Callable[[], Awaitable[Any]], **parts: Any) -> Any:
        guard = self.guards.guard(policy, account=self.account, **{"caller": "agent", **parts})
        return guard.call(work)


def test_everybody_who_calls_a_dependency_shares_its_breaker_and_its_retries() -> None:
    run = Organisation()
    verdicts = [asyncio.run(run.call(JOB, down, caller=name)) for name in ("one", "two", "three")]

    assert [verdict.attempts for verdict in verdicts] == [3, 1, 0]  # two retries in all, then refused
    assert isinstance(verdicts[2].error, BreakerOpen)


@pytest.mark.parametrize(
    ("agent", "attempts"),
    [
        (Resilience(), [3, 1, 0]),
        (Resilience(breaker=False), [3, 3, 3]),  # retries of its own, as nobody names the dependency
        (Resilience(breaker=False, provider="provider"), [3, 1, 1]),
        (Resilience(attempts=1), [1, 1, 0]),
        (Resilience(retry_budget=False), [3, 3, 0]),
    ],
    ids=["F1 F3-inherited", "F1-no breaker", "F3-provider only", "F3-no retries", "F3-no retry budget"],
)
def test_false_switches_off_what_is_inherited_and_none_inherits(agent: Resilience, attempts: list[int]) -> None:
    run = Organisation()
    policy = agent.over(JOB)
    made = [asyncio.run(run.call(policy, down, caller=name)).attempts for name in ("one", "two", "three")]

    # Without the breaker's name each caller has two retries of its own.
    assert made == attempts


def crowd_of(run: Organisation, policy: Resilience, **parts: Any) -> int:
    return most_at_once(lambda work: [run.call(policy, work, domain=f"d{number % 3}", **parts) for number in range(30)])


@pytest.mark.parametrize(
    ("policy", "most"),
    [
        (Resilience(), 30),
        (JOB, 2),
        (Resilience(bulkhead=False).over(JOB), 30),
        (Resilience(domain_bulkhead=BulkheadPolicy(max_concurrency=1)), 3),
        (Resilience(domain_bulkhead=BulkheadPolicy(max_concurrency=1)).over(JOB), 2),
    ],
    ids=["F5-no bound", "F5-provider", "F5-off", "F5-domains", "F5-both"],
)
def test_places_are_those_of_the_dependency_and_of_the_domain(policy: Resilience, most: int) -> None:
    assert crowd_of(Organisation(), policy) == most


def test_the_slots_of_the_run_bound_all_of_it() -> None:
    assert crowd_of(Organisation(), JOB.over(Resilience()), slots=[asyncio.Semaphore(1)]) == 1


def test_places_are_shared_with_other_runs_and_stated_in_one_place() -> None:
    shared = Dependencies()
    first, second = Organisation(shared), Organisation(shared)
    first.guards.guard(JOB, caller="agent", account=first.account)
    second.guards.guard(JOB, caller="agent", account=second.account)

    other = Resilience(bulkhead=BulkheadPolicy(max_concurrency=9)).over(JOB)
    with pytest.raises(InvalidJob, match=r"bulkhead 'provider' was asked for with two policies.*in one place"):
        second.guards.guard(other, caller="agent", account=second.account)


def test_what_a_process_shares_is_one() -> None:
    assert Dependencies.shared() is Dependencies.shared()


def test_a_price_makes_money_of_what_a_call_tells() -> None:
    class Told:
        usage = Usage(tokens_in=1_000_000, tokens_out=0)

    async def work() -> Any:
        return Told()

    run = Organisation()
    asyncio.run(run.call(Resilience(), work, price=Price(input=2, output=4)))

    assert run.account.used.cost == 2
