"""F4: budgets are reserved before the call and settled after it, at all levels, also side by side."""

import threading

import pytest

from echelon.model.errors import BudgetExhausted, IllegalTransition
from echelon.model.usage import Budget, Usage
from echelon.resilience.budget import Account, final_call, is_final_call
from echelon.resilience.reservation import Reservation
from echelon.testing.clock import FakeClock


def used(tokens: int = 0, calls: int = 1) -> Usage:
    return Usage(tokens_in=tokens, calls=calls)


def test_a_reservation_counts_before_anything_is_used() -> None:
    account = Account(Budget(tokens=100), "job")
    account.reserve(tokens=60)

    with pytest.raises(
        BudgetExhausted,
        match="the tokens budget of job has 40 left: 0 spent, 60 reserved for calls under way; the call asks for 60",
    ):
        account.reserve(tokens=60)


def test_what_was_not_used_is_free_again_after_settling() -> None:
    account = Account(Budget(tokens=100), "job")
    account.reserve(tokens=60).settle(used(tokens=10))
    account.reserve(tokens=90)

    assert (account.name, account.budget, account.used.tokens) == ("job", Budget(tokens=100), 10)
    assert account.reserved == {"tokens": 90, "calls": 1, "cost": 0}


def test_cancelling_gives_everything_back() -> None:
    account = Account(Budget(tokens=100, calls=1), "job")
    account.reserve(tokens=100).cancel()

    assert account.reserved == {"tokens": 0, "calls": 0, "cost": 0}
    assert account.used == Usage()


def test_using_more_than_was_reserved_is_recorded_and_shows() -> None:
    account = Account(Budget(tokens=100, calls=5), "job")
    account.reserve(tokens=50).settle(used(tokens=130, calls=2))

    assert account.overrun == {"tokens": 30}
    assert account.shares == {"tokens": 1.3, "calls": 0.4}
    with pytest.raises(BudgetExhausted):
        account.reserve(tokens=1)


def test_a_call_that_needs_none_of_what_is_used_up_is_made() -> None:
    """A plain function at the end of a job is not refused because models have used all its tokens."""
    account = Account(Budget(tokens=100), "job")
    account.reserve().settle(used(tokens=100))

    account.reserve().settle(used(tokens=0))
    with pytest.raises(BudgetExhausted):
        account.reserve(tokens=1)


def test_what_has_no_bound_is_counted_and_never_refused() -> None:
    account = Account(Budget(), "job")
    account.reserve(tokens=10**12, calls=10**6).settle(used(tokens=10**12, calls=10**6))

    assert (account.used.tokens, account.shares, account.overrun) == (10**12, {}, {})


@pytest.mark.parametrize("tight", ["job", "domain", "agent"])
def test_every_level_can_refuse_and_then_none_is_charged(tight: str) -> None:
    def budget(name: str) -> Budget:
        return Budget(tokens=10 if name == tight else 1000)

    job = Account(budget("job"), "job")
    domain = Account(budget("domain"), "domain", job)
    agent = Account(budget("agent"), "agent", domain)

    with pytest.raises(BudgetExhausted) as refused:
        agent.reserve(tokens=11)

    assert refused.value.whose == tight
    assert [account.reserved["tokens"] for account in (job, domain, agent)] == [0, 0, 0]


def test_usage_is_charged_to_all_levels_above_and_to_no_sibling() -> None:
    job = Account(Budget(), "job")
    domain, other = Account(Budget(), "domain", job), Account(Budget(), "other", job)
    Account(Budget(), "agent", domain).reserve(tokens=5).settle(used(tokens=7))

    assert [account.used.tokens or 0 for account in (job, domain, other)] == [7, 7, 0]


def test_siblings_share_what_their_parent_has() -> None:
    job = Account(Budget(calls=1), "job")
    Account(Budget(calls=5), "a", job).reserve()

    with pytest.raises(
        BudgetExhausted,
        match="the calls budget of job has 0 left: 0 spent, 1 reserved for calls under way; the call asks for 1",
    ):
        Account(Budget(calls=5), "b", job).reserve()


def test_seconds_are_the_wall_time_of_the_whole() -> None:
    """Two calls of 40 s side by side take 40 s of the budget, not 80."""
    clock = FakeClock()
    account = Account(Budget(seconds=60), "job", clock=clock)
    first, second = account.reserve(), account.reserve()
    clock.advance(40)
    first.settle(Usage(seconds=40, calls=1))
    second.settle(Usage(seconds=40, calls=1))
    assert account.deadline() == (20, "job")
    account.reserve(seconds=20).cancel()
    with pytest.raises(
        BudgetExhausted,
        match="the seconds budget of job has 20 left: 40 spent, 0 reserved for calls under way; the call asks for 30",
    ):
        account.reserve(seconds=30)

    clock.advance(20)

    with pytest.raises(BudgetExhausted):
        account.reserve()


def test_the_deadline_is_the_nearest_of_all_levels() -> None:
    clock = FakeClock()
    job = Account(Budget(seconds=60), "job", clock=clock)
    clock.advance(50)
    agent = Account(Budget(seconds=30), "agent", job, clock=clock)

    assert agent.deadline() == (10, "job")
    assert Account(Budget(), "free").deadline()[0] == float("inf")


def test_a_resumed_run_goes_on_with_what_it_has_spent() -> None:
    clock = FakeClock()
    spent = Usage(tokens_in=70, calls=2, seconds=50)
    account = Account(Budget(tokens=100, seconds=60, calls=3), "job", clock=clock, spent=spent)

    assert account.deadline().seconds == 10
    with pytest.raises(BudgetExhausted):
        account.reserve(tokens=40)
    assert account.shares["calls"] == pytest.approx(2 / 3)


def test_a_reservation_can_grow_and_a_refused_growth_changes_nothing() -> None:
    account = Account(Budget(calls=2, tokens=50), "job")
    reservation = account.reserve(tokens=50)
    reservation.extend(calls=1)

    with pytest.raises(BudgetExhausted):
        reservation.extend(calls=1)

    assert account.reserved == {"tokens": 50, "calls": 2, "cost": 0}


@pytest.mark.parametrize("again", ["settle", "extend"])
def test_a_reservation_that_has_ended_cannot_be_used_again(again: str) -> None:
    account = Account(Budget(), "job")
    reservation = account.reserve(tokens=5)
    reservation.settle(used(tokens=5))

    with pytest.raises(IllegalTransition):
        getattr(reservation, again)(*([used()] if again == "settle" else []))
    reservation.cancel()

    assert (account.used.tokens, account.reserved["tokens"]) == (5, 0)


def test_threads_never_reserve_more_than_there_is() -> None:
    job = Account(Budget(calls=500), "job")
    start, granted = threading.Barrier(8), list[Reservation]()

    def hammer(number: int) -> None:
        agent = Account(Budget(), f"agent-{number}", job)
        start.wait()
        for _ in range(200):
            try:
                reservation = agent.reserve()
            except BudgetExhausted:
                continue
            granted.append(reservation)
            reservation.settle(used(calls=1))

    threads = [threading.Thread(target=hammer, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(granted), job.used.calls, job.reserved["calls"]) == (500, 500, 0)


# Money


def test_money_is_a_bound_like_the_others() -> None:
    account = Account(Budget(cost=1.0), "job")
    account.reserve(cost=0.75).settle(Usage(tokens_in=10, tokens_out=0, calls=1, cost=0.5))
    account.reserve(cost=0.5)

    assert (account.used.cost, account.reserved["cost"], account.shares) == (0.5, 0.5, {"cost": 0.5})
    with pytest.raises(
        BudgetExhausted,
        match=r"the cost budget of job has 0 left: 0.5 spent, 0.5 reserved for .*; the call asks for 0\.25",
    ):
        account.reserve(cost=0.25)


def test_tokens_without_a_price_are_told_and_never_count_as_free() -> None:
    account = Account(Budget(cost=1.0), "job")
    account.reserve().settle(used(tokens=500))
    account.reserve().settle(Usage(tokens_in=10, tokens_out=0, calls=1, cost=0.25))
    account.reserve().settle(Usage(calls=1))  # a function: nothing to be priced

    assert (account.used.cost, account.unpriced_tokens) == (0.25, 500)


# The final call


def test_a_share_is_kept_back_for_one_last_call() -> None:
    account = Account(Budget(tokens=100, final_call=0.2), "agent")
    account.reserve(tokens=80).settle(used(tokens=80))
    with pytest.raises(BudgetExhausted, match="the tokens budget of agent has 0 left"):
        account.reserve(tokens=1)

    last = account.reserve_final_call()

    assert last is not None
    assert last.final_call
    last.settle(used(tokens=15))
    assert (account.used.tokens, account.overrun) == (95, {})
    assert account.reserve_final_call() is None  # once


@pytest.mark.parametrize(
    ("budget", "spent"),
    [
        (Budget(tokens=100), used(tokens=100)),  # nothing is kept back
        (Budget(tokens=100, final_call=0.2), used(tokens=100)),  # it is used up as well
        (Budget(calls=1, final_call=0.5), used(calls=1)),  # one call alone does the work
    ],
)
def test_there_is_no_final_call_where_nothing_is_left_for_it(budget: Budget, spent: Usage) -> None:
    assert Account(budget, "agent", spent=spent).reserve_final_call() is None


def test_every_agent_may_wrap_up_in_what_the_job_kept_back() -> None:
    job = Account(Budget(calls=10, final_call=0.3), "job", spent=used(calls=7))
    agents = [Account(Budget(), f"agent-{number}", job) for number in range(5)]
    wrapped_up = [agent.reserve_final_call() for agent in agents]

    assert [last is not None for last in wrapped_up] == [True, True, True, False, False]


def test_the_time_kept_back_begins_where_the_usual_time_ends() -> None:
    clock = FakeClock()
    account = Account(Budget(seconds=100, final_call=0.1), "agent", clock=clock)
    clock.advance(85)

    assert account.deadline().seconds == pytest.approx(5)
    assert account.deadline(final_call=True).seconds == pytest.approx(15)


def test_only_one_of_many_threads_wraps_up() -> None:
    account = Account(Budget(calls=100, final_call=0.5), "agent", spent=used(calls=50))
    start, wrapped_up = threading.Barrier(8), list[Reservation]()

    def hammer() -> None:
        start.wait()
        last = account.reserve_final_call()
        if last is not None:
            wrapped_up.append(last)

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(wrapped_up) == 1


def test_what_runs_inside_a_final_call_knows_it() -> None:
    seen = [is_final_call()]
    with final_call():
        seen.append(is_final_call())
    seen.append(is_final_call())

    assert seen == [False, True, False]


# Several parents


def test_a_parent_that_is_reached_in_two_ways_is_taken_from_once() -> None:
    job = Account(Budget(tokens=100), "job")
    domain, phase = Account(Budget(), "domain", job), Account(Budget(), "phase", job)
    Account(Budget(), "task", domain, phase).reserve(tokens=30).settle(used(tokens=40))

    assert [account.used.tokens for account in (job, domain, phase)] == [40, 40, 40]


def test_an_account_that_only_counts_never_refuses_but_its_parents_do() -> None:
    job = Account(Budget(tokens=100), "job")
    domain = Account(Budget(tokens=10, seconds=1, final_call=0.2), "domain", job)
    merging = Account(Budget(), "integration", domain.counting(), job)
    merging.reserve(tokens=90).settle(used(tokens=90))

    assert domain.used.tokens == 90
    assert domain.overrun == {"tokens": 80}
    assert merging.deadline().seconds == float("inf")
    assert (domain.keeps_back, merging.keeps_back, merging.reserve_final_call()) == (True, False, None)
    with pytest.raises(BudgetExhausted, match="the tokens budget of domain"):
        domain.reserve()
    with pytest.raises(
        BudgetExhausted,
        match="the tokens budget of job has 10 left: 90 spent, 0 reserved for calls under way; the call asks for 11",
    ):
        merging.reserve(tokens=11)
