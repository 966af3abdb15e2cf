"""The log of a run, read from another process than the one at work: what is there, then what comes, until it is over.

Only so many events are in memory at one time, however long the log is.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from echelon.cli.streams import check_reader
from echelon.journal.port import Journal
from echelon.runlog.events import LoggedEvent, RunEvent
from echelon.runlog.watched import Watched, kinds_that_end

#: While nothing comes, it is looked so often whether anybody reads what is printed, in seconds.
TICK_SECONDS = 1.0

#: After so many of them it is looked whether anybody works on the run.
TICKS_OF_SILENCE = 3


async def read_events(
    journal: Journal, run_id: str, watched: Watched, kinds: Sequence[str], *, task: str | None, idle: "Idle | None"
) -> AsyncGenerator[list[RunEvent]]:
    """Give the events of some kinds that are on record, of one task or of all; with `idle` go on until it is over.

    `watched` is told of everything that begins and ends.
    """
    asked = (*kinds, *kinds_that_end(task))

    async def ends_here(seq: int) -> bool:
        if idle is not None and not watched.is_over:
            return False
        return not await journal.events(run_id, after=seq, kinds=asked, limit=1)

    if idle is None and await ends_here(0):
        return
    async with aclosing(journal.tail(run_id, kinds=asked)) as tail:
        while True:
            found = await _next(tail, idle)
            for entry in found:
                watched.see(entry.event)
            yield [one.event for one in found if one.event.kind in kinds and task in (None, one.event.subject)]
            if await ends_here(found[-1].seq):
                return


async def _next(tail: AsyncGenerator[Sequence[LoggedEvent]], idle: "Idle | None") -> Sequence[LoggedEvent]:
    pending = asyncio.ensure_future(anext(tail))
    try:
        while not (await asyncio.wait({pending}, timeout=TICK_SECONDS))[0]:
            if idle is not None:
                await idle.tick()
        if idle is not None:
            idle.news()
        return pending.result()
    finally:
        if not pending.done():
            pending.cancel()
            await asyncio.wait({pending})


class Idle:
    """What is done while nothing comes: to end when nobody reads any more, and to say when nobody works on the run."""

    def __init__(self, is_held: Callable[[], Awaitable[bool]], say: Callable[[], None]) -> None:
        self._is_held = is_held
        self._say = say
        self._ticks = 0
        self._said = False

    def news(self) -> None:
        """Take note that something came."""
        self._ticks, self._said = 0, False

    async def tick(self) -> None:
        """Look around; raises `BrokenPipeError` when nobody reads what is printed."""
        check_reader()
        self._ticks += 1
        if not self._said and self._ticks % TICKS_OF_SILENCE == 0 and not await self._is_held():
            self._say()
            self._said = True
