"""The rung that keeps calls within the rate of their provider; one that comes too early waits at the door (F5)."""

from typing import Any

from echelon.resilience.progress import CallProgress
from echelon.resilience.rate import RateLimiter, RateReached
from echelon.resilience.retry import Sleep


class RateRung:
    """Every attempt is a request, and what all of them used is settled behind the call."""

    def __init__(self, limiter: RateLimiter, sleep: Sleep) -> None:
        self._limiter = limiter
        self._sleep = sleep

    async def enter(self, call: CallProgress[Any]) -> None:
        """Take the time of the first request; `RateReached` when it is not yet time, or others wait for it already."""
        if call.reservation is not None and call.reservation.final_call:
            await self.again(call)  # what it reserved is given once: it cannot climb again
            return
        line = self._limiter.line
        overtakes = line.waiting and not (call.position and call.position.is_first_in(line))
        if overtakes or not self._limiter.take(call.tokens or 0):
            raise RateReached(self._limiter)
        call.paced = 1

    async def again(self, call: CallProgress[Any]) -> None:
        """Wait for the time of another request of a call that has passed the door."""
        call.paced += 1
        seconds = self._limiter.reserve(call.tokens or 0)
        if seconds > 0:
            await self._sleep(seconds)
            call.note_wait(self._limiter.line.name, seconds, self._limiter.line.waiting)

    async def leave(self, call: CallProgress[Any], error: BaseException | None) -> None:  # noqa: ARG002 - used all the same
        """Settle what was used; a call that was not made used nothing, and tokens that nobody told stay as expected."""
        used = call.usage(0.0)
        expected = (call.tokens or 0) * call.paced
        tokens = 0 if not call.attempts else expected if used.tokens is None else used.tokens
        self._limiter.settle(requests=used.calls - call.paced, tokens=tokens - expected)
        call.paced = 0
