"""What calls have set aside in the books of their accounts, and who waits for it (F4).

A budget is used up for good by what was spent, and for a while by what is set aside. Whoever finds too little left
waits for the second.
"""

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from math import inf
from typing import Any

from echelon.model.errors import BudgetExhausted, IllegalTransition
from echelon.model.usage import Usage
from echelon.resilience.ledger import NOTHING, Amounts, Ledger
from echelon.resilience.tally import UsageTally


class Reservation:
    """What one call has set aside. It ends once: settled with what was used, or cancelled."""

    def __init__(
        self, line: "Line", levels: tuple[Ledger, ...], bounding: tuple[Ledger, ...], *, final_call: bool = False
    ) -> None:
        self._line = line
        self._levels = levels
        self._bounding = bounding
        self._held: list[Amounts] = []
        self._paid = UsageTally()
        self._state = "open"
        #: Is it the last call, within what was kept back?
        self.final_call = final_call

    @property
    def bounding(self) -> tuple[Ledger, ...]:
        """The books that may refuse it."""
        return self._bounding

    def left(self, what: str) -> float:
        """Return what is not used up of tokens, calls or cost, reserved by others or not; infinite without a bound."""
        with self._line.lock:
            return min((level.left(what, final_call=self.final_call) for level in self._bounding), default=inf)

    @property
    def begun(self) -> bool:
        """Is anything set aside in it?"""
        return bool(self._held)

    def bounds(self, what: str) -> bool:
        """Say whether tokens, calls or cost are bounded by any of its books."""
        return any(level.bounds_on(what) for level in self._bounding)

    def extend(self, *, tokens: int = 0, calls: int = 0, seconds: float = 0.0, cost: float = 0.0) -> None:
        """Set aside more for the same call, for instance for another attempt; `BudgetExhausted` takes nothing.

        It does not wait: less than is wanted is left as long as others hold it.
        """
        wanted = Amounts(seconds, tokens, calls, cost)
        with self._line.lock:
            self._refuse_unless_open("extended")
            for level in self._bounding:
                if level.grant(wanted, wanted, NOTHING, final_call=self.final_call) is None:
                    raise level.refusal(wanted, final_call=self.final_call)
            self._hold(wanted._replace(seconds=0.0))  # time is compared, never held

    async def claim(self, wanted: Amounts, least: Amounts | None = None) -> Amounts:
        """Set aside what is wanted, after a wait for what others give back; return what was set aside.

        Where all of it cannot come, that is what is left, if that is at least `least`. `BudgetExhausted` takes nothing.
        A call that was set aside before and is not paid yet counts as the call that is wanted.
        """
        return await self._line.stand(self, wanted, wanted if least is None else least)

    async def confirm(self) -> None:
        """Return when what was set aside without a wait may be used: at once, where one process keeps the books."""

    def attempt(self, wanted: Amounts, least: Amounts) -> Amounts | Ledger:
        """Set aside what can be had now, or return whose books it must wait for; the lock is held."""
        self._refuse_unless_open("extended")
        own = ONE_CALL if ONE_CALL in self._held and wanted.calls else NOTHING
        granted = wanted
        for level in self._bounding:
            got = level.grant(granted, least, own, final_call=self.final_call)
            if got is None:
                return level
            granted = got
        if own is ONE_CALL:
            self._give_back(ONE_CALL)
        self._hold(granted)
        return granted

    def pay(self, held: Amounts, usage: Usage) -> None:
        """Record what a part of the call used, for which `held` was set aside: others may have the rest at once."""
        with self._line.lock:
            if self._state != "open":  # settled meanwhile, with everything that was told
                return
            self._give_back(held)
            self._paid.add(usage)
            self._record(usage)
            self._line.serve()

    def release(self, held: Amounts) -> None:
        """Give back a part for which nothing was used, except for its call, which is still to be made."""
        with self._line.lock:
            if self._state == "open":
                self._give_back(held)
                self._hold(ONE_CALL)
                self._line.serve()

    def lend(self) -> None:
        """Give back all that is set aside: others use what the call is for, and set that aside themselves."""
        with self._line.lock:
            for amounts in tuple(self._held):
                self._give_back(amounts)
            self._line.serve()

    def note_paid(self, usage: Usage) -> None:
        """Take into account that a part of what the call used is on the books already."""
        with self._line.lock:
            self._paid.add(usage)

    def settle(self, usage: Usage) -> None:
        """Record what was used in fact beyond what was paid already, and give back what was set aside."""
        with self._line.lock:
            self._refuse_unless_open("settled")
            self._end("settled")
            self._record(usage_beyond(usage, self._paid))
            self._line.serve()

    def cancel(self) -> None:
        """Give back what was set aside: nothing was used. Does nothing when it has ended already."""
        with self._line.lock:
            if self._state == "open":
                self._end("cancelled")
                self._line.serve()

    def _hold(self, amounts: Amounts) -> None:
        for level in self._levels:
            level.hold(amounts)
        self._held.append(amounts)

    def _give_back(self, amounts: Amounts) -> None:
        self._held.remove(amounts)
        for level in self._levels:
            level.give_back(amounts)

    def _record(self, usage: Usage) -> None:
        for level in self._levels:
            level.record(usage)

    def _end(self, state: str) -> None:
        for amounts in tuple(self._held):
            self._give_back(amounts)
        self._state = state

    def _refuse_unless_open(self, wanted: str) -> None:
        if self._state != "open":
            raise IllegalTransition(self._state, wanted)


@dataclass(eq=False)
class _Waiter:
    """A call that waits for what others give back."""

    reservation: Reservation
    wanted: Amounts
    least: Amounts
    answer: "asyncio.Future[Amounts]"
    begun: bool
    """Has its call something set aside already?"""

    def tell(self, answer: Amounts | Exception) -> None:
        """End the wait, from any thread."""
        with contextlib.suppress(RuntimeError):  # its loop is closed: it was cancelled, and gives everything back
            self.answer.get_loop().call_soon_threadsafe(self._tell, answer)

    def _tell(self, answer: Amounts | Exception) -> None:
        if self.answer.done():  # cancelled meanwhile; its call gives everything back at its end
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class Line:
    """Calls that wait for what others have set aside, in the order in which they came; of a whole tree of accounts.

    Nobody overtakes at the same books: a large call would wait for ever behind small ones. But what has been begun
    goes first: those who have not begun may be waiting for what it will give back.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._waiting: list[_Waiter] = []

    async def stand(self, reservation: Reservation, wanted: Amounts, least: Amounts) -> Amounts:
        """Wait until it is a call's turn; `BudgetExhausted` as soon as too little can come."""
        with self.lock:
            before = sum(waiter.begun or not reservation.begun for waiter in self._waiting)
            if not before and isinstance(granted := reservation.attempt(wanted, least), Amounts):
                return granted  # as most do
            answer = asyncio.get_running_loop().create_future()
            waiter = _Waiter(reservation, wanted, least, answer, begun=reservation.begun)
            self._waiting.insert(before, waiter)
            self.serve()
        try:
            return await waiter.answer
        finally:
            with self.lock:
                if waiter in self._waiting:  # cancelled: who stood behind may be served now
                    self._waiting.remove(waiter)
                    self.serve()

    def serve(self) -> None:
        """Give everybody what is free now, each in turn; the lock is held."""
        blocked = set[Ledger]()
        for waiter in tuple(self._waiting):
            if not blocked.isdisjoint(waiter.reservation.bounding):
                continue
            try:
                answer = waiter.reservation.attempt(waiter.wanted, waiter.least)
            except (BudgetExhausted, IllegalTransition) as refused:  # the second: its call has ended without it
                answer = refused
            if isinstance(answer, Ledger):
                blocked.add(answer)
                continue
            self._waiting.remove(waiter)
            waiter.tell(answer)


#: A call that was set aside before its first attempt.
ONE_CALL = Amounts(calls=1)


def usage_beyond(usage: Usage, paid: Usage | UsageTally) -> Usage:
    """Return what of a usage was not paid yet."""

    def rest(told: float | None, before: float | None) -> Any:
        return None if told is None else max(0, told - (before or 0))

    return Usage(
        tokens_in=rest(usage.tokens_in, paid.tokens_in),
        tokens_out=rest(usage.tokens_out, paid.tokens_out),
        calls=max(0, usage.calls - paid.calls),
        seconds=usage.seconds,
        cost=rest(usage.cost, paid.cost),
    )
