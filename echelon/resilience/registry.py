"""The breakers of this process, by the name of the dependency: all its callers share one (F1)."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from pybreaker import CircuitBreakerListener

from echelon.model.errors import InvalidInput, InvalidJob
from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.breaker.fleet import Fleet
from echelon.resilience.breaker.redis import RedisStore
from echelon.resilience.quota.windows import QuotaWindows


class BreakerRegistry:
    """Name of a dependency → its breaker, made when first asked for; together they are a fleet.

    With `redis_url` their state is shared with all processes that use the same Redis; `InvalidInput` when that is no
    address. Whether Redis can be reached shows in `shared_through`: when not, every process goes on by itself.
    """

    _shared: ClassVar[dict[str | None, "BreakerRegistry"]] = {}
    _shared_lock = threading.Lock()

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        listeners: Sequence[CircuitBreakerListener] = (),
        rng: random.Random | None = None,
        redis_url: str | None = None,
    ) -> None:
        self._clock = clock
        self._listeners = tuple(listeners)
        self._rng = rng or random.Random()  # noqa: S311 - spreads probes, protects nothing
        self._fleet = Fleet()
        self._store = RedisStore(redis_url) if redis_url else None
        self._breakers: dict[str, Breaker] = {}
        self._lock = threading.Lock()
        #: Beside them: limits of the same dependencies that are used up, until they reset (F10).
        self.quotas = QuotaWindows()

    @classmethod
    def shared(cls, redis_url: str | None = None) -> "BreakerRegistry":
        """Return the one of this process for a Redis: what one run learns about a dependency holds for the next."""
        with cls._shared_lock:
            if redis_url not in cls._shared:
                cls._shared[redis_url] = cls(redis_url=redis_url)
            return cls._shared[redis_url]

    @property
    def shared_through(self) -> str:
        """Who knows the state of the breakers: all that use the same `redis`, or this `process` only."""
        return "redis" if self._store is not None and self._store.up else "process"

    @property
    def refusing(self) -> frozenset[str]:
        """Names of the dependencies that calls are refused to."""
        return self._fleet.open

    def get(self, name: str, policy: BreakerPolicy | None = None) -> Breaker:
        """Return the breaker of a dependency; `InvalidJob` when it exists with another policy."""
        with self._lock:
            found = self._breakers.get(name)
            if found is None:
                found = Breaker(
                    name,
                    policy,
                    clock=self._clock,
                    listeners=self._listeners,
                    rng=self._rng,
                    fleet=self._fleet,
                    store=self._store,
                )
                self._breakers[name] = found
        if policy is not None and found.policy != policy:
            raise InvalidJob(
                f"breaker {name!r} was asked for with two policies: {found.policy} and {policy}; state it in one place"
            )
        return found

    def isolate(self, name: str, reason: str, by: str = "") -> None:
        """Refuse all calls to a dependency until `reset`; `InvalidInput` when nobody called it yet."""
        self._known(name).isolate(reason, by)

    def reset(self, name: str) -> None:
        """Let calls to a dependency through again, and forget what was."""
        self._known(name).reset()

    def close(self) -> None:
        """End the sharing; the breakers go on by themselves."""
        if self._store is not None:
            self._store.close()

    def __iter__(self) -> Iterator[Breaker]:
        with self._lock:
            return iter(tuple(self._breakers.values()))

    def _known(self, name: str) -> Breaker:
        with self._lock:
            found = self._breakers.get(name)
        if found is None:
            known = ", ".join(sorted(self._breakers)) or "none"
            raise InvalidInput(f"no breaker is named {name!r}; there are: {known}")
        return found
