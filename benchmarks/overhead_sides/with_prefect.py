"""Plain Prefect: a flow that gathers one task an agent, and adds up."""

import asyncio
import sys
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.overhead_sides.timing import WARM, overhead_of
from benchmarks.sides import answer


@task(cache_policy=NO_CACHE, persist_result=False)
async def wait(number: int, seconds: float) -> int:  # noqa: ARG001 - the number only makes the agents different
    """Wait, as for a model."""
    await asyncio.sleep(seconds)
    return 1


@flow(name="plain", persist_result=False)
async def plain(agents: int, seconds: float) -> int:
    """Run all agents side by side and add up."""
    return sum(await asyncio.gather(*(wait(number, seconds) for number in range(agents))))


if __name__ == "__main__":
    answer(overhead_of(plain), WARM)
