"""A run in the hands of this process: kept by a heartbeat, proved before anything is done, lost for good (F8)."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from echelon.journal.failpoints import failpoint
from echelon.model.errors import JournalError, LeaseLost
from echelon.model.session import Session
from echelon.runlog.events import RunEvent

log = logging.getLogger("echelon.journal")

#: A lease is renewed so many times before it would end.
BEATS = 3


class Keeper(Protocol):
    """What a lease writes; both raise `LeaseLost` once another process has taken it."""

    async def keep(self, session: Session, ttl_seconds: float) -> None:
        """Put on record that the process is alive: the lease ends so long from now."""
        ...

    async def give_back(self, session: Session, *last: RunEvent) -> None:
        """Put on record what happened last, and that the work ended: another process may begin at once."""
        ...


class Lease:
    """The right to work on a run, or on one part of it."""

    def __init__(self, session: Session, ttl_seconds: float, keeper: Keeper) -> None:
        self.session = session
        self.lost: LeaseLost | None = None
        """Why nothing may be done any more; None while the run is held."""
        self._ttl_seconds = ttl_seconds
        self._keeper = keeper
        self._proved = time.monotonic()
        self._proving = asyncio.Lock()
        self._given_back = False

    async def prove(self) -> None:
        """Raise `LeaseLost` unless the run is still ours. Asks the journal only after a silence of a whole lease.

        Such a silence means that this process was stopped, or its loop blocked: another one may have gone on.
        """
        if self.lost is not None:
            raise LeaseLost(self.session.run_id)
        if self._is_fresh():
            return
        async with self._proving:
            if not self._is_fresh():
                await self.beat()

    async def beat(self) -> None:
        """Renew the lease; raise `LeaseLost` when the run has been taken over."""
        began = time.monotonic()
        try:
            await self._keeper.keep(self.session, self._ttl_seconds)
        except LeaseLost as lost:
            self.lost = lost
            raise
        self._proved = began

    async def give_back(self, *last: RunEvent) -> None:
        """Append what happened last and end the session, in one transaction; the run can be taken at once."""
        await self._keeper.give_back(self.session, *last)
        self._given_back = True

    async def keep_beating(self, on_lost: Callable[[], object]) -> None:
        """Renew the lease until it is lost; trouble with the journal is waited out, the next beat may pass."""
        while True:
            await asyncio.sleep(self._ttl_seconds / BEATS)
            try:
                await self.beat()
            except LeaseLost:
                on_lost()
                return
            except JournalError as error:
                log.warning("the lease of run %s could not be renewed: %s", self.session.run_id, error)

    async def try_to_give_back(self) -> None:
        """End the session unless it has ended or was lost; trouble with the journal is logged."""
        if self._given_back:
            return
        try:
            await self.give_back()
        except LeaseLost:
            return  # there is nothing to give back
        except JournalError as error:
            log.warning("run %s stays held for a few seconds: %s", self.session.run_id, error)

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._proved < self._ttl_seconds


@contextlib.asynccontextmanager
async def hold(lease: Lease) -> AsyncGenerator[Lease]:
    """Keep a lease during the block. When it is lost the block is cancelled, and `LeaseLost` raised in its place."""
    owner = asyncio.current_task()
    assert owner is not None, "a coroutine runs in a task"
    before = owner.cancelling()
    beating = asyncio.create_task(lease.keep_beating(owner.cancel), name="echelon-lease")
    failpoint("lease.taken")
    try:
        yield lease
    except asyncio.CancelledError as cancelled:
        if lease.lost is not None and owner.uncancel() <= before:
            raise LeaseLost(lease.session.run_id) from cancelled
        raise
    finally:
        beating.cancel()
        await asyncio.wait([beating])
        await lease.try_to_give_back()
        failpoint("lease.given-back")
