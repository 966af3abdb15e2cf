"""What all callers of a dependency share in this process, by its name: its slots, its rate and its retries (F3, F5)."""

import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from echelon.model.errors import InvalidJob
from echelon.model.policy import BulkheadPolicy, RateLimitPolicy, RetryBudgetPolicy
from echelon.resilience.bulkhead import Bulkhead
from echelon.resilience.rate import RateLimiter
from echelon.resilience.retry_budget import RetryBudget

P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)


class _HasPolicy(Protocol[P_co]):
    @property
    def policy(self) -> P_co: ...


S = TypeVar("S", bound=_HasPolicy[object])


class ByName(Generic[P, S]):
    """Name → what is shared under it, made when first asked for."""

    def __init__(self, kind: str, make: Callable[[str, P], S]) -> None:
        self._kind = kind
        self._make = make
        self._made: dict[str, S] = {}
        self._lock = threading.Lock()

    def get(self, name: str, policy: P) -> S:
        """Return what is shared under a name; `InvalidJob` when it exists with another policy."""
        with self._lock:
            found = self._made.get(name)
            if found is None:
                found = self._made[name] = self._make(name, policy)
        if found.policy != policy:
            raise InvalidJob(
                f"{self._kind} {name!r} was asked for with two policies: {found.policy!r} and {policy!r}; "
                "state it in one place"
            )
        return found


class Dependencies:
    """The bulkheads, rates and retry budgets of dependencies."""

    _shared: "Dependencies | None" = None
    _shared_lock = threading.Lock()

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bulkheads = ByName("bulkhead", Bulkhead)
        self._rate_limiters = ByName[RateLimitPolicy, RateLimiter](
            "rate limit", lambda name, policy: RateLimiter(name, policy, clock=clock)
        )
        self._retry_budgets = ByName[RetryBudgetPolicy, RetryBudget](
            "retry budget", lambda name, policy: RetryBudget(name, policy, clock=clock)
        )

    @classmethod
    def shared(cls) -> "Dependencies":
        """Return those of this process: runs side by side call the same dependencies."""
        with cls._shared_lock:
            cls._shared = cls._shared or cls()
            return cls._shared

    def bulkhead(self, name: str, policy: BulkheadPolicy) -> Bulkhead:
        """Return the slots of a dependency."""
        return self._bulkheads.get(name, policy)

    def rate_limiter(self, name: str, policy: RateLimitPolicy) -> RateLimiter:
        """Return the pace of the calls to a dependency."""
        return self._rate_limiters.get(name, policy)

    def retry_budget(self, name: str, policy: RetryBudgetPolicy) -> RetryBudget:
        """Return the retries of a dependency."""
        return self._retry_budgets.get(name, policy)
