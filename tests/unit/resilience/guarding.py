"""Builds guarded calls for the tests of the guard."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from echelon.model.policy import Resilience
from echelon.model.usage import Usage
from echelon.resilience.guard import Guard, Verdict
from echelon.testing.clock import FakeClock

DOWN = ConnectionError("connection refused")


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


def guarded(work: Callable[[], Awaitable[Any]], clock: FakeClock, policy: Any = None, **parts: Any) -> Verdict[Any]:
    guard = Guard(policy or Resilience(), rng=random.Random(1), clock=clock, sleep=clock.sleep, **parts)
    return asyncio.run(guard.call(work))
