"""A breaker: refuses calls to a dependency that failed too often, and tries it again with a few calls (F1).

States, storage and listeners are pybreaker's; its `call()` is not used, because that holds a lock during the guarded
call, counts failures in a row only, lets every waiting caller through when half-open and counts a cancellation as a
failure. Here admission and outcome are short, and the call between them runs unlocked. State is kept in this process.

    closed ──too many failures──▶ open ──open_seconds──▶ half-open ──all trials succeed──▶ closed
                                   ▲───────────────a trial fails────────┘
"""

import threading
import time
from collections.abc import Callable, Sequence
from enum import Enum
from types import TracebackType

from pybreaker import (
    STATE_CLOSED,
    STATE_HALF_OPEN,
    STATE_OPEN,
    CircuitBreaker,
    CircuitBreakerListener,
    CircuitMemoryStorage,
)

from echelon.model.errors import BreakerOpen
from echelon.model.policy import BreakerPolicy
from echelon.resilience.errors import blames_dependency
from echelon.resilience.window import Window

#: How much of the last error is quoted in a refusal, in characters.
QUOTED_CHARACTERS = 200


class _Result(Enum):
    """What a call says about the dependency."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"  #: cancelled, or an error that does not blame it


class Permit:
    """The right to make one call. Used as a context manager, or ended by hand; ends once."""

    __slots__ = ("_breaker", "_generation")

    def __init__(self, breaker: "Breaker", generation: int) -> None:
        self._breaker = breaker
        self._generation: int | None = generation

    @property
    def holds(self) -> bool:
        """Would another attempt under this permit still be welcome? Not once the breaker has opened since."""
        return self._breaker.generation == self._generation or self._breaker.state == STATE_CLOSED

    def end(self, error: BaseException | None) -> None:
        """Tell how the call ended: with None, with an error, or cancelled."""
        generation, self._generation = self._generation, None
        if generation is not None:
            self._breaker.settle(generation, error)

    def __enter__(self) -> "Permit":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end(error)


class Breaker:
    """The breaker of one dependency, shared by everybody who calls it, from any thread or event loop.

    `counts` says which errors blame the dependency; other errors are neutral, as is a cancellation. Listeners are
    pybreaker's (`state_change`, `failure`, `success`); they run under the lock, so they must be short and not raise.
    """

    def __init__(
        self,
        name: str,
        policy: BreakerPolicy | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        counts: Callable[[Exception], bool] = blames_dependency,
        listeners: Sequence[CircuitBreakerListener] = (),
    ) -> None:
        self.name = name
        self.policy = policy or BreakerPolicy()
        #: Counts the changes of state; an outcome counts in the generation that its call was admitted in.
        self.generation = 0
        self._clock = clock
        self._counts = counts
        self._lock = threading.RLock()
        self._storage = CircuitMemoryStorage(STATE_CLOSED)
        self._circuit = CircuitBreaker(name=name, state_storage=self._storage, listeners=listeners)
        self._window = Window(self.policy.window_calls)
        self._trials = 0
        self._trial_at = 0.0
        self._last_error = ""
        self._reason = ""

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`; an open breaker becomes half-open with the first call after its time."""
        return self._storage.state

    @property
    def reason(self) -> str:
        """Why it opened last; empty when it never did."""
        return self._reason

    def admit(self) -> Permit:
        """Give the right to make one call, or raise `BreakerOpen` with the reason and the time of the next trial."""
        with self._lock:
            if self.state == STATE_OPEN and self._clock() >= self._trial_at:
                self._change(self._circuit.half_open)
            if self.state == STATE_OPEN:
                raise BreakerOpen(self.name, self._reason, self._trial_at - self._clock())
            if self.state == STATE_HALF_OPEN:
                self._take_trial()
            return Permit(self, self.generation)

    def settle(self, generation: int, error: BaseException | None) -> None:
        """Take the outcome of a call admitted in `generation`; a late one, from before a change, says nothing."""
        result = self._result(error)
        with self._lock:
            if generation == self.generation:
                self._tell(result, error)
                _SETTLE[self.state, result](self)

    def _result(self, error: BaseException | None) -> _Result:
        if error is None:
            return _Result.SUCCESS
        counts = isinstance(error, Exception) and self._counts(error)
        return _Result.FAILURE if counts else _Result.NEUTRAL

    def _take_trial(self) -> None:
        if self._trials >= self.policy.trial_calls:
            raise BreakerOpen(self.name, f"{self._reason}; trial calls are under way", self.policy.open_seconds)
        self._trials += 1

    def _tell(self, result: _Result, error: BaseException | None) -> None:
        if result is _Result.FAILURE and error is not None:
            self._last_error = f"{type(error).__name__}: {str(error)[:QUOTED_CHARACTERS]}"
            for listener in self._circuit.listeners:
                listener.failure(self._circuit, error)
        if result is _Result.SUCCESS:
            for listener in self._circuit.listeners:
                listener.success(self._circuit)

    def _ignore(self) -> None:
        """A neutral outcome of a closed breaker changes nothing."""

    def _succeeded(self) -> None:
        self._storage.reset_counter()
        self._window.note(failed=False)

    def _failed(self) -> None:
        self._storage.increment_counter()
        self._window.note(failed=True)
        cause = self._why_open()
        if cause:
            self._open(cause)

    def _trial_returned(self) -> None:
        self._trials -= 1

    def _trial_succeeded(self) -> None:
        self._storage.increment_success_counter()
        if self._storage.success_counter >= self.policy.trial_calls:
            self._change(self._circuit.close)

    def _trial_failed(self) -> None:
        self._open("the trial call failed")

    def _why_open(self) -> str:
        policy, window = self.policy, self._window
        if self._storage.counter >= policy.consecutive_failures:
            return f"{self._storage.counter} failures in a row"
        enough = len(window) >= min(policy.minimum_calls, policy.window_calls)
        if enough and window.rate >= policy.failure_rate:
            return f"{window.failures} of the last {len(window)} calls failed"
        return ""

    def _open(self, cause: str) -> None:
        self._reason = f"{cause}, the last with {self._last_error}"
        self._trial_at = self._clock() + self.policy.open_seconds
        self._change(self._circuit.open)

    def _change(self, transition: Callable[[], object]) -> None:
        self.generation += 1
        self._trials = 0
        self._window.clear()
        transition()


#: (state, result) → what to do. Nothing is admitted when open, so nothing of that generation can end there.
_SETTLE: dict[tuple[str, _Result], Callable[[Breaker], None]] = {
    (STATE_CLOSED, _Result.SUCCESS): Breaker._succeeded,  # noqa: SLF001 - the table belongs to the class
    (STATE_CLOSED, _Result.FAILURE): Breaker._failed,  # noqa: SLF001
    (STATE_CLOSED, _Result.NEUTRAL): Breaker._ignore,  # noqa: SLF001
    (STATE_HALF_OPEN, _Result.SUCCESS): Breaker._trial_succeeded,  # noqa: SLF001
    (STATE_HALF_OPEN, _Result.FAILURE): Breaker._trial_failed,  # noqa: SLF001
    (STATE_HALF_OPEN, _Result.NEUTRAL): Breaker._trial_returned,  # noqa: SLF001
}
