"""What may still be consumed: reserved before a call, settled after it, at all levels at once (F4).

Tokens, calls and money add up. Seconds are the wall time of the whole: the clock of an account starts when it is
opened, and what runs side by side is not added up. Refusals come before the call; what a call took in fact is always
recorded, also when it is more than was reserved or than is left.

A budget may keep a share back for a final call: when the rest is used up, each account gets one last call within it, in
which the agent writes down what it has. `is_final_call()` tells it so.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass
from math import inf
from typing import Any

from echelon.model.errors import BudgetExhausted, IllegalTransition
from echelon.model.usage import Budget, Usage
from echelon.resilience.ledger import NOTHING, Amounts, Deadline, Ledger
from echelon.resilience.tally import UsageTally

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
    is what was used before, for a run that is resumed; its seconds count as gone.
    """

    def __init__(
        self,
        budget: Budget,
        name: str,
        *parents: "Account",
        clock: Callable[[], float] = time.monotonic,
        spent: Usage | None = None,
    ) -> None:
        self.name = name
        self._own = Ledger(name, budget, clock, spent or Usage())
        #: From here up to the root: what a call takes is recorded in all of them.
        self.levels: tuple[Ledger, ...] = _together([(self._own,), *(parent.levels for parent in parents)])
        #: Those that may refuse a call.
        self.bounding: tuple[Ledger, ...] = _together([(self._own,), *(parent.bounding for parent in parents)])
        #: Is a share kept back for a final call, here or in a parent?
        self.keeps_back = any(level.keeps_back for level in self.bounding)
        #: Who waits in the whole tree, and the lock that guards it.
        self.line: Line = parents[0].line if parents else Line()
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
    def overrun(self) -> dict[str, float]:
        """By how much each bound was passed; empty when none was."""
        return {what: gone - bound for what, bound, gone in self._own.bounds() if gone > bound}

    def passed(self) -> list[str]:
        """Say what was used of each bound that was passed; time is left out, attempts are cut off when it is up."""
        return [
            f"{self.name} {_PASSED[what].format(gone=gone, bound=bound)}"
            for what, bound, gone in self._own.bounds()
            if gone > bound and what in _PASSED
        ]

    def deadline(self, *, final_call: bool = False) -> Deadline:
        """Return the wall time that is left, here and in all parents; infinite without a bound."""
        nearest = Deadline(inf, self.name)
        for level in self.bounding:
            left = level.seconds_left(final_call=final_call)
            if left < nearest.seconds:
                nearest = Deadline(left, level.name)
        return nearest

    def reserve(self, *, tokens: int = 0, calls: int = 1, seconds: float = 0.0, cost: float = 0.0) -> "Reservation":
        """Set aside what a call will take, here and in all parents, or raise `BudgetExhausted` and take nothing.

        State `tokens` and `cost` where they can be estimated: calls that run side by side are bounded only by what
        they reserve. Without it a call is refused only when everything is used. `seconds` are compared with the time
        left. Nobody waits here: see `Reservation.claim`.
        """
        reservation = Reservation(self)
        reservation.extend(tokens=tokens, calls=calls, seconds=seconds, cost=cost)
        return reservation

    def open(self) -> "Reservation":
        """Return what calls can be set aside in, with nothing in it yet."""
        return Reservation(self)

    def reserve_final_call(self) -> "Reservation | None":
        """Set aside the one last call of this account, in what is kept back here and in the parents.

        None when nothing is kept back, when it is used up too, or when this account had its final call already.
        """
        if not self.keeps_back:
            return None
        reservation = Reservation(self, final_call=True)
        with self.line.lock:
            if self._wrapped_up:
                return None
            self._wrapped_up = True
        try:
            reservation.extend(calls=1)
        except BudgetExhausted:
            return None
        return reservation


class Reservation:
    """What one call has set aside. It ends once: settled with what was used, or cancelled."""

    def __init__(self, account: Account, *, final_call: bool = False) -> None:
        self._line = account.line
        self._levels = account.levels
        self._bounding = account.bounding
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

    def attempt(self, wanted: Amounts, least: Amounts) -> Amounts | Ledger:
        """Set aside what can be had now, or return whose books it must wait for; the lock is held."""
        self._refuse_unless_open("extended")
        own = _ONE_CALL if _ONE_CALL in self._held and wanted.calls else NOTHING
        granted = wanted
        for level in self._bounding:
            got = level.grant(granted, least, own, final_call=self.final_call)
            if got is None:
                return level
            granted = got
        if own is _ONE_CALL:
            self._give_back(_ONE_CALL)
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
                self._hold(_ONE_CALL)
                self._line.serve()

    def settle(self, usage: Usage) -> None:
        """Record what was used in fact beyond what was paid already, and give back what was set aside."""
        with self._line.lock:
            self._refuse_unless_open("settled")
            self._end("settled")
            self._record(_beyond(usage, self._paid))
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

    def tell(self, answer: Amounts | BudgetExhausted) -> None:
        """End the wait, from any thread."""
        with contextlib.suppress(RuntimeError):  # its loop is closed: it was cancelled, and gives everything back
            self.answer.get_loop().call_soon_threadsafe(self._tell, answer)

    def _tell(self, answer: Amounts | BudgetExhausted) -> None:
        if self.answer.done():  # cancelled meanwhile; its call gives everything back at its end
            return
        if isinstance(answer, BudgetExhausted):
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
            except BudgetExhausted as refused:
                answer = refused
            if isinstance(answer, Ledger):
                blocked.add(answer)
                continue
            self._waiting.remove(waiter)
            waiter.tell(answer)


#: A call that was set aside before its first attempt.
_ONE_CALL = Amounts(calls=1)


def _beyond(usage: Usage, paid: UsageTally) -> Usage:
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


def _together(ways: Iterable[tuple[Ledger, ...]]) -> tuple[Ledger, ...]:
    """Put the levels of several ways up behind each other, each of them once."""
    return tuple(dict.fromkeys(level for way in ways for level in way))
