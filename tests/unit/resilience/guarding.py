"""Builds guarded calls for the tests of the guard."""

import asyncio
import random
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from echelon.model.policy import Resilience
from echelon.model.usage import Usage
from echelon.resilience.guard import CallResult, Guard
from echelon.testing.clock import FakeClock

DOWN = ConnectionError("connection refused")

T = TypeVar("T")

Work = Callable[[], Awaitable[Any]]


@dataclass
class Told:
    usage: Usage


def script(*steps: Any, clock: FakeClock | None = None) -> Callable[[], Awaitable[Any]]:
    """Return work that raises or returns one step after the other, each after a second of the clock."""
    left = list(steps)

    async def work() -> Any:
        if clock:
            clock.advance(1)
        step = left.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step

    return work


def guarded(work: Callable[[], Awaitable[Any]], clock: FakeClock, policy: Any = None, **parts: Any) -> CallResult[Any]:
    guard = Guard(policy or Resilience(), rng=random.Random(1), clock=clock, sleep=clock.sleep, **parts)
    return asyncio.run(guard.call(work))


def most_at_once(callers: Callable[[Work], Iterable[Awaitable[Any]]], seconds: float = 0) -> int:
    """Let all callers do the same work at the same time, and return how many of them were at it at most."""
    under_way = most = 0

    async def work() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(seconds)
        under_way -= 1

    async def crowd() -> None:
        await asyncio.gather(*callers(work))

    asyncio.run(crowd())
    return most


class _NoTimePasses(selectors.DefaultSelector):
    """Never waits: when nothing else is to be done, the loop's time goes on to the next timer."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += max(0.0, timeout or 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is made of its timers alone, so that minutes pass at once and always alike."""

    def __init__(self) -> None:
        self._virtual = _NoTimePasses()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def in_virtual_time(crowd: Callable[[Callable[[], float]], Coroutine[Any, Any, T]]) -> T:
    """Run something that is given a clock; all it sleeps takes no time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(crowd(runner.get_loop().time))
