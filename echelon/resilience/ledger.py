"""The books of one account: its bounds, what is used and what is held. Its account keeps the lock (F4)."""

from collections.abc import Callable, Iterator
from math import inf
from typing import Any, NamedTuple

from echelon.model.errors import BudgetExhausted
from echelon.model.usage import Budget, Usage
from echelon.resilience.tally import UsageTally


class Deadline(NamedTuple):
    """The time that is left, and whose budget bounds it."""

    seconds: float
    whose: str


class Amounts(NamedTuple):
    """Something of everything that can be bounded; named as the bounds of `Budget`."""

    seconds: float = 0.0
    tokens: int = 0
    calls: int = 0
    cost: float = 0.0


#: Sums of money have an error of rounding that is smaller than this.
_DUST = 1e-9

#: Position of time in `Amounts`.
_TIME = 0

#: Nothing of anything.
NOTHING = Amounts()


class Ledger:
    """The books of one account."""

    __slots__ = ("_bounds", "_clock", "_started", "_usual_seconds", "budget", "held", "name", "unpriced_tokens", "used")

    def __init__(self, name: str, budget: Budget, clock: Callable[[], float], spent: Usage) -> None:
        self.name = name
        self.budget = budget
        self.used = UsageTally()
        self.used.add(spent)
        #: What calls under way have set aside, as in `Amounts`; time is compared and never held.
        self.held = [0.0, 0, 0, 0.0]
        self.unpriced_tokens = 0
        self._clock = clock
        self._started = clock() - spent.seconds
        #: (position in `Amounts`, all of it, what may be used before the final call) of everything that is bounded.
        self._bounds = tuple(_bounds(budget))
        self._usual_seconds = budget.usual.seconds

    @property
    def keeps_back(self) -> bool:
        """Is a share kept back for a final call?"""
        return self.budget.final_call > 0

    def bounds_on(self, what: str) -> bool:
        """Say whether something is bounded here."""
        return getattr(self.budget, what) is not None

    def seconds_left(self, *, final_call: bool) -> float:
        """Return the wall time left; infinite without a bound."""
        bound = self.budget.seconds if final_call else self._usual_seconds
        return inf if bound is None else bound - (self._clock() - self._started)

    def left(self, what: str, *, final_call: bool) -> float:
        """Return what is not used up of something, reserved or not; infinite without a bound."""
        gone = self._gone()
        for at, bound, usual in self._bounds:
            if Amounts._fields[at] == what:
                return (bound if final_call else usual) - gone[at]
        return inf

    def bounds(self) -> Iterator[tuple[str, float, float]]:
        """Yield (what, bound, used) of everything that is bounded."""
        gone = self._gone()
        return ((Amounts._fields[at], bound, gone[at]) for at, bound, _ in self._bounds)

    def grant(self, wanted: Amounts, least: Amounts, own: Amounts, *, final_call: bool) -> Amounts | None:
        """Return how much of what is wanted may be reserved now, at least `least`; None: not before others give back.

        All of it where that is left; else whatever is left, once nobody else holds anything. `own` is what the caller
        holds itself and gives back for this. Raises `BudgetExhausted` when there is less than `least`, or nothing,
        whatever others give back.
        """
        gone, granted = self._gone(), list[Any](wanted)
        for at, bound, usual in self._bounds:
            allowed = bound if final_call else usual
            left, held = allowed - gone[at], self.held[at] - own[at]
            # What needs nothing of a thing is not refused when that is used up, but for time, which everything needs.
            if least[at] > left or (gone[at] >= allowed and (wanted[at] > 0 or at == _TIME)):
                raise self._exhausted(at, least[at] or wanted[at], allowed, gone[at], held)
            if wanted[at] <= left - held:
                continue
            if held > _DUST:
                return None
            granted[at] = left
        return Amounts(*granted)

    def refusal(self, wanted: Amounts, *, final_call: bool) -> BudgetExhausted:
        """Say what there is too little of at this moment, as long as others hold what they hold."""
        gone = self._gone()
        for at, bound, usual in self._bounds:
            allowed = bound if final_call else usual
            if wanted[at] > allowed - gone[at] - self.held[at]:
                return self._exhausted(at, wanted[at], allowed, gone[at], self.held[at])
        raise AssertionError("all of it is left")

    def _exhausted(self, at: int, wanted: float, allowed: float, gone: float, held: float) -> BudgetExhausted:
        return BudgetExhausted(
            Amounts._fields[at], wanted, max(0.0, allowed - gone - held), self.name, spent=gone, reserved=held
        )

    def hold(self, amounts: Amounts) -> None:
        """Set something aside for a call under way."""
        held = self.held
        held[1] += amounts.tokens
        held[2] += amounts.calls
        held[3] += amounts.cost

    def give_back(self, amounts: Amounts) -> None:
        """Set it aside no longer; sums of money may leave a dust of rounding, but never less than nothing."""
        held = self.held
        held[1] -= amounts.tokens
        held[2] -= amounts.calls
        held[3] = max(0.0, held[3] - amounts.cost)

    def record(self, usage: Usage) -> None:
        """Add what was used in fact."""
        self.used.add(usage)
        if usage.cost is None:
            self.unpriced_tokens += usage.tokens or 0

    def _gone(self) -> tuple[float, int, int, float]:
        return self._clock() - self._started, self.used.tokens, self.used.calls, self.used.cost or 0.0


def _bounds(budget: Budget) -> Iterator[tuple[int, float, float]]:
    for at, what in enumerate(Amounts._fields):
        bound = getattr(budget, what)
        if bound is not None:
            yield at, bound, getattr(budget.usual, what)
