"""The breakers of this process, by the name of the dependency: all its callers share one (F1)."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from pybreaker import CircuitBreakerListener

from echelon.model.errors import InvalidJob
from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker import Breaker


class BreakerRegistry:
    """Name of a dependency → its breaker, made when first asked for."""

    _shared: "BreakerRegistry | None" = None
    _shared_lock = threading.Lock()

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, listeners: Sequence[CircuitBreakerListener] = ()
    ) -> None:
        self._clock = clock
        self._listeners = tuple(listeners)
        self._breakers: dict[str, Breaker] = {}
        self._lock = threading.Lock()

    @classmethod
    def shared(cls) -> "BreakerRegistry":
        """Return the one of this process: what one run learns about a dependency holds for the next."""
        with cls._shared_lock:
            cls._shared = cls._shared or cls()
            return cls._shared

    def get(self, name: str, policy: BreakerPolicy | None = None) -> Breaker:
        """Return the breaker of a dependency; `InvalidJob` when it exists with another policy."""
        with self._lock:
            found = self._breakers.get(name)
            if found is None:
                found = Breaker(name, policy, clock=self._clock, listeners=self._listeners)
                self._breakers[name] = found
        if policy is not None and found.policy != policy:
            raise InvalidJob(
                f"breaker {name!r} was asked for with two policies: {found.policy} and {policy}; state it in one place"
            )
        return found

    def __iter__(self) -> Iterator[Breaker]:
        with self._lock:
            return iter(tuple(self._breakers.values()))
