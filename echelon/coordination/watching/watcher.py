"""A run is watched while it is at work: one timer, which wakes when the next thing may be late (V1, V9, V10)."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta

from echelon.coordination.context import RunContext
from echelon.coordination.watching.delays import Delays
from echelon.coordination.watching.experience import experience_of
from echelon.model.exception_report import ExceptionReport
from echelon.oversight.exceptions.resources import NEARLY
from echelon.oversight.exceptions.watch import Watch
from echelon.runlog.events import LoggedEvent, WatchMeasured

log = logging.getLogger("echelon.coordination")

#: What happens within so many seconds is looked at together: what watching costs does not grow with the agents.
PAUSE_SECONDS = 0.05

#: Budgets are looked at again after so many seconds, where something was used meanwhile.
BUDGET_SECONDS = 1.0


@contextlib.asynccontextmanager
async def exceptions_on_record(run: RunContext) -> AsyncGenerator[None]:
    """Put on record what goes wrong in this block without failing; all of it is durable when the block ends.

    Watching never disturbs the run: where it fails itself, that is logged, and nothing more is said.
    """
    watcher = Watcher(run)
    with run.log.journal.watching(run.spec.run_id, watcher.see):
        work = asyncio.create_task(watcher.work(), name="watch")
        try:
            yield
        finally:
            watcher.stop()
            await work
    await run.log.append(watcher.measured())


class Watcher:
    """Sees what happens in one run, and says what is to be said of it when it is time."""

    def __init__(self, run: RunContext) -> None:
        began = time.thread_time()
        self._run = run
        self._watch = Watch(run.spec.plan, experience_of(run), run.log.state)
        self._news = asyncio.Event()
        self._over = asyncio.Event()
        self._delays = Delays()
        self._budgets_seen = run.now()
        """When budgets were looked at."""
        self._clock_due: datetime | None = self._budgets_seen
        """When a budget of seconds is nearly used up, which happens while nothing else does."""
        self._processor_seconds = time.thread_time() - began

    def see(self, entries: Sequence[LoggedEvent]) -> None:
        """Take in what this process has put on record."""
        began = time.thread_time()
        now = self._run.now()
        for entry in entries:
            self._watch.see(entry.event)
            self._delays.add((now - entry.event.at).total_seconds())
        self._processor_seconds += time.thread_time() - began
        self._news.set()

    def stop(self) -> None:
        """Have the watching end, after one last look."""
        self._over.set()
        self._news.set()

    async def work(self) -> None:
        """Watch until it is over."""
        try:
            while not self._over.is_set():
                await self._sleep()
                reports = self._look(self._run.now())
                if reports:
                    await self._run.log.append(*map(self._run.log.pushed, reports))
        except Exception:
            log.exception("run %s is not watched any more; it goes on", self._run.spec.run_id)

    async def _sleep(self) -> None:
        """Wait until something happens or is due; then a moment for what comes with it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds_to_next(self._run.now())):
                await self._news.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await self._over.wait()
        self._news.clear()

    def _seconds_to_next(self, now: datetime) -> float | None:
        times = [time for time in (self._watch.next_due, self._budgets_due) if time is not None]
        return max(0.0, (min(times) - now).total_seconds()) if times else None

    @property
    def _budgets_due(self) -> datetime | None:
        again = self._budgets_seen + timedelta(seconds=BUDGET_SECONDS) if self._watch.has_used else None
        return min((time for time in (again, self._clock_due) if time is not None), default=None)

    def _look(self, now: datetime) -> list[ExceptionReport]:
        began = time.thread_time()
        reports = self._watch.due(now)
        due = self._budgets_due
        if due is not None and (now >= due or self._over.is_set()):
            reports += self._look_at_budgets(now)
        self._processor_seconds += time.thread_time() - began
        return reports

    def _look_at_budgets(self, now: datetime) -> list[ExceptionReport]:
        uses = self._run.accounts.uses(self._watch.at_work)
        left = [NEARLY * use.bound - use.used for use in uses if use.what == "seconds" and use.share <= NEARLY]
        self._clock_due = now + timedelta(seconds=min(left) + PAUSE_SECONDS) if left else None
        self._budgets_seen = now
        return self._watch.budgets(uses, now)

    def measured(self) -> WatchMeasured:
        """Return what watching measured of itself."""
        return WatchMeasured(
            run_id=self._run.spec.run_id,
            at=self._run.now(),
            seen=self._delays.seen,
            delay_seconds=self._delays.share(50),
            delay_seconds_p90=self._delays.share(90),
            processor_seconds=self._processor_seconds,
        )
