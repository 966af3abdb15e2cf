"""F3, F4, F5: money, the last call within what was kept back, rungs switched off, silence, several rooms."""

import asyncio
from typing import Any

import pytest

from echelon.model.errors import AgentTimeout, BudgetExhausted, BulkheadFull
from echelon.model.policy import BulkheadPolicy, Resilience
from echelon.model.usage import Budget, Price, Usage
from echelon.resilience.budget import Account, is_final_call
from echelon.resilience.bulkhead import Bulkhead
from echelon.resilience.guard import CallResult, Guard
from echelon.testing.clock import FakeClock
from tests.unit.resilience.guarding import DOWN, Told, guarded, script

# Money and the final call


def test_what_a_call_costs_follows_from_its_tokens_and_the_price() -> None:
    """1,000,000 tokens read at 2 and 100,000 written at 10 a million: 3."""
    account = Account(Budget(cost=10), "job")
    told = Told(Usage(tokens_in=1_000_000, tokens_out=100_000))
    verdict = guarded(script(told), FakeClock(), account=account, price=Price(input=2, output=10))

    assert (verdict.usage.cost, account.used.cost, account.unpriced_tokens) == (3, 3, 0)


def test_a_cost_that_a_call_tells_itself_is_taken_and_one_without_a_price_stays_unknown() -> None:
    told = Told(Usage(tokens_in=10, tokens_out=0, cost=0.5))

    assert guarded(script(told), FakeClock(), price=Price(input=2, output=10)).usage.cost == 0.5
    assert guarded(script(Told(Usage(tokens_in=10, tokens_out=0))), FakeClock()).usage.cost is None


def test_the_dearest_way_of_its_tokens_is_reserved_while_a_call_is_under_way() -> None:
    account = Account(Budget(cost=1.0), "job")

    async def two_at_a_time() -> list[CallResult[None]]:
        guard = Guard(Resilience(), account=account, price=Price(input=1, output=6))
        return await asyncio.gather(*(guard.call(lambda: asyncio.sleep(0), tokens=100_000) for _ in range(2)))

    first, second = asyncio.run(two_at_a_time())

    assert (first.error, second.error) == (None, None)  # the second waited until the first gave its money back
    assert account.reserved["cost"] == 0


def wrapped_up(
    account: Account, work: Any, wrap_up: Any, clock: FakeClock | None = None, **parts: Any
) -> CallResult[Any]:
    clock = clock or FakeClock()

    async def last() -> Any:
        assert is_final_call()
        return await wrap_up()

    guard = Guard(parts.pop("policy", Resilience()), account=account, clock=clock, sleep=clock.sleep, **parts)
    verdict = asyncio.run(guard.call(work, wrap_up=last))
    assert not is_final_call()
    return verdict


def test_when_the_budget_is_used_up_an_agent_writes_down_what_it_has() -> None:
    account = Account(Budget(calls=4, final_call=0.25), "agent", spent=Usage(calls=3))
    verdict = wrapped_up(account, script("never"), script("what there is"))

    assert (verdict.value, verdict.wrapped_up, verdict.attempts, verdict.usage.calls) == ("what there is", True, 1, 1)
    assert (account.used.calls, account.reserved["calls"]) == (4, 0)


def test_an_agent_whose_time_is_up_wraps_up_in_the_time_kept_back() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    account = Account(Budget(seconds=0.1, final_call=0.5), "agent")
    clock = FakeClock()
    verdict = wrapped_up(account, never, script("what there is"), clock)

    assert (verdict.value, verdict.wrapped_up, verdict.attempts) == ("what there is", True, 2)
    assert account.used.calls == 2


def test_work_that_finds_its_own_budget_used_up_wraps_up_too() -> None:
    account = Account(Budget(tokens=100, final_call=0.2), "agent")
    verdict = wrapped_up(account, script(BudgetExhausted("tokens", 90, 80, "model")), script("what there is"))

    assert (verdict.value, verdict.wrapped_up, verdict.attempts) == ("what there is", True, 2)


def test_the_last_call_is_made_once_and_what_failed_first_is_told() -> None:
    account = Account(Budget(calls=10, final_call=0.5), "agent", spent=Usage(calls=5))
    verdict = wrapped_up(account, script("never"), script(DOWN, "never"), policy=Resilience(attempts=3))

    assert isinstance(verdict.error, BudgetExhausted)
    assert verdict.error.__cause__ is DOWN
    assert (verdict.wrapped_up, verdict.attempts, account.used.calls) == (False, 1, 6)


def test_without_a_share_kept_back_nobody_wraps_up() -> None:
    account = Account(Budget(calls=1), "agent", spent=Usage(calls=1))
    verdict = wrapped_up(account, script("never"), script("never"))

    assert isinstance(verdict.error, BudgetExhausted)
    assert (verdict.attempts, account.used.calls) == (0, 1)


def test_no_call_wraps_up_that_does_not_know_how() -> None:
    account = Account(Budget(calls=4, final_call=0.25), "agent", spent=Usage(calls=3))

    assert isinstance(guarded(script("never"), FakeClock(), account=account).error, BudgetExhausted)
    assert account.reserve_final_call() is not None  # it is still to be had


def test_a_cancelled_final_call_pays_what_it_made() -> None:
    account = Account(Budget(calls=4, final_call=0.25), "agent", spent=Usage(calls=3))

    async def cancelled() -> None:
        guard = Guard(Resilience(), account=account)
        call = asyncio.create_task(guard.call(asyncio.Event().wait, wrap_up=asyncio.Event().wait))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(cancelled())

    assert (account.used.calls, account.reserved["calls"]) == (4, 0)


# Rungs switched off, idle


def test_time_without_bound_and_no_second_attempt_can_be_chosen() -> None:
    verdict = guarded(script(DOWN, "never"), FakeClock(), Resilience(timeout_seconds=False, attempts=1))

    assert (verdict.error, verdict.attempts) == (DOWN, 1)


def test_a_budget_of_time_bounds_work_that_has_no_timeout_of_its_own() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    account = Account(Budget(seconds=0.02), "job", clock=FakeClock())
    verdict = guarded(never, FakeClock(), Resilience(timeout_seconds=False), account=account)

    assert isinstance(verdict.error, BudgetExhausted)


def test_a_silent_attempt_is_ended_and_made_again() -> None:
    async def silent() -> None:
        await asyncio.Event().wait()

    verdict = guarded(silent, FakeClock(), Resilience(idle_seconds=0.01, attempts=2))

    assert isinstance(verdict.error, AgentTimeout)
    assert (verdict.error.idle, verdict.attempts) == (True, 2)


def test_several_limiters_are_entered_in_order_and_none_is_kept_when_the_last_is_full() -> None:
    domain, provider = [Bulkhead(name, BulkheadPolicy(max_concurrency=1, max_queue=0)) for name in ("domain", "p")]

    async def story() -> tuple[CallResult[Any], int]:
        guard = Guard(Resilience(), limiters=[domain.slot(), provider.slot()])
        async with provider.slot("other"):
            verdict = await guard.call(script("never"))
        return verdict, domain.at_work

    verdict, left = asyncio.run(story())

    assert isinstance(verdict.error, BulkheadFull)
    assert (verdict.error.name, verdict.attempts, left) == ("p", 0, 0)
