"""The rate at which a provider takes calls: so many requests and so many tokens a minute (F5).

Calls are spaced evenly instead of being let through in bursts: providers measure over shorter times than the minute
that they state. What a call takes moves the time of the next one; nothing is saved up while nobody calls.
"""

import threading
import time
from collections.abc import Callable

from echelon.model.policy import RateLimitPolicy
from echelon.resilience.line import WaitingLine

MINUTE_SECONDS = 60.0


class RateReached(Exception):
    """A call came before its time, or before those who wait already."""

    def __init__(self, limiter: "RateLimiter") -> None:
        super().__init__(f"{limiter.line.name} is reached")
        self.limiter = limiter


class RateLimiter:
    """The pace of the calls to one provider, shared by everybody who calls it, from any thread or event loop."""

    def __init__(self, name: str, policy: RateLimitPolicy, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.policy = policy
        #: Those who came too early.
        self.line = WaitingLine(f"rate limit of {name}", self.ready_in)
        self._clock = clock
        self._lock = threading.Lock()
        #: What one request, and one token, takes of the time, in seconds; 0 where nothing is stated.
        self._paces = (_pace(policy.requests_per_minute), _pace(policy.tokens_per_minute))
        self._free_at = [clock(), clock()]

    def ready_in(self) -> float:
        """Return the seconds until the next call may be made; 0 when one may be made now."""
        return max(0.0, max(self._free_at) - self._clock())

    def take(self, tokens: int = 0) -> bool:
        """Take the time of one request that is expected to use so many tokens; False when it is not yet time."""
        with self._lock:
            if self.ready_in() > 0:
                return False
            self._charge(1, tokens)
            return True

    def reserve(self, tokens: int = 0) -> float:
        """Take the next time that is free, and return the seconds until then."""
        with self._lock:
            seconds = self.ready_in()
            self._charge(1, tokens)
            return seconds

    def settle(self, *, requests: int = 0, tokens: int = 0) -> None:
        """Take what was used beyond what was taken for it; negative numbers give back what was not needed."""
        with self._lock:
            self._charge(requests, tokens)

    def _charge(self, requests: int, tokens: int) -> None:
        now = self._clock()
        for at, (used, pace) in enumerate(zip((requests, tokens), self._paces, strict=True)):
            self._free_at[at] = max(self._free_at[at], now) + used * pace


def _pace(per_minute: float | None) -> float:
    return MINUTE_SECONDS / per_minute if per_minute else 0.0
