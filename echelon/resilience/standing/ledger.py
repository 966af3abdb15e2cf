"""The books of one standing budget in this process: what all runs spent, as far as it was told, and its own (F10)."""

import time
from collections.abc import Callable

from echelon.model.errors import BudgetExhausted
from echelon.model.standing.claim import StandingBudget, WindowBooks
from echelon.model.standing.sums import NO_SUMS, Sums, bounds_of
from echelon.model.usage import Usage
from echelon.resilience.ledger import Amounts, Ledger
from echelon.resilience.tally import UsageTally


class StandingLedger(Ledger):
    """A ledger whose used part is told by the journal; what this process used since is added to it."""

    __slots__ = ("_changed", "_job", "_own", "_told", "books", "standing")

    def __init__(self, job: str, standing: StandingBudget, changed: Callable[[], None]) -> None:
        super().__init__(f"job {job!r} per {standing.budget.per}", standing.budget, time.monotonic, Usage())
        self._job = job
        self._changed = changed
        #: Its bounds, and the window that they are for.
        self.standing = standing
        #: What the journal told last.
        self.books = WindowBooks()
        self._own = UsageTally()
        self._told = NO_SUMS

    @property
    def own(self) -> Sums:
        """What this process used since it began, on record or not."""
        return Sums.of(self._own.usage())

    @property
    def held_sums(self) -> Sums:
        """What its calls under way may still use."""
        _, tokens, calls, cost = self.held
        return Sums(int(tokens), int(calls), cost)

    def tell(self, standing: StandingBudget, books: WindowBooks, own: Sums) -> None:
        """Take what the journal tells of the window now, given that it knew of so much that this process used."""
        self.standing, self.books, self._told = standing, books, own

    def record(self, usage: Usage) -> None:
        """Add what was used in fact; the journal is to be told."""
        super().record(usage)
        self._own.add(usage)
        self._changed()

    def give_back(self, amounts: Amounts) -> None:
        """Set it aside no longer; the journal is to be told."""
        super().give_back(amounts)
        self._changed()

    def _gone(self) -> tuple[float, int, int, float]:
        spent = self.books.spent.plus(self.own.beyond(self._told))
        return 0.0, spent.tokens, spent.calls, spent.cost

    def _exhausted(self, at: int, wanted: float, allowed: float, gone: float, held: float) -> BudgetExhausted:
        return self.refusal_of(Amounts._fields[at], wanted, allowed, gone, held)

    def refusal_of(self, what: str, wanted: float, allowed: float, gone: float, held: float) -> BudgetExhausted:
        """Say that the window has too little left, and when the next one opens."""
        window, amount = self.standing.window, AMOUNTS[what]
        runs = f"{self.books.runs:,} run{'' if self.books.runs == 1 else 's'}"
        said = (
            f"the budget of job {self._job!r} for {window.name} ({what} {amount(allowed)}) is used up: {amount(gone)} "
            f"spent by {runs}, {amount(held)} reserved for calls under way, the call asks for {amount(wanted)}; "
            f"it opens again at {window.closing}"
        )
        refusal = BudgetExhausted(what, wanted, max(0.0, allowed - gone - held), self.name, said=said)
        refusal.until = window.closes
        refusal.waits_for = f"budget of job {self._job!r} for {window.name}"
        refusal.next_step = f"resume the run when it opens again, or raise the budget per {window.per}"
        return refusal

    def refused(self, wanted: Sums, least: Sums) -> BudgetExhausted:
        """Say what the journal has refused a call for."""
        spent, held = self.books.spent, self.books.reserved
        for what, bound in bounds_of(self.budget).items():
            asked = getattr(least, what) or getattr(wanted, what)
            if asked and (asked > bound - getattr(spent, what) or getattr(spent, what) >= bound):
                return self.refusal_of(what, asked, bound, getattr(spent, what), getattr(held, what))
        what, bound = next(iter(bounds_of(self.budget).items()))
        return self.refusal_of(what, getattr(wanted, what), bound, getattr(spent, what), getattr(held, what))


def _money(amount: float) -> str:
    return f"{amount:,.2f}" if amount == 0 or amount >= 1 else f"{amount:.2g}"


#: How much of each is written.
AMOUNTS: dict[str, Callable[[float], str]] = {"tokens": "{:,.0f}".format, "calls": "{:,.0f}".format, "cost": _money}
