"""The states of a breaker and what leads from one to another (F1). All methods expect its lock to be held."""

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

from pybreaker import (
    STATE_CLOSED,
    STATE_HALF_OPEN,
    STATE_OPEN,
    CircuitBreaker,
    CircuitBreakerListener,
    CircuitMemoryStorage,
)

from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker.evidence import FailureEvidence
from echelon.resilience.breaker.fleet import Fleet
from echelon.resilience.breaker.listener import BreakerListener
from echelon.resilience.breaker.probes import Probes
from echelon.resilience.breaker.results import Judged, Result
from echelon.resilience.breaker.store import BreakerRecord, Ended, Link
from echelon.resilience.breaker.timing import open_seconds_of

#: How much of the last error is quoted in a refusal, in characters.
QUOTED_CHARACTERS = 200


def isolation(why: str, by: str) -> str:
    """Say that a person opened a breaker, who and why."""
    return f"isolated by {by}: {why}" if by else f"isolated: {why}"


class BreakerMachine:
    """What a breaker knows, and how it changes."""

    def __init__(
        self,
        name: str,
        policy: BreakerPolicy,
        *,
        clock: Callable[[], float],
        listeners: Sequence[CircuitBreakerListener],
        rng: random.Random | None,
        fleet: Fleet | None,
    ) -> None:
        self.name = name
        self.policy = policy
        self.clock = clock
        self.lock = threading.RLock()
        #: Counts the changes of state; an outcome counts in the generation that its call was admitted in.
        self.generation = 0
        #: Why it opened last; empty when it never did.
        self.reason = ""
        #: Why a person opened it; empty when nobody did.
        self.isolated = ""
        #: Who that was; empty when not known.
        self.isolated_by = ""
        #: Why it lets calls through although it should be open; empty when it does not.
        self.degraded = ""
        #: Openings in a row, without a recovery that lasted.
        self.trips = 0
        #: When the first probe may be made, by its clock.
        self.probe_at = 0.0
        #: When the store may be asked again, by its clock.
        self.ask_at = 0.0
        self.probes = Probes(policy.half_open_calls)
        self._link: Link | None = None
        self._epoch = 0
        self._not_followed = -1
        self._unpublished = 0
        self._closed_at: float | None = None
        self._open_seconds = 0.0
        self._rng = rng or random.Random()  # noqa: S311 - spreads probes, protects nothing
        self._fleet = fleet or Fleet()
        self._fleet.add(name)
        self._storage = CircuitMemoryStorage(STATE_CLOSED)
        self._circuit = CircuitBreaker(name=name, state_storage=self._storage, listeners=listeners)
        self._evidence = FailureEvidence(policy, self._storage)

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`; an open breaker becomes half-open with the first call after its time."""
        return self._storage.state

    @property
    def shares(self) -> bool:
        """Is its state shared with other processes at this moment?"""
        return self._link is not None and self._link.up

    @property
    def shared(self) -> str:
        """Who knows its state: all that use the same `redis`, or this `process` only."""
        return "redis" if self.shares else "process"

    def take(self, judged: Judged, token: str | None) -> None:
        """Take the outcome of a call of this generation."""
        self._tell(judged)
        if self.state == STATE_HALF_OPEN and self._link is not None and self._link.up and token is not None:
            self._link.settle(self.generation, self._ended(judged.result, token))
        else:
            self.decide(judged)

    def decide(self, judged: Judged) -> None:
        """Do what follows from an outcome in this state."""
        _TAKE[self.state, judged.result](self, judged)

    def open_by_hand(self, why: str, by: str) -> None:
        """Open without an end."""
        news = (why, by) != (self.isolated, self.isolated_by)
        self._fleet.isolated(self.name)
        self.isolated, self.isolated_by = why, by
        self.reason = isolation(why, by)
        self.change(STATE_OPEN)
        if news:
            self.tell(lambda listener: listener.isolated(self.name, self.reason))

    def recover(self) -> None:
        """Close."""
        self.isolated = self.isolated_by = ""
        self._degrade("")
        self._closed_at = self.clock()
        self.change(STATE_CLOSED)

    def change(self, state: str) -> None:
        """Begin a new generation, in a state that may be the same."""
        self.generation += 1
        self.probes = Probes(self.policy.half_open_calls)
        self._evidence.clear()
        if state == STATE_CLOSED:
            self._fleet.leave(self.name)
        if state != self.state:
            _CHANGE[state](self._circuit)

    def tell(self, event: Callable[[BreakerListener], None]) -> None:
        """Tell the listeners of ours what pybreaker's know nothing of."""
        for listener in self._listeners:
            if isinstance(listener, BreakerListener):
                event(listener)

    def publish(self, *, always: bool = False) -> None:
        """Tell the state to the other processes."""
        if self._link is not None and self._link.up:
            self._unpublished += 1
            self._link.publish(self.record(), always=always)

    def record(self) -> BreakerRecord:
        """Return what others are told."""
        return BreakerRecord(
            state=self.state,
            epoch=self._epoch,
            probe_in_seconds=max(0.0, self.probe_at - self.clock()),
            trips=self.trips,
            reason=self.reason,
            isolated=self.isolated,
            isolated_by=self.isolated_by,
        )

    def _tell(self, judged: Judged) -> None:
        if judged.error is not None:
            self._evidence.last_error = f"{type(judged.error).__name__}: {str(judged.error)[:QUOTED_CHARACTERS]}"
            for listener in self._listeners:
                listener.failure(self._circuit, judged.error)
        elif judged.result is not Result.NEUTRAL:
            for listener in self._listeners:
                listener.success(self._circuit)

    @property
    def _listeners(self) -> Sequence[CircuitBreakerListener]:
        # pybreaker types them without saying of what.
        return cast("Sequence[CircuitBreakerListener]", cast("Any", self._circuit).listeners)

    def _ended(self, result: Result, token: str) -> Ended:
        seconds = open_seconds_of(self.policy, self.trips + 1, self._rng)
        reason = self._reason_of(result)
        return Ended(epoch=self._epoch, token=token, result=result, open_seconds=seconds, reason=reason)

    def _reason_of(self, result: Result) -> str:
        failed = result is Result.FAILURE
        return self._evidence.quoted("the probe failed") if failed else "the probes were slow"

    def ignore(self, _judged: Judged) -> None:
        """A neutral outcome changes nothing; the slot of a probe was given back already."""

    def note_outcome(self, judged: Judged) -> None:
        """Take an outcome of a closed breaker; a good one never opens it, but may show that it need not be open."""
        failed = judged.result is Result.FAILURE
        self._evidence.note(failed=failed, slow=judged.slow, at=self.clock())
        if failed or judged.slow or self.degraded:
            cause = self._evidence.cause()
            if not cause:
                self._degrade("")
            elif failed or judged.slow:
                self._open(cause)

    def pass_probe(self, judged: Judged) -> None:
        """Take a probe that succeeded: enough of them close the breaker, unless they were slow."""
        self.probes.succeeded(slow=judged.slow)
        if not self.probes.complete:
            return
        if self.probes.slow_rate >= self.policy.slow_call_rate:
            self._open(self._reason_of(judged.result))
        else:
            self.recover()
            self.publish()

    def fail_probe(self, judged: Judged) -> None:
        """Take a probe that failed: the breaker opens again."""
        self._open(self._reason_of(judged.result))

    def _open(self, reason: str) -> None:
        if self._must_stay_closed(reason):
            return
        # A dependency that fails again sooner than it was left alone for has not recovered.
        lasted = self._closed_at is None or self.clock() - self._closed_at >= self._open_seconds
        self.trips = 1 if self.state == STATE_CLOSED and lasted else self.trips + 1
        self.reason = reason
        self._open_for(open_seconds_of(self.policy, self.trips, self._rng))
        self.change(STATE_OPEN)
        self.publish()

    def _must_stay_closed(self, reason: str) -> bool:
        refused = "metrics only" if self.policy.metrics_only else self._fleet.enter(self.name, self.policy)
        self._degrade(f"{reason}; not opened: {refused}" if refused else "")
        return bool(refused)

    def _open_for(self, seconds: float) -> None:
        self._open_seconds = seconds
        self.probe_at = self.clock() + seconds

    def _degrade(self, why: str) -> None:
        told, self.degraded = self.degraded, why
        if bool(told) != bool(why):
            self.tell(lambda listener: listener.degraded(self.name, why))


_CHANGE: dict[str, Callable[[CircuitBreaker], object]] = {
    STATE_CLOSED: CircuitBreaker.close,
    STATE_OPEN: CircuitBreaker.open,
    STATE_HALF_OPEN: CircuitBreaker.half_open,
}

#: (state, result) → what to do. Nothing is admitted when open, so nothing of that generation can end there.
_TAKE: dict[tuple[str, Result], Callable[[BreakerMachine, Judged], None]] = {
    (STATE_CLOSED, Result.SUCCESS): BreakerMachine.note_outcome,
    (STATE_CLOSED, Result.SLOW): BreakerMachine.note_outcome,
    (STATE_CLOSED, Result.FAILURE): BreakerMachine.note_outcome,
    (STATE_CLOSED, Result.NEUTRAL): BreakerMachine.ignore,
    (STATE_HALF_OPEN, Result.SUCCESS): BreakerMachine.pass_probe,
    (STATE_HALF_OPEN, Result.SLOW): BreakerMachine.pass_probe,
    (STATE_HALF_OPEN, Result.FAILURE): BreakerMachine.fail_probe,
    (STATE_HALF_OPEN, Result.NEUTRAL): BreakerMachine.ignore,
}
