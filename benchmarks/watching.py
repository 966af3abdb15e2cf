"""What it costs to watch a run: who is late, short, silent or unlike the others, beside the run itself (V9).

    python benchmarks/watching.py [--json] [--agents 1000] [--rounds 15]

The same run of many small agents in nine domains, each with a stated duration, is made with watching and without, in
turns and in another order every round; its journal is a real one. Nothing is late, as in most runs: what is measured
is the price of looking. Processor time of the whole process counts, and overhead is what lies above the agents' own
work, which is none here. The ratio is the additional share; at most 0.05 is the aim. Of each side the quicker third of
the rounds counts: other programs take caches and clock away, and never give any.
What watching measures of itself while it looks (`itself`) is steadier, and leaves out what it puts on record.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))

from pydantic import BaseModel

from echelon import Job, agent
from echelon.coordination import job_run
from echelon.coordination.context import RunContext
from echelon.coordination.sync import point
from echelon.coordination.watching.outlying import find_outliers
from echelon.testing.runs import a_run

AIM = 0.05

CLAIM = "watching a run costs at most 5 % of its overhead per agent"


class Wide(BaseModel):
    """How many agents there are."""

    agents: int = 1000


def each(agents: int) -> list[int]:
    """Return an item for each agent."""
    return list(range(agents))


@agent
async def look(item: int) -> int:
    """Do what takes no processor time."""
    await asyncio.sleep(0.005)
    return item


wide = Job("wide", goal="Look at everything", inputs=Wide, max_concurrency=100)
wide.phase("look", each=look, over=each, domain=lambda item: f"d{item % 9}", seconds=60)


@contextlib.asynccontextmanager
async def nobody_watches(_run: RunContext) -> AsyncGenerator[None]:
    """Take the place of watching."""
    yield


@contextlib.contextmanager
def watching(*, on: bool) -> Any:
    """Switch watching off in the block, or leave it on."""
    if on:
        yield
        return
    steps = tuple(step for step in point.STEPS if step is not find_outliers)
    with mock.patch.object(job_run, "exceptions_on_record", nobody_watches), mock.patch.object(point, "STEPS", steps):
        yield


async def processor_seconds(agents: int, *, on: bool) -> tuple[float, float]:
    """Return the processor time of one run, without planning it, and what watching says that it took of it."""
    with tempfile.TemporaryDirectory() as folder, watching(on=on):
        async with a_run(wide, Path(folder), Wide(agents=agents)) as run:
            gc.collect()
            began = time.process_time()
            await job_run.run_phases(run)
            took = time.process_time() - began
            return took, sum(one.processor_seconds for one in run.log.state.watches)


def quick(seconds: list[float]) -> float:
    """Return the mean of the quicker third."""
    return statistics.mean(sorted(seconds)[: max(1, len(seconds) // 3)])


async def measure(agents: int, rounds: int) -> dict[str, Any]:
    """Measure both sides in turns."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    itself: list[float] = []
    for on in (True, False):
        await processor_seconds(min(agents, 200), on=on)  # what is made once is made
    for number in range(rounds):
        for on in (True, False) if number % 2 else (False, True):
            took, looking = await processor_seconds(agents, on=on)
            taken[on].append(took)
            itself += [looking / (took - looking)] if on else []
    points = [
        {"watching": on, "milliseconds_per_agent": round(quick(taken[on]) / agents * 1000, 4)} for on in (False, True)
    ]
    return {
        "claim": CLAIM,
        "agents": agents,
        "points": points,
        "itself": round(statistics.median(itself), 4),
        "ratio": round(quick(taken[True]) / quick(taken[False]) - 1, 4),
    }


def main() -> None:
    """Print the measurement, for people or as JSON."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--agents", type=int, default=1000, help="agents of each run")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each side")
    options = parser.parse_args()
    result = asyncio.run(measure(options.agents, options.rounds))
    if options.json:
        print(json.dumps(result))
        return
    for side in result["points"]:
        print(f"{side['milliseconds_per_agent']:8.3f} ms an agent  {'watched' if side['watching'] else 'not watched'}")
    print(f"what it measures of itself: {result['itself']:.1%}")
    print(f"more: {result['ratio']:.1%} ({'holds' if result['ratio'] <= AIM else 'does not hold'}: {CLAIM})")


if __name__ == "__main__":
    main()
