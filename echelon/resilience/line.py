"""The line before the door of a dependency: those who must wait for a time come in turn, and hold nothing meanwhile.

Only the first in line looks at the time, and only it goes on when the time has come. When it has passed the door, or
has given up, the next one is first. Tenants, domains for instance, are served one after the other (F5).
"""

import asyncio
from collections.abc import Callable
from math import inf

from echelon.model.policy import BulkheadPolicy
from echelon.resilience.bulkhead import Bulkhead
from echelon.resilience.retry import Sleep

#: The first in line looks again after so long at most: what it waits for may come sooner, or later.
LOOK_AGAIN_SECONDS = 0.25


class TooLate(Exception):
    """What is waited for comes after the deadline."""


class LinePosition:
    """Where one call stands: first in one line, or in none."""

    __slots__ = ("_first_in", "_priority", "_tenant")

    def __init__(self, tenant: str = "", priority: int = 0) -> None:
        self._tenant = tenant
        self._priority = priority
        self._first_in: WaitingLine | None = None

    def is_first_in(self, line: "WaitingLine") -> bool:
        """Is it the first in that line?"""
        return self._first_in is line

    async def come(self, line: "WaitingLine", left: Callable[[], float]) -> None:
        """Become the first in a line; `TooLate` when that takes longer than is `left`, in seconds."""
        if self._first_in is line:
            return
        self.end()
        await line.enter(self._tenant, left(), self._priority)
        self._first_in = line

    def end(self) -> None:
        """Let the next one be first; does nothing for who is first in no line."""
        line, self._first_in = self._first_in, None
        if line is not None:
            line.leave(self._tenant, self._priority)


class WaitingLine:
    """Those who wait for one thing, from any thread or event loop. `ready_in` says in how many seconds it comes."""

    def __init__(self, name: str, ready_in: Callable[[], float]) -> None:
        self.name = name
        self._ready_in = ready_in
        self._turns = Bulkhead(name, BulkheadPolicy(max_concurrency=1, max_queue=None))

    @property
    def waiting(self) -> int:
        """Calls in line, the first one included."""
        return self._turns.at_work + self._turns.waiting

    async def wait(self, position: LinePosition, left: Callable[[], float], sleep: Sleep) -> None:
        """Return when a call is first and its time has come; `TooLate` when that is beyond what it has `left`.

        Whoever is first stays it until its position is given up, so that no other comes before it.
        """
        self._check(left())
        await position.come(self, left)
        while (seconds := self._check(left())) > 0:
            await sleep(min(seconds, LOOK_AGAIN_SECONDS))

    async def enter(self, tenant: str, seconds: float, priority: int = 0) -> None:
        """Become the first within so many seconds, or raise `TooLate`."""
        try:
            async with asyncio.timeout(None if seconds == inf else seconds):
                await self._turns.enter(tenant, priority)
        except TimeoutError as error:
            raise TooLate from error

    def leave(self, tenant: str, priority: int = 0) -> None:
        """Let the next one be first."""
        self._turns.leave(tenant, priority)

    def _check(self, left: float) -> float:
        seconds = self._ready_in()
        if seconds == inf or seconds > left or left <= 0:
            raise TooLate
        return seconds
