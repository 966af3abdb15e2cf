"""F4: budgets are reserved before the call and settled after it, at all levels, also side by side."""

import threading
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from echelon.model.errors import BudgetExhausted, IllegalTransition
from echelon.model.usage import Budget, Usage
from echelon.resilience.budget import Account, Reservation
from echelon.testing.clock import FakeClock


def used(tokens: int = 0, calls: int = 1) -> Usage:
    return Usage(tokens_in=tokens, calls=calls)


def test_a_reservation_counts_before_anything_is_used() -> None:
    account = Account(Budget(tokens=100), "job")
    account.reserve(tokens=60)

    with pytest.raises(BudgetExhausted, match="the tokens budget of job has 40 left, the call asks for 60"):
        account.reserve(tokens=60)


def test_what_was_not_used_is_free_again_after_settling() -> None:
    account = Account(Budget(tokens=100), "job")
    account.reserve(tokens=60).settle(used(tokens=10))
    account.reserve(tokens=90)

    assert (account.name, account.budget, account.used.tokens) == ("job", Budget(tokens=100), 10)
    assert account.reserved == {"tokens": 90, "calls": 1}


def test_cancelling_gives_everything_back() -> None:
    account = Account(Budget(tokens=100, calls=1), "job")
    account.reserve(tokens=100).cancel()

    assert account.reserved == {"tokens": 0, "calls": 0}
    assert account.used == Usage()


def test_using_more_than_was_reserved_is_recorded_and_shows() -> None:
    account = Account(Budget(tokens=100, calls=5), "job")
    account.reserve(tokens=50).settle(used(tokens=130, calls=2))

    assert account.overrun == {"tokens": 30}
    assert account.shares == {"tokens": 1.3, "calls": 0.4}
    with pytest.raises(BudgetExhausted):
        account.reserve(tokens=1)


def test_without_an_estimate_a_call_is_refused_once_everything_is_used() -> None:
    account = Account(Budget(tokens=100), "job")
    account.reserve().settle(used(tokens=99))
    account.reserve().settle(used(tokens=1))

    with pytest.raises(BudgetExhausted):
        account.reserve()


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

    with pytest.raises(BudgetExhausted, match="the calls budget of job has 0 left, the call asks for 1"):
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
    with pytest.raises(BudgetExhausted, match="the seconds budget of job has 20 left, the call asks for 30"):
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

    assert account.reserved == {"tokens": 50, "calls": 2}


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


class AccountsMachine(RuleBasedStateMachine):
    """A tree of accounts against plain sums."""

    reservations = Bundle("reservations")

    @initialize(job=st.integers(1, 60), agent=st.integers(1, 60))
    def start(self, job: int, agent: int) -> None:
        self.bounds = {"job": job, "one": agent, "two": 10**9}
        self.job = Account(Budget(tokens=job), "job")
        self.agents = {
            "one": Account(Budget(tokens=agent), "one", self.job),
            "two": Account(Budget(), "two", self.job),
        }
        self.used = dict.fromkeys(self.bounds, 0)
        self.held = dict.fromkeys(self.bounds, 0)

    def fits(self, who: str, tokens: int) -> bool:
        return all(
            self.used[name] + self.held[name] + tokens <= self.bounds[name] and self.used[name] < self.bounds[name]
            for name in (who, "job")
        )

    @rule(target=reservations, who=st.sampled_from(["one", "two"]), tokens=st.integers(0, 30))
    def reserve(self, who: str, tokens: int) -> Any:
        if not self.fits(who, tokens):
            with pytest.raises(BudgetExhausted):
                self.agents[who].reserve(tokens=tokens)
            return None
        for name in (who, "job"):
            self.held[name] += tokens
        return who, tokens, self.agents[who].reserve(tokens=tokens)

    @rule(held=consumes(reservations), taken=st.integers(0, 40))
    def settle(self, held: Any, taken: int) -> None:
        if held is None:
            return
        who, tokens, reservation = held
        reservation.settle(used(tokens=taken))
        for name in (who, "job"):
            self.held[name] -= tokens
            self.used[name] += taken

    @rule(held=consumes(reservations))
    def cancel(self, held: Any) -> None:
        if held is None:
            return
        who, tokens, reservation = held
        reservation.cancel()
        for name in (who, "job"):
            self.held[name] -= tokens

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "job"):
            return
        for name, account in {"job": self.job, **self.agents}.items():
            assert (account.used.tokens or 0, account.reserved["tokens"]) == (self.used[name], self.held[name])


TestAccountsAgainstPlainSums = AccountsMachine.TestCase
TestAccountsAgainstPlainSums.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
