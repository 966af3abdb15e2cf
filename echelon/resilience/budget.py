"""What may still be consumed: reserved before a call, settled after it, at all levels at once (F4).

Tokens and calls add up. Seconds are the wall time of the whole: the clock of an account starts when it is opened, and
what runs side by side is not added up. Refusals come before the call; what a call took in fact is always recorded,
also when it is more than was reserved or than is left.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from echelon.model.errors import BudgetExhausted, IllegalTransition
from echelon.model.usage import Budget, Usage


class Deadline(NamedTuple):
    """The time that is left, and whose budget bounds it."""

    seconds: float
    whose: str


@dataclass
class _Level:
    """The books of one account."""

    name: str
    budget: Budget
    clock: Callable[[], float]
    started: float
    used: Usage
    tokens: int = 0
    calls: int = 0

    @property
    def elapsed(self) -> float:
        return self.clock() - self.started

    @property
    def seconds_left(self) -> float:
        return inf if self.budget.seconds is None else self.budget.seconds - self.elapsed

    def bounds(self) -> Iterator[tuple[str, float, float]]:
        """Yield (what, bound, used) of everything that is bounded."""
        rows = (
            ("seconds", self.budget.seconds, self.elapsed),
            ("tokens", self.budget.tokens, self.used.tokens or 0),
            ("calls", self.budget.calls, self.used.calls),
        )
        return ((what, bound, gone) for what, bound, gone in rows if bound is not None)

    def refuse_unless_left(self, wanted: dict[str, float]) -> None:
        reserved = {"seconds": 0, "tokens": self.tokens, "calls": self.calls}
        for what, bound, gone in self.bounds():
            left = bound - gone - reserved[what]
            if wanted[what] > left or gone >= bound:
                raise BudgetExhausted(what, wanted[what], max(0.0, left), self.name)


class Account:
    """The budget of a job, a domain or an agent. What is taken from it is taken from all its parents too.

    Safe to use from many tasks and threads: one lock guards the whole tree. `spent` is what was used before, for a
    run that is resumed; its seconds count as gone.
    """

    def __init__(
        self,
        budget: Budget,
        name: str,
        parent: "Account | None" = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        spent: Usage | None = None,
    ) -> None:
        used = spent or Usage()
        self.name = name
        self._own = _Level(name, budget, clock, clock() - used.seconds, used)
        #: From here up to the root.
        self.levels: tuple[_Level, ...] = (self._own, *(parent.levels if parent else ()))
        #: Guards the whole tree.
        self.lock: threading.Lock = parent.lock if parent else threading.Lock()

    @property
    def budget(self) -> Budget:
        """Its bounds."""
        return self._own.budget

    @property
    def used(self) -> Usage:
        """Everything settled; its seconds are those worked, added up, not wall time."""
        return self._own.used

    @property
    def reserved(self) -> dict[str, int]:
        """What calls under way have set aside."""
        return {"tokens": self._own.tokens, "calls": self._own.calls}

    @property
    def shares(self) -> dict[str, float]:
        """How much of each bound is used, 1 for all of it; what has no bound is left out (V1)."""
        return {what: gone / bound for what, bound, gone in self._own.bounds()}

    @property
    def overrun(self) -> dict[str, float]:
        """By how much each bound was passed; empty when none was."""
        return {what: gone - bound for what, bound, gone in self._own.bounds() if gone > bound}

    def deadline(self) -> Deadline:
        """Return the wall time that is left, here and in all parents; infinite without a bound."""
        return min(Deadline(level.seconds_left, level.name) for level in self.levels)

    def reserve(self, *, tokens: int = 0, calls: int = 1, seconds: float = 0.0) -> "Reservation":
        """Set aside what a call will take, here and in all parents, or raise `BudgetExhausted` and take nothing.

        State `tokens` where they can be estimated: calls that run side by side are bounded only by what they reserve.
        Without it a call is refused only when everything is used. `seconds` are compared with the time left.
        """
        reservation = Reservation(self.lock, self.levels)
        reservation.extend(tokens=tokens, calls=calls, seconds=seconds)
        return reservation


class Reservation:
    """What one call has set aside. It ends once: settled with what was used, or cancelled."""

    def __init__(self, lock: threading.Lock, levels: tuple[_Level, ...]) -> None:
        self._lock = lock
        self._levels = levels
        self._tokens = 0
        self._calls = 0
        self._state = "open"

    def extend(self, *, tokens: int = 0, calls: int = 0, seconds: float = 0.0) -> None:
        """Set aside more for the same call, for instance for another attempt; `BudgetExhausted` takes nothing."""
        wanted = {"tokens": tokens, "calls": calls, "seconds": seconds}
        with self._lock:
            self._refuse_unless_open("extended")
            for level in self._levels:
                level.refuse_unless_left(wanted)
            self._hold(tokens, calls)

    def settle(self, usage: Usage) -> None:
        """Record what was used in fact, and give back what was set aside."""
        with self._lock:
            self._refuse_unless_open("settled")
            self._give_back("settled")
            for level in self._levels:
                level.used += usage

    def cancel(self) -> None:
        """Give back what was set aside: nothing was used. Does nothing when it has ended already."""
        with self._lock:
            if self._state == "open":
                self._give_back("cancelled")

    def _hold(self, tokens: int, calls: int) -> None:
        self._tokens += tokens
        self._calls += calls
        for level in self._levels:
            level.tokens += tokens
            level.calls += calls

    def _give_back(self, state: str) -> None:
        self._hold(-self._tokens, -self._calls)
        self._state = state

    def _refuse_unless_open(self, wanted: str) -> None:
        if self._state != "open":
            raise IllegalTransition(self._state, wanted)
