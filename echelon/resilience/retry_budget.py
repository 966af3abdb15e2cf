"""How many retries all callers of one dependency make together (F3).

However many attempts each call is allowed: when nothing succeeds, the retries that are left are soon used up, and a
dependency that is down is not hit harder for it. A retry takes one from the budget and gives it back when it succeeds;
calls that succeed at once earn some. Kept in this process.
"""

import threading
import time
from collections.abc import Callable

from echelon.model.policy import RetryBudgetPolicy


class RetryBudget:
    """The retries left for one dependency. Safe to use from many tasks and threads."""

    def __init__(
        self, name: str, policy: RetryBudgetPolicy | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.policy = policy or RetryBudgetPolicy()
        self._clock = clock
        self._lock = threading.Lock()
        self._left = self.policy.retries
        self._used_at = clock()

    @property
    def left(self) -> float:
        """Retries that may still be made."""
        with self._lock:
            self._forget()
            return self._left

    def take(self) -> bool:
        """Take one retry; False when there is none left, and the call must do without."""
        with self._lock:
            self._forget()
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def give_back(self) -> None:
        """Give back a retry that was taken and not made, or made with success."""
        self._earn(1.0)

    def succeeded(self, *, retried: bool) -> None:
        """Tell of a call that succeeded: at its first attempt it earns a part of a retry, later its last one back."""
        self._earn(1.0 if retried else self.policy.earned_by_success)

    def _earn(self, retries: float) -> None:
        with self._lock:
            self._forget()
            self._left = min(self.policy.retries, self._left + retries)

    def _forget(self) -> None:
        now = self._clock()
        if now - self._used_at >= self.policy.forget_seconds:
            self._left = self.policy.retries
        self._used_at = now
