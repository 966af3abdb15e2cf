"""What a second run on unchanged items costs, against the first.

    python benchmarks/incremental.py [--json] [--items 1000] [--seconds 0.05] [--rounds 3]

Each item takes an agent so many seconds, all at work side by side as far as the job lets them; the second run keeps all
of them. Wall time of a whole run, from the call to its result; the ratio of both is taken in one round, the median of
all rounds is printed. Prefect's picture is left out, since it is drawn by a process of its own.
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time

from pydantic import BaseModel

from echelon import Handoffs, Job, Unchanged, agent, integrator

CLAIM = "Keeping a thousand items takes less than half of the time of doing them, where each takes 0.05 s"


class Size(BaseModel):
    """Inputs of the job."""

    items: int = 1000
    seconds: float = 0.05


def numbers(items: int) -> list[int]:
    """Find the items."""
    return list(range(items))


@agent
async def work(item: int, seconds: float) -> int:
    """Take a while for one item."""
    await asyncio.sleep(seconds)
    return item


@integrator
async def add(done: Handoffs[int]) -> int:
    """Add up."""
    return sum(done.outputs())


def incremental() -> Job:
    """Make a job that keeps what it may."""
    job = Job("incremental", goal="Take a while", inputs=Size)
    job.phase("work", each=work, over=numbers, integrate=add, reuse=Unchanged(by=lambda item: f"{item}"))
    return job


async def timed(size: Size) -> tuple[float, int]:
    """Return the seconds that a run takes, and how many items it kept."""
    began = time.perf_counter()
    result = await incremental().run(items=size.items, seconds=size.seconds)
    return time.perf_counter() - began, result.measures.kept


async def measured(size: Size, rounds: int) -> dict[str, float]:
    """Return the medians of all rounds, each in a home of its own."""
    pairs: list[tuple[float, float]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as home:
            os.environ["ECHELON_HOME"] = home
            first, none = await timed(size)
            second, kept = await timed(size)
        assert (none, kept) == (0, size.items), f"kept {none} and {kept} of {size.items}"
        pairs.append((first, second))
    return {
        "first_seconds": statistics.median(first for first, _ in pairs),
        "second_seconds": statistics.median(second for _, second in pairs),
        "ratio": statistics.median(second / first for first, second in pairs),
    }


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    os.environ["ECHELON_PICTURE"] = "false"
    found = asyncio.run(measured(Size(items=given.items, seconds=given.seconds), given.rounds))
    if given.json:
        print(json.dumps(found))
        return
    print(CLAIM)
    print(f"first {found['first_seconds']:.2f} s, second {found['second_seconds']:.2f} s: x {found['ratio']:.2f}")


if __name__ == "__main__":
    main()
