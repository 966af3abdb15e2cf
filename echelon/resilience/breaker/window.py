"""The last outcomes of a dependency: how many there are, how many of them failed, and how many were slow."""

from collections import deque
from typing import NamedTuple


class CallOutcome(NamedTuple):
    """How one call ended."""

    at: float
    failed: bool
    slow: bool


class Window:
    """Outcomes of the last `size` calls, none older than `seconds`. Not thread-safe: its breaker holds the lock.

    Bounded by count also when bounded by time, so that a flood of calls does not fill the memory.
    """

    def __init__(self, size: int, seconds: float | None = None) -> None:
        self._outcomes: deque[CallOutcome] = deque()
        self._size = size
        self._seconds = seconds
        self.failures = 0
        self.slow = 0

    def __len__(self) -> int:
        return len(self._outcomes)

    @property
    def rate(self) -> float:
        """Share of failures, 0 to 1; 0 while there is nothing."""
        return self.failures / len(self._outcomes) if self._outcomes else 0.0

    @property
    def slow_rate(self) -> float:
        """Share of slow calls, 0 to 1; 0 while there is nothing."""
        return self.slow / len(self._outcomes) if self._outcomes else 0.0

    def note(self, *, failed: bool, slow: bool = False, at: float = 0.0) -> None:
        """Add an outcome of the time `at`, in seconds; what is too old, or one too many, leaves."""
        self._outcomes.append(CallOutcome(at, failed, slow))
        self.failures += failed
        self.slow += slow
        if len(self._outcomes) > self._size:
            self._drop()
        while self._seconds is not None and self._outcomes and self._outcomes[0].at <= at - self._seconds:
            self._drop()

    def clear(self) -> None:
        """Forget everything."""
        self._outcomes.clear()
        self.failures = self.slow = 0

    def _drop(self) -> None:
        oldest = self._outcomes.popleft()
        self.failures -= oldest.failed
        self.slow -= oldest.slow
