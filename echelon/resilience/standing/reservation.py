"""A reservation that is on record in the journal before its call is made, for budgets that span processes (F10)."""

from collections.abc import Sequence

from echelon.model.errors import BudgetExhausted
from echelon.model.standing.sums import Sums
from echelon.resilience.ledger import Amounts, Ledger
from echelon.resilience.reservation import ONE_CALL, Line, Reservation
from echelon.resilience.standing.keeper import StandingKeeper


class StandingReservation(Reservation):
    """What one call has set aside here, and in the standing budgets of its job."""

    def __init__(
        self,
        line: Line,
        levels: tuple[Ledger, ...],
        bounding: tuple[Ledger, ...],
        *,
        final_call: bool = False,
        keepers: Sequence[StandingKeeper],
    ) -> None:
        super().__init__(line, levels, bounding, final_call=final_call)
        self._keepers = tuple(keepers)
        self._unconfirmed = 0

    def extend(self, *, tokens: int = 0, calls: int = 0, seconds: float = 0.0, cost: float = 0.0) -> None:
        """Set aside more for the same call; it is on record after `confirm`."""
        super().extend(tokens=tokens, calls=calls, seconds=seconds, cost=cost)
        self._unconfirmed += calls

    async def confirm(self) -> None:
        """Put on record what was set aside without a wait."""
        calls, self._unconfirmed = self._unconfirmed, 0
        if calls:
            for keeper in self._keepers:
                await keeper.claim(Sums(calls=calls), Sums(calls=calls))

    async def claim(self, wanted: Amounts, least: Amounts | None = None) -> Amounts:
        """Set aside what is wanted, here and in the journal, after a wait for what others give back."""
        least = wanted if least is None else least
        for keeper in self._keepers:
            if keeper.is_over:
                await keeper.claim(Sums())
        self._unconfirmed = 0  # what it holds without being on record is told with it
        had_call = bool(wanted.calls) and ONE_CALL in self._held
        try:
            granted = await super().claim(wanted, least)
        except BudgetExhausted as refused:
            if refused.until is None:
                raise
            for keeper in self._keepers:  # what is known here may be out of date: a process that died used less
                await keeper.claim(Sums())
            granted = await super().claim(wanted, least)
        return await self._on_record(granted, least, had_call=had_call)

    async def _on_record(self, granted: Amounts, least: Amounts, *, had_call: bool) -> Amounts:
        held = granted
        try:
            for keeper in self._keepers:
                got = await keeper.claim(_sums(held), _sums(least))
                held = self._exchange(held, held._replace(**got._asdict()))
        except BaseException:
            self._exchange(held, ONE_CALL if had_call else None)
            raise
        return held

    def _exchange(self, held: Amounts, instead: Amounts | None) -> Amounts:
        """Hold something else, or nothing, in place of what was set aside here."""
        if held == instead:
            return held
        with self._line.lock:
            if self._state == "open":
                self._give_back(held)
                if instead is not None:
                    self._hold(instead)
                self._line.serve()
        return instead or held


def _sums(amounts: Amounts) -> Sums:
    return Sums(amounts.tokens, amounts.calls, amounts.cost)
