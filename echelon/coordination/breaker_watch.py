"""What the breakers of a run do is put on record, as it happens (F1, V1)."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

from echelon.coordination.context import RunContext
from echelon.model.breaker_news import BreakerNews, Turn
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.runlog.events import BreakerChanged, RunEvent

#: How loud each turn is heard; what is not here is on record only.
LEVELS: dict[Turn, Level] = {
    Turn.OPENED: Level.WARNING,
    Turn.ISOLATED: Level.WARNING,
    Turn.TRYING: Level.INFO,
    Turn.CLOSED: Level.INFO,
    Turn.PANIC: Level.CRITICAL,
    Turn.MEASURED: Level.WARNING,
    Turn.RELIEVED: Level.INFO,
}


@contextlib.asynccontextmanager
async def breakers_on_record(run: RunContext) -> AsyncGenerator[None]:
    """Put on record what the breakers do that the run uses in this block; all of it is durable when the block ends."""
    heard = asyncio.Queue[BreakerNews | None]()
    hand_over = handing_over(asyncio.get_running_loop(), heard)
    writer = asyncio.create_task(_write(run, heard))
    run.guarding.breakers_used.watch(hand_over)
    try:
        yield
    finally:
        run.guarding.breakers_used.stop()
        hand_over(None)
        await writer


def handing_over(
    loop: asyncio.AbstractEventLoop, heard: asyncio.Queue[BreakerNews | None]
) -> Callable[[BreakerNews | None], None]:
    """Return what puts news into a queue of that loop, from any thread and at once."""

    def hand_over(news: BreakerNews | None) -> None:
        # Breakers belong to the whole process: one must not fail because the loop of this run has ended.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(heard.put_nowait, news)

    return hand_over


async def _write(run: RunContext, heard: asyncio.Queue[BreakerNews | None]) -> None:
    while (news := await heard.get()) is not None:
        at, reports = run.now(), list[RunEvent]()
        if news.turn in LEVELS:
            report = ExceptionReport(
                trigger=Trigger.BREAKER,
                level=LEVELS[news.turn],
                path=(run.spec.plan.primary.id,),
                message=news.message,
                at=at,
            )
            reports = [run.log.pushed(report)]
        await run.log.append(BreakerChanged(run_id=run.spec.run_id, at=at, news=news), *reports)
