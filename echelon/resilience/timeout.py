"""The time one attempt may take (F4)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from echelon.model.errors import AgentTimeout

T = TypeVar("T")


async def within(seconds: float, work: Callable[[], Awaitable[T]]) -> T:
    """Do `work`, and cancel it with `AgentTimeout` after so many seconds; a `TimeoutError` of its own is left alone."""
    scope = asyncio.timeout(seconds)
    try:
        async with scope:
            return await work()
    except TimeoutError as error:
        if scope.expired():
            raise AgentTimeout(seconds) from error
        raise
