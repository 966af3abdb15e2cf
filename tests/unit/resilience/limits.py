"""Work within a limit of time, for the tests of limits."""

from echelon.resilience.timeout import time_limit


async def within(seconds, work, *, idle_seconds=None):
    async with time_limit(seconds, idle_seconds=idle_seconds):
        return await work()
