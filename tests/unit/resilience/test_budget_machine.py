"""F4: a tree of budgets (job, domain, agents) under any order of events, against plain arithmetic."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from echelon.model.errors import BudgetExhausted, IllegalTransition
from echelon.model.usage import Budget, Usage
from echelon.resilience.budget import Account
from echelon.testing.clock import FakeClock

PARENTS = {"job": None, "domain": "job", "one": "domain", "two": "domain", "three": "job"}

#: Money in eighths: sums of it are exact.
MONEY = st.integers(0, 40).map(lambda eighths: eighths / 8)

BUDGETS = st.builds(
    Budget,
    seconds=st.none() | st.integers(1, 60).map(float),
    tokens=st.none() | st.integers(1, 60),
    calls=st.none() | st.integers(1, 12),
    cost=st.none() | st.integers(1, 80).map(lambda eighths: eighths / 8),
    final_call=st.sampled_from([0.0, 0.0, 0.25, 0.5]),
)


class Books:
    """What a reader with a pencil would have in one row."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.used = {"tokens": 0, "calls": 0, "cost": 0.0}
        self.held = {"tokens": 0, "calls": 0, "cost": 0.0}

    def allows(self, asked: dict[str, float], elapsed: float, final_call: bool) -> bool:
        bounds = self.budget if final_call else self.budget.usual
        if bounds.seconds is not None and elapsed >= bounds.seconds:
            return False
        rows = [(getattr(bounds, what), self.used[what], self.held[what], asked[what]) for what in self.used]
        return all(
            bound is None or (gone < bound and gone + held + wanted <= bound) for bound, gone, held, wanted in rows
        )


class AccountTreeMachine(RuleBasedStateMachine):
    """Reservations are made, extended, settled, cancelled and wrapped up, while time passes."""

    reservations = Bundle("reservations")

    @initialize(budgets=st.tuples(*[BUDGETS] * len(PARENTS)))
    def start(self, budgets: tuple[Budget, ...]) -> None:
        self.clock = FakeClock()
        self.began = self.clock.now
        self.books = {name: Books(budget) for name, budget in zip(PARENTS, budgets, strict=True)}
        self.accounts: dict[str, Account] = {}
        for name, parent in PARENTS.items():
            above = self.accounts[parent] if parent else None
            self.accounts[name] = Account(self.books[name].budget, name, *([above] if above else []), clock=self.clock)
        self.wrapped_up: set[str] = set()

    def path(self, who: str) -> list[Books]:
        parent = PARENTS[who]
        return [self.books[who], *(self.path(parent) if parent else [])]

    def allowed(self, who: str, asked: dict[str, float], final_call: bool = False) -> bool:
        elapsed = self.clock.now - self.began
        return all(row.allows(asked, elapsed, final_call) for row in self.path(who))

    def hold(self, who: str, asked: dict[str, float], sign: int = 1) -> None:
        for row in self.path(who):
            for what, amount in asked.items():
                row.held[what] += sign * amount

    @rule(
        target=reservations,
        who=st.sampled_from(sorted(PARENTS)),
        tokens=st.integers(0, 30),
        calls=st.integers(0, 3),
        cost=MONEY,
    )
    def reserve(self, who: str, tokens: int, calls: int, cost: float) -> Any:
        asked = {"tokens": tokens, "calls": calls, "cost": cost}
        if not self.allowed(who, asked):
            with pytest.raises(BudgetExhausted):
                self.accounts[who].reserve(tokens=tokens, calls=calls, cost=cost)
            return None
        self.hold(who, asked)
        return who, asked, self.accounts[who].reserve(tokens=tokens, calls=calls, cost=cost)

    @rule(target=reservations, who=st.sampled_from(sorted(PARENTS)))
    def wrap_up(self, who: str) -> Any:
        keeps_back = any(row.budget.final_call for row in self.path(who))
        asked = {"tokens": 0, "calls": 1, "cost": 0.0}
        expected = keeps_back and who not in self.wrapped_up and self.allowed(who, asked, final_call=True)
        last = self.accounts[who].reserve_final_call()
        assert (last is not None) is expected
        if keeps_back:
            self.wrapped_up.add(who)
        if last is None:
            return None
        self.hold(who, asked)
        return who, asked, last

    @rule(target=reservations, held=consumes(reservations), calls=st.integers(0, 2))
    def extend(self, held: Any, calls: int) -> Any:
        if held is None:
            return None
        who, asked, reservation = held
        more = {"tokens": 0, "calls": calls, "cost": 0.0}
        if not self.allowed(who, more, reservation.final_call):
            with pytest.raises(BudgetExhausted):
                reservation.extend(calls=calls)
            return held
        reservation.extend(calls=calls)
        self.hold(who, more)
        return who, {**asked, "calls": asked["calls"] + calls}, reservation

    @rule(held=consumes(reservations), tokens=st.integers(0, 40), calls=st.integers(0, 3), cost=MONEY)
    def settle(self, held: Any, tokens: int, calls: int, cost: float) -> None:
        if held is None:
            return
        who, asked, reservation = held
        reservation.settle(Usage(tokens_in=tokens, calls=calls, cost=cost))
        self.hold(who, asked, -1)
        for row in self.path(who):
            row.used = {
                "tokens": row.used["tokens"] + tokens,
                "calls": row.used["calls"] + calls,
                "cost": row.used["cost"] + cost,
            }
        with pytest.raises(IllegalTransition):
            reservation.settle(Usage())

    @rule(held=consumes(reservations))
    def cancel(self, held: Any) -> None:
        if held is None:
            return
        who, asked, reservation = held
        reservation.cancel()
        reservation.cancel()  # does nothing
        self.hold(who, asked, -1)

    @rule(seconds=st.sampled_from([1.0, 7.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "accounts"):
            return
        for name, account in self.accounts.items():
            row = self.books[name]
            used = {"tokens": account.used.tokens or 0, "calls": account.used.calls, "cost": account.used.cost or 0}
            assert (used, account.reserved) == (row.used, row.held)


AccountTreeMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAccountTreeMachine = AccountTreeMachine.TestCase
