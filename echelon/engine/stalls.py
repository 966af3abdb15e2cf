"""Says which code keeps the event loop from turning: then nothing of a run goes on, not even its time limits (F4).

Only another thread can see that. It cannot end it: an `async` agent that computes or waits without `await` must be made
a plain function, which has a thread of its own.
"""

import asyncio
import contextlib
import logging
import sys
import threading
import time
import traceback
from collections.abc import Generator

log = logging.getLogger("echelon.engine")

#: The loop is said to be blocked after so many seconds, and again whenever that time has doubled.
BLOCKED_SECONDS = 30.0


@contextlib.contextmanager
def watching_loop(blocked_seconds: float = BLOCKED_SECONDS) -> Generator[None]:
    """Log where the running event loop is blocked, as long as it is, during the block."""
    watch = _Watch(asyncio.get_running_loop(), threading.get_ident(), blocked_seconds)
    thread = threading.Thread(target=watch.run, name="echelon-stalls", daemon=True)
    thread.start()
    try:
        yield
    finally:
        watch.over.set()


class _Watch:
    """Asks the loop to note the time, now and then, and looks whether it did."""

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: int, blocked_seconds: float) -> None:
        self.over = threading.Event()
        self._loop = loop
        self._thread = thread
        self._blocked_seconds = blocked_seconds
        self._turned_at = time.monotonic()

    def run(self) -> None:
        """Watch until it is over."""
        next_at = self._blocked_seconds
        while not self.over.wait(self._blocked_seconds / 4):
            blocked = time.monotonic() - self._turned_at
            if blocked < self._blocked_seconds:
                next_at = self._blocked_seconds
            elif blocked >= next_at:
                next_at = 2 * blocked
                self._tell(blocked)
            with contextlib.suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(self._note)

    def _note(self) -> None:
        self._turned_at = time.monotonic()

    def _tell(self, seconds: float) -> None:
        frame = sys._current_frames().get(self._thread)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - documented
        place = traceback.extract_stack(frame, limit=1)[0] if frame else None
        where = f" in {place.name}, {place.filename}:{place.lineno}" if place else ""
        log.warning(
            "nothing of this run has gone on for %.0f s, since code without `await` keeps the event loop busy%s; "
            "an agent that computes, or waits without `await`, must be a plain function, without `async`",
            seconds,
            where,
        )
