"""What may still be consumed: reserved before a call, settled after it, at all levels at once (F4).

Tokens, calls and money add up. Seconds are the wall time of the whole: the clock of an account starts when it is
opened, and what runs side by side is not added up. Refusals come before the call; what a call took in fact is always
recorded, also when it is more than was reserved or than is left.

A budget may keep a share back for a final call: when the rest is used up, each account gets one last call within it, in
which the agent writes down what it has. `is_final_call()` tells it so.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from math import inf

from echelon.model.errors import BudgetExhausted
from echelon.model.usage import Budget, Usage
from echelon.resilience.ledger import Deadline, Ledger
from echelon.resilience.reservation import Line, Reservation
from echelon.resilience.standing.keeper import StandingKeeper
from echelon.resilience.standing.reservation import StandingReservation

#: How it is said that a bound was passed.
_PASSED = {
    "tokens": "used {gone:,.0f} tokens, its budget is {bound:,.0f}",
    "calls": "made {gone:,.0f} calls, its budget is {bound:,.0f}",
    "cost": "cost {gone:,.2f}, its budget is {bound:,.2f}",
}

_FINAL_CALL: ContextVar[bool] = ContextVar("echelon_final_call", default=False)


def is_final_call() -> bool:
    """Say whether this is the last call: the budget is used up, and what there is should be written down now."""
    return _FINAL_CALL.get()


@contextmanager
def final_call() -> Generator[None]:
    """Let everything inside know that it is the last call."""
    token = _FINAL_CALL.set(True)
    try:
        yield
    finally:
        _FINAL_CALL.reset(token)


class Account:
    """The budget of a job, a domain or a task. What is taken from it is taken from all its parents too, once each.

    Safe to use from many tasks and threads: one lock guards the whole tree, so that all parents have one root. `spent`
    is what was used before, for a run that is resumed; its seconds count as gone. `standing` keeps the standing budgets
    of a job.
    """

    def __init__(
        self,
        budget: Budget,
        name: str,
        *parents: "Account",
        clock: Callable[[], float] = time.monotonic,
        spent: Usage | None = None,
        standing: StandingKeeper | None = None,
    ) -> None:
        self.name = name
        self._own = Ledger(name, budget, clock, spent or Usage())
        self._standing: tuple[Ledger, ...] = standing.ledgers if standing else ()
        own = (self._own, *self._standing)
        #: The standing budgets that what it takes counts for, here and in its parents (F10).
        self.keepers: tuple[StandingKeeper, ...] = tuple(
            dict.fromkeys([*((standing,) if standing else ()), *(one for parent in parents for one in parent.keepers)])
        )
        #: From here up to the root: what a call takes is recorded in all of them.
        self.levels: tuple[Ledger, ...] = _together([own, *(parent.levels for parent in parents)])
        #: Those that may refuse a call.
        self.bounding: tuple[Ledger, ...] = _together([own, *(parent.bounding for parent in parents)])
        #: Is a share kept back for a final call, here or in a parent?
        self.keeps_back = any(level.keeps_back for level in self.bounding)
        #: Who waits in the whole tree, and the lock that guards it.
        self.line: Line = parents[0].line if parents else Line()
        if standing:
            standing.line = self.line
        self._wrapped_up = False

    def counting(self) -> "Account":
        """Return this account as one that counts and does not refuse: for what must be possible when it is used up."""
        counting = copy(self)
        counting.bounding = self.bounding[1:]
        counting.keeps_back = any(level.keeps_back for level in counting.bounding)
        return counting

    @property
    def budget(self) -> Budget:
        """Its bounds."""
        return self._own.budget

    @property
    def used(self) -> Usage:
        """Everything settled; its seconds are those worked, added up, not wall time."""
        return self._own.used.usage()

    @property
    def unpriced_tokens(self) -> int:
        """Tokens settled without a known price: a bound on cost does not see them, and must not be said to hold."""
        return self._own.unpriced_tokens

    @property
    def reserved(self) -> dict[str, float]:
        """What calls under way have set aside."""
        _, tokens, calls, cost = self._own.held
        return {"tokens": tokens, "calls": calls, "cost": cost}

    @property
    def shares(self) -> dict[str, float]:
        """How much of each bound is used, 1 for all of it; what has no bound is left out (V1)."""
        return {what: gone / bound for what, bound, gone in self._own.bounds()}

    @property
    def bounds(self) -> list[tuple[str, str, float, float]]:
        """Whose bound it is, of what, all of it and what is used: its own, and those of its standing budgets (V1)."""
        return [(ledger.name, *bound) for ledger in (self._own, *self._standing) for bound in ledger.bounds()]

    @property
    def overrun(self) -> dict[str, float]:
        """By how much each bound was passed; empty when none was."""
        return {what: gone - bound for what, bound, gone in self._own.bounds() if gone > bound}

    def passed(self) -> list[str]:
        """Say what was used of each bound that was passed, or what no bound could be kept for.

        Time is left out: attempts are cut off when it is up.
        """
        return [line for ledger in (self._own, *self._standing) for line in _passed(ledger)]

    def deadline(self, *, final_call: bool = False) -> Deadline:
        """Return the wall time that is left, here and in all parents; infinite without a bound."""
        nearest = Deadline(inf, self.name)
        for level in self.bounding:
            left = level.seconds_left(final_call=final_call)
            if left < nearest.seconds:
                nearest = Deadline(left, level.name)
        return nearest

    def reserve(self, *, tokens: int = 0, calls: int = 1, seconds: float = 0.0, cost: float = 0.0) -> Reservation:
        """Set aside what a call will take, here and in all parents, or raise `BudgetExhausted` and take nothing.

        State `tokens` and `cost` where they can be estimated: calls that run side by side are bounded only by what
        they reserve. What a call needs nothing of does not refuse it, used up or not. `seconds` are compared with the
        time left. Nobody waits here: see `Reservation.claim`.
        """
        reservation = self.open()
        reservation.extend(tokens=tokens, calls=calls, seconds=seconds, cost=cost)
        return reservation

    def charge(self, usage: Usage) -> None:
        """Record, here and in all parents, what was used before this account was opened, by an earlier process."""
        with self.line.lock:
            for level in self.levels:
                level.record(usage)
            self.line.serve()

    def open(self) -> Reservation:
        """Return what calls can be set aside in, with nothing in it yet."""
        return self._open()

    def reserve_final_call(self) -> Reservation | None:
        """Set aside the one last call of this account, in what is kept back here and in the parents.

        None when nothing is kept back, when it is used up too, or when this account had its final call already.
        """
        if not self.keeps_back:
            return None
        reservation = self._open(final_call=True)
        with self.line.lock:
            if self._wrapped_up:
                return None
            self._wrapped_up = True
        try:
            reservation.extend(calls=1)
        except BudgetExhausted:
            return None
        if any(reservation.left(what) <= 0 for what in ("tokens", "cost")):
            reservation.cancel()
            return None
        return reservation

    def _open(self, *, final_call: bool = False) -> Reservation:
        if self.keepers:
            return StandingReservation(
                self.line, self.levels, self.bounding, final_call=final_call, keepers=self.keepers
            )
        return Reservation(self.line, self.levels, self.bounding, final_call=final_call)


def _passed(ledger: Ledger) -> Iterator[str]:
    for what, bound, gone in ledger.bounds():
        if gone > bound and what in _PASSED:
            yield f"{ledger.name} {_PASSED[what].format(gone=gone, bound=bound)}"
    cost = ledger.budget.cost
    if cost is not None and ledger.unpriced_tokens:
        yield (
            f"{ledger.name} has a budget of {cost:,.2f} that could not be kept: {ledger.unpriced_tokens:,} tokens have "
            "no known price (state it with Job(prices=...))"
        )


def _together(ways: Iterable[tuple[Ledger, ...]]) -> tuple[Ledger, ...]:
    """Put the levels of several ways up behind each other, each of them once."""
    return tuple(dict.fromkeys(level for way in ways for level in way))
