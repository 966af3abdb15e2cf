"""What a closed breaker has seen, and whether that is enough to open it (F1)."""

from pybreaker import CircuitBreakerStorage

from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker.window import Window


class FailureEvidence:
    """Outcomes of one closed time. Not thread-safe: its breaker holds the lock."""

    def __init__(self, policy: BreakerPolicy, storage: CircuitBreakerStorage) -> None:
        self._policy = policy
        #: Counts the failures in a row.
        self._storage = storage
        self._window = Window(policy.window_calls, policy.window_seconds)
        self._enough = min(policy.minimum_calls, policy.window_calls)
        #: What failed last, quoted in short.
        self.last_error = ""

    def note(self, *, failed: bool, slow: bool, at: float) -> None:
        """Add an outcome."""
        self._window.note(failed=failed, slow=slow, at=at)
        if failed:
            self._storage.increment_counter()
        else:
            self._storage.reset_counter()

    def clear(self) -> None:
        """Forget all outcomes."""
        self._window.clear()
        self._storage.reset_counter()

    def cause(self) -> str:
        """Return why the breaker should be open; empty when it need not be."""
        return self._in_a_row() or self._rates()

    def quoted(self, cause: str) -> str:
        """Add the last error to a cause."""
        return f"{cause}, the last with {self.last_error}"

    def _in_a_row(self) -> str:
        failures = self._storage.counter
        enough = failures >= self._policy.consecutive_failures
        return self.quoted(f"{failures} failures in a row") if enough else ""

    def _rates(self) -> str:
        policy, window = self._policy, self._window
        if len(window) < self._enough:
            return ""
        if window.rate >= policy.failure_rate:
            return self.quoted(f"{window.failures} of the last {len(window)} calls failed")
        if policy.slow_call_seconds is not None and window.slow_rate >= policy.slow_call_rate:
            return f"{window.slow} of the last {len(window)} calls took longer than {policy.slow_call_seconds:g} s"
        return ""
