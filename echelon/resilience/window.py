"""The last outcomes of a dependency: how many there are, and how many of them failed."""

from collections import deque


class Window:
    """Outcomes of the last `size` calls. Not thread-safe by itself: its breaker holds the lock."""

    def __init__(self, size: int) -> None:
        self._outcomes: deque[bool] = deque(maxlen=size)
        self.failures = 0

    def __len__(self) -> int:
        return len(self._outcomes)

    @property
    def rate(self) -> float:
        """Share of failures, 0 to 1; 0 while there is nothing."""
        return self.failures / len(self) if self._outcomes else 0.0

    def note(self, *, failed: bool) -> None:
        """Add an outcome; the oldest one leaves when the window is full."""
        if len(self._outcomes) == self._outcomes.maxlen:
            self.failures -= self._outcomes[0]
        self._outcomes.append(failed)
        self.failures += failed

    def clear(self) -> None:
        """Forget everything."""
        self._outcomes.clear()
        self.failures = 0
