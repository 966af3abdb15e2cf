"""Keeps what this process claims of standing budgets true in the journal, one exchange at a time (F10).

A call asks before it is made and waits for the answer; what calls give back is told a moment later, all of it at once.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol, Self

from echelon.model.errors import EchelonError, JournalError
from echelon.model.standing.claim import ClaimAsk, ClaimTold, StandingBudget
from echelon.model.standing.sums import NO_SUMS, Sums
from echelon.model.standing.window import window_of
from echelon.model.usage import Budget
from echelon.resilience.reservation import Line
from echelon.resilience.standing.ledger import StandingLedger

log = logging.getLogger("echelon.resilience")

#: What calls give back is told after so long at most: most of it comes with what the next call asks for.
LINGER_SECONDS = 0.1

#: Who waits for what calls of other processes give back asks again after so long.
ASK_AGAIN_SECONDS = 0.25


class StandingPort(Protocol):
    """Where all processes with runs of a job reserve."""

    async def claim(
        self, budgets: Sequence[StandingBudget], held: Sums, used: Sums, asks: Sequence[ClaimAsk]
    ) -> ClaimTold:
        """Put on record what this process holds and has used, and reserve what it asks for; durable on return."""
        ...


@dataclass(eq=False)
class _Asker:
    """A call that asks."""

    ask: ClaimAsk
    answer: "asyncio.Future[Sums]"


class StandingKeeper:
    """The standing budgets of a job, in one process that is at work on a run of it."""

    def __init__(
        self, job: str, budgets: Sequence[Budget], port: StandingPort, zone: tzinfo, now: Callable[[], datetime]
    ) -> None:
        # Months first: where both are used up, a call can be made when the month is over.
        self._budgets = tuple(sorted(budgets, key=lambda one: one.per == "day"))
        self._port = port
        self._zone = zone
        self._now = now
        self._waiting: list[_Asker] = []
        self._wakes = asyncio.Event()
        self._hurry = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        #: The books of each budget: what a call takes of the budget of its job it takes of these.
        self.ledgers = tuple(StandingLedger(job, one, self._changed) for one in self._standing())
        #: Those who wait for the same accounts; known once there is an account.
        self.line: Line | None = None
        self._on_record: tuple[Sums, Sums] | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, job: str, budgets: Sequence[Budget], port: StandingPort, zone: tzinfo, now: Callable[[], datetime]
    ) -> AsyncGenerator[Self]:
        """Keep the claims of this process during the block; `JournalError` when nothing can be written."""
        keeper = cls(job, budgets, port, zone, now)
        await keeper._exchange()
        keeping = asyncio.create_task(keeper._keep(), name="echelon-standing")
        try:
            yield keeper
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    @property
    def is_over(self) -> bool:
        """Is the window of a budget over, so that what is known of it does not count any more?"""
        now = self._now()
        return any(not ledger.standing.window.has(now) for ledger in self.ledgers)

    async def claim(self, wanted: Sums, least: Sums = NO_SUMS) -> Sums:
        """Reserve in the journal what a call has set aside here, after a wait for what other processes give back.

        Returns what was reserved, at least `least`; `BudgetExhausted` when that cannot come before the next window.
        """
        waiter = _Asker(ClaimAsk(wanted, least), self._loop.create_future())
        self._waiting.append(waiter)
        self._hurry.set()
        self._wakes.set()
        try:
            return await waiter.answer
        finally:
            if waiter in self._waiting:  # cancelled: what it has set aside is given back by its call
                self._waiting.remove(waiter)

    def _standing(self) -> list[StandingBudget]:
        now = self._now()
        return [
            StandingBudget(budget=one, window=window_of(one.per, now, self._zone)) for one in self._budgets if one.per
        ]

    def _changed(self) -> None:
        """Take note, in any thread, that the journal is to be told."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the session has ended, and its claim with it
            self._loop.call_soon_threadsafe(self._wakes.set)

    async def _keep(self) -> None:
        while True:
            await self._wait()
            try:
                await self._exchange()
            except EchelonError as error:
                self._fail(error)

    async def _wait(self) -> None:
        """Return when there is something to ask, to ask again, or to tell."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ASK_AGAIN_SECONDS if self._waiting else None):
                await self._wakes.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await self._hurry.wait()
        self._wakes.clear()
        self._hurry.clear()

    async def _exchange(self) -> None:
        """Tell the journal what is held and used here, ask for what is waited for, and take what it tells."""
        waiters, budgets, books = tuple(self._waiting), self._standing(), self.ledgers[0]
        pending = NO_SUMS
        for waiter in waiters:
            pending = pending.plus(waiter.ask.wanted)
        used, held = books.own, books.held_sums.beyond(pending)
        if not waiters and (held, used) == self._on_record:
            return
        told = await self._port.claim(budgets, held, used, [one.ask for one in waiters])
        self._on_record = None if waiters else (held, used)
        self._take(budgets, told, used)
        for waiter, answer in zip(waiters, told.answers, strict=True):
            if waiter.answer.done() or waiter not in self._waiting:  # cancelled meanwhile
                self._wakes.set()
            elif answer.granted is not None:
                self._waiting.remove(waiter)
                waiter.answer.set_result(answer.granted)
            elif answer.refused_by is not None:
                self._waiting.remove(waiter)
                waiter.answer.set_exception(self.ledgers[answer.refused_by].refused(*waiter.ask))

    def _take(self, budgets: Sequence[StandingBudget], told: ClaimTold, used: Sums) -> None:
        with self.line.lock if self.line else contextlib.nullcontext():
            for ledger, standing, books in zip(self.ledgers, budgets, told.books, strict=True):
                ledger.tell(standing, books, used)
            if self.line:
                self.line.serve()

    def _fail(self, error: EchelonError) -> None:
        """Let those who wait know that nothing can be reserved; what was to be told comes with the next exchange."""
        waiters, self._waiting = self._waiting, []
        for waiter in waiters:
            if not waiter.answer.done():
                waiter.answer.set_exception(error)
        if not waiters:
            level = logging.WARNING if isinstance(error, JournalError) else logging.ERROR
            log.log(level, "what calls gave back to a standing budget is not on record yet: %s", error)
