"""The closed windows of this process, by dependency: all its callers share them, in all runs (F10)."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import inf

from echelon.model.errors import QuotaExhausted
from echelon.model.quota.window import QuotaWindow
from echelon.resilience.line import WaitingLine

#: Ends that lie closer together are one: all calls that are refused at one time tell the same a little differently.
SAME = timedelta(seconds=1)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class QuotaWindows:
    """Name of a dependency → until when it takes no calls. Safe to use from any thread or event loop."""

    def __init__(self, now: Callable[[], datetime] = _utc_now) -> None:
        #: The wall clock: windows end at times that others state.
        self.now = now
        self._closed: dict[str, QuotaWindow] = {}
        self._lines: dict[tuple[str, float], WaitingLine] = {}
        self._lock = threading.Lock()

    def close(self, window: QuotaWindow) -> bool:
        """Take no calls of a dependency until the end of a window, and say whether that is news.

        Of two windows the later end counts.
        """
        with self._lock:
            known = self._closed.get(window.dependency)
            if known is None or known.until < window.until:
                self._closed[window.dependency] = window
            return known is None or window.until - known.until > SAME

    def closed(self, dependency: str) -> QuotaWindow | None:
        """Return the window that is closed now; None when calls are taken."""
        window = self._closed.get(dependency)
        return window if window is not None and window.until > self.now() else None

    def check(self, dependency: str) -> None:
        """Raise `QuotaExhausted` while no calls are taken."""
        window = self.closed(dependency)
        if window is not None:
            raise QuotaExhausted(dependency, until=window.until, said=window.said)

    def opens_in(self, dependency: str) -> float:
        """Return the seconds until calls are taken; 0 when they are."""
        window = self.closed(dependency)
        return (window.until - self.now()).total_seconds() if window is not None else 0.0

    def line(self, dependency: str, longest_seconds: float) -> WaitingLine:
        """Return those who wait for a dependency, and for so long at most: for what takes longer nobody waits."""

        def ready_in() -> float:
            seconds = self.opens_in(dependency)
            return seconds if seconds <= longest_seconds else inf

        with self._lock:
            key = dependency, longest_seconds
            if key not in self._lines:
                self._lines[key] = WaitingLine(f"quota of {dependency}", ready_in)
            return self._lines[key]
