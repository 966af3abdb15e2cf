"""Echelon, by its public door: plan, journal, contracts, guard, integration, report."""

import asyncio
import sys
from pathlib import Path

from pydantic import BaseModel

from echelon import Handoffs, Job, agent, integrator

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.overhead_sides.timing import WARM, overhead_of
from benchmarks.sides import answer


class Size(BaseModel):
    """Inputs of the job."""

    agents: int
    seconds: float


class Count(BaseModel):
    """What an agent hands on."""

    agents: int


@agent
async def wait(item: int, seconds: float) -> Count:  # noqa: ARG001 - the item only makes the agents different
    """Wait, as for a model."""
    await asyncio.sleep(seconds)
    return Count(agents=1)


@integrator
async def count(parts: Handoffs[Count]) -> Count:
    """Add up."""
    return Count(agents=sum(part.agents for part in parts.outputs()))


@count.combine
async def count_up(parts: Handoffs[Count]) -> Count:
    """Add up what was added up below."""
    return Count(agents=sum(part.agents for part in parts.outputs()))


def numbers(agents: int) -> list[int]:
    """Find the items."""
    return list(range(agents))


waiting = Job("waiting", goal="Wait side by side", inputs=Size)
waiting.phase("wait", each=wait, over=numbers, integrate=count_up)


async def run(agents: int, seconds: float) -> int:
    """Run the job; as many agents as there are may work at one time (ECHELON_MAX_CONCURRENCY)."""
    result = await waiting.run(agents=agents, seconds=seconds)
    if result.missing:
        raise SystemExit(f"the run is {result.status}: {result.missing}")
    return Count.model_validate(result.output).agents


if __name__ == "__main__":
    answer(overhead_of(run), WARM)
