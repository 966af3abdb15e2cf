"""A breaker: refuses calls to a dependency that failed too often, and tries it again with a few calls (F1).

States, storage and listeners are pybreaker's; its `call()` is not used, because that holds a lock during the guarded
call, counts failures in a row only, lets every waiting caller through when half-open and counts a cancellation as a
failure. Here admission and outcome are short, and the call between them runs unlocked.

    closed ──too many failures or slow calls──▶ open ──its time──▶ half-open ──all probes succeed──▶ closed
                                                 ▲─────────────────a probe fails────────┘

Its state is this process's own or, with a store, that of several; a closed breaker never waits for the store.
"""

import asyncio
import math
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from pybreaker import STATE_CLOSED, STATE_HALF_OPEN, STATE_OPEN, CircuitBreakerListener

from echelon.model.errors import BreakerOpen
from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker.fleet import Fleet
from echelon.resilience.breaker.permit import Permit
from echelon.resilience.breaker.results import BadResult, Judge, blames, good
from echelon.resilience.breaker.shared import SharedBreaker
from echelon.resilience.breaker.store import BreakerRecord, SharedStore
from echelon.resilience.line import WaitingLine

__all__ = ["Breaker", "Permit"]


#: After a refused probe the store is left alone for so long, so that a crowd does not queue for it.
ASK_AGAIN_SECONDS = 0.1


class Breaker(SharedBreaker):
    """The breaker of one dependency, shared by everybody who calls it, from any thread or event loop.

    `counts` says which errors blame the dependency; other errors are neutral, as is a cancellation. `bad_result` says
    what is wrong with a result that came without an error. Listeners are pybreaker's (`state_change`, `failure`,
    `success`) or ours (`BreakerListener`); they run under the lock, so they must be short and not raise.
    """

    def __init__(
        self,
        name: str,
        policy: BreakerPolicy | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        counts: Callable[[Exception], bool] = blames,
        bad_result: BadResult = good,
        listeners: Sequence[CircuitBreakerListener] = (),
        rng: random.Random | None = None,
        fleet: Fleet | None = None,
        store: SharedStore | None = None,
    ) -> None:
        super().__init__(name, policy or BreakerPolicy(), clock=clock, listeners=listeners, rng=rng, fleet=fleet)
        self._judge = Judge(name, self.policy, counts, bad_result)
        self._link = store.join(self) if store else None
        #: Callers that wait for a probe instead of being refused.
        self.line = WaitingLine(f"breaker {name}", self.probe_in)

    @property
    def refuses(self) -> bool:
        """Would a call be refused at this moment?"""
        return self.probe_in() > 0

    def probe_in(self) -> float:
        """Return the seconds until a call is worth a try: 0 when one may be admitted, infinite when a person opened it.

        A probe that is under way may end at any time, so that it is worth looking again soon.
        """
        with self.lock:
            now = self.clock()
            if self.state == STATE_CLOSED:
                return 0.0
            if self.isolated:
                return math.inf
            due_at = max(self.probe_at, self.ask_at)
            if self.state == STATE_OPEN:
                return max(0.0, due_at - now)
            free = now >= due_at if self.shares else self.probes.is_free(now)
            return 0.0 if free else ASK_AGAIN_SECONDS

    def admit(self) -> Permit:
        """Give the right to make one call, or raise `BreakerOpen` with the reason and the time of the next probe.

        Waits for the store, some milliseconds, for a probe only; in an event loop use `enter`.
        """
        answer = self._admit_or_ask()
        return answer if isinstance(answer, Permit) else answer.result()

    async def enter(self) -> Permit:
        """Do as `admit` does, without ever blocking the event loop."""
        answer = self._admit_or_ask()
        if isinstance(answer, Permit):
            return answer
        try:
            return await asyncio.wrap_future(answer)
        except asyncio.CancelledError:
            answer.add_done_callback(_give_back)  # it may be granted all the same
            raise

    def settle(
        self,
        generation: int,
        error: BaseException | None,
        *,
        token: str | None = None,
        value: object = None,
        seconds: float = 0.0,
    ) -> None:
        """Take the outcome of a call admitted in `generation`; a late one, from before a change, says nothing."""
        if generation != self.generation:
            return
        judged = self._judge.judge(error, value, seconds)
        with self.lock:
            if generation == self.generation:
                self.probes.leave(token)
                self.take(judged, token)

    def isolate(self, reason: str, by: str = "") -> None:
        """Refuse all calls, whatever the policy says, until `reset`; `by` names who wants it."""
        with self.lock:
            self.open_by_hand(reason, by)
            self.publish(always=True)

    def reset(self) -> None:
        """Close it and forget the past."""
        with self.lock:
            self.recover()
            self.trips = 0
            self.publish(always=True)

    def attach(self, listener: CircuitBreakerListener) -> None:
        """Tell a listener of all that happens from now on."""
        with self.lock:
            self._circuit.add_listener(listener)

    def detach(self, listener: CircuitBreakerListener) -> None:
        """Tell it nothing more; when this returns, none of its methods is at work."""
        with self.lock:
            self._circuit.remove_listener(listener)

    def admit_here(self) -> Permit:
        """Decide by what is known in this process alone."""
        with self.lock:
            now = self.clock()
            if self.state == STATE_OPEN and not self.isolated and now >= self.probe_at and not self.shares:
                self.change(STATE_HALF_OPEN)
            if self.state == STATE_CLOSED:
                return Permit(self, self.generation, now)
            token = None
            if self.state == STATE_HALF_OPEN and not self.shares:
                token = self.probes.take(now, self.policy.probe_seconds)
            if token is None:
                raise self.refusal()
            return Permit(self, self.generation, now, token)

    def grant(self, record: BreakerRecord, token: str | None) -> Permit:
        """Make the permit for a probe that the store gave a slot for; `BreakerOpen` when it gave none."""
        with self.lock:
            self.follow(record)
            now = self.clock()
            if self.state == STATE_CLOSED:
                return Permit(self, self.generation, now)
            if token is None or self.state != STATE_HALF_OPEN:
                self.ask_at = now + ASK_AGAIN_SECONDS
                raise self.refusal()
            self.probes.hold(token, now + self.policy.probe_seconds)
            return Permit(self, self.generation, now, token)

    def refusal(self) -> BreakerOpen:
        """Make the error that says why a call is refused, and when it is worth asking again."""
        now = self.clock()
        if self.isolated:
            return BreakerOpen(self.name, self.reason, math.inf)
        if self.state == STATE_HALF_OPEN:
            wait = min(self.policy.open_seconds, self.probes.next_in(now, self.policy.open_seconds))
            return BreakerOpen(self.name, f"{self.reason}; probes are under way", wait)
        return BreakerOpen(self.name, self.reason, max(0.0, max(self.probe_at, self.ask_at) - now))

    def must_ask(self) -> bool:
        """Say whether the store has to be asked now: for a probe, and not when it just said no."""
        with self.lock:
            due = self.state == STATE_HALF_OPEN or (self.state == STATE_OPEN and self.clock() >= self.probe_at)
            return due and self.shares and not self.isolated and self.clock() >= self.ask_at

    def _admit_or_ask(self) -> "Permit | Future[Permit]":
        with self.lock:
            if self.state == STATE_CLOSED:
                return Permit(self, self.generation, self.clock())
            if self._link is None or not self.must_ask():
                return self.admit_here()
            return self._link.ask()


def _give_back(answer: "Future[Permit]") -> None:
    if not answer.cancelled() and answer.exception() is None:
        answer.result().end(asyncio.CancelledError())
