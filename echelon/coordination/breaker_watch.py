"""What the breakers of a run do is put on record, as it happens (F1, V1)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from echelon.coordination.context import RunContext
from echelon.model.breaker_news import BreakerNews, Turn
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.runlog.breakers import BREAKER_EVENT
from echelon.visibility.progress import Happening, ProgressEvent

#: How loud each turn is told; what is not here is on record only.
LEVELS: dict[Turn, Level] = {
    Turn.OPENED: Level.WARNING,
    Turn.ISOLATED: Level.WARNING,
    Turn.TRYING: Level.INFO,
    Turn.CLOSED: Level.INFO,
    Turn.PANIC: Level.CRITICAL,
    Turn.MEASURED: Level.WARNING,
    Turn.RELIEVED: Level.INFO,
}

#: After these there is nothing to worry about.
_WELL = frozenset({Turn.CLOSED, Turn.RELIEVED, Turn.LEFT})


@contextlib.asynccontextmanager
async def breakers_on_record(run: RunContext) -> AsyncIterator[None]:
    """Put on record what the breakers do that the run uses in this block; all of it is durable when the block ends."""
    told = asyncio.Queue[BreakerNews | None]()
    hand_over = handing_over(asyncio.get_running_loop(), told)
    writer = asyncio.create_task(_write(run, told))
    run.breakers_used.watch(hand_over)
    try:
        yield
    finally:
        run.breakers_used.stop()
        hand_over(None)
        await writer


def handing_over(
    loop: asyncio.AbstractEventLoop, told: asyncio.Queue[BreakerNews | None]
) -> Callable[[BreakerNews | None], None]:
    """Return what puts news into a queue of that loop, from any thread and at once."""

    def hand_over(news: BreakerNews | None) -> None:
        # Breakers belong to the whole process: one must not fail because the loop of this run has ended.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(told.put_nowait, news)

    return hand_over


async def _write(run: RunContext, told: asyncio.Queue[BreakerNews | None]) -> None:
    while (news := await told.get()) is not None:
        at = run.now()
        payload = news.model_dump(mode="json")
        written = [run.journal.append_event(run.run_id, BREAKER_EVENT, news.name, payload, at)]
        if news.turn in LEVELS:
            report = ExceptionReport(
                trigger=Trigger.BREAKER,
                level=LEVELS[news.turn],
                path=(run.plan.primary.id,),
                message=news.message,
                at=at,
            )
            written.append(run.push(report))
            run.observe(_event(run, news))
        await asyncio.gather(*written)


def _event(run: RunContext, news: BreakerNews) -> ProgressEvent:
    note = "" if news.turn in _WELL else news.message
    return ProgressEvent(happening=Happening.BREAKER_TURNED, phase="", node=news.name, at=run.elapsed(), note=note)
