"""What an agent costs beyond its own work: Echelon with everything on against plain Prefect, in one run.

    python benchmarks/overhead.py [--json] [--agents 10 100 1000] [--seconds 0.5] [--rounds 3]

Both run the same agents (each waits `--seconds`) at the same time, each side in a process of its own, in turns, on one
Prefect server. Overhead is wall time beyond the ideal (`--seconds`), divided by the agents; of several rounds the
median. Echelon's side is a whole `run_job`: plan, journal, contracts, guard, progress, integration, report. Plain
Prefect's is a flow that gathers one task an agent, with its logging as quiet as ours.
"""

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from echelon import Handoffs, Job, agent, integrator
from echelon.engine.run import RunOptions, run_job
from echelon.visibility.progress import Progress

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script finds what it shares with others

from benchmarks.sides import SIDES, Side, answer, two_sides

CLAIM = "An agent costs at most 0.35 of what it costs on plain Prefect at 1,000 agents, and no more at 10"


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


async def echelon_run(agents: int, seconds: float) -> None:
    """Run the agents as a job."""
    progress = Progress()
    options = RunOptions(max_concurrency=agents, observe=progress.apply)
    result = await run_job(waiting, Size(agents=agents, seconds=seconds), options)
    if result.output != {"agents": agents} or progress.phases["wait"].done != agents:
        raise SystemExit(f"the run delivered {result.output} instead of {agents} agents")


async def prefect_run(agents: int, seconds: float) -> None:
    """Run the agents as tasks of one flow."""
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE

    @task(cache_policy=NO_CACHE, persist_result=False)
    async def wait_task(number: int, seconds: float) -> int:  # noqa: ARG001
        await asyncio.sleep(seconds)
        return 1

    @flow(name="plain", persist_result=False)
    async def plain(agents: int, seconds: float) -> int:
        return sum(await asyncio.gather(*(wait_task(number, seconds) for number in range(agents))))

    if await plain(agents, seconds) != agents:
        raise SystemExit("the plain flow did not run all agents")


async def overhead_of(run: Callable[[int, float], Awaitable[None]], agents: int, seconds: float) -> list[float]:
    """Run the agents; return milliseconds of overhead an agent, and megabytes at the peak so far."""
    began = time.perf_counter()
    await run(agents, seconds)
    overhead = (time.perf_counter() - began - seconds) / agents * 1000
    return [overhead, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]


def compare(sizes: list[int], seconds: float, rounds: int, folder: str) -> list[dict[str, Any]]:
    """Alternate both sides, so that noise of the machine meets both."""
    with two_sides(__file__, folder, "WARNING") as (plain, ours):
        return [point(plain, ours, agents, seconds, rounds) for agents in sizes]


def point(plain: Side, ours: Side, agents: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Measure both sides at one number of agents."""
    given, rest_seconds = (agents, seconds), 1.0 + agents / 200
    measured = [(plain.measure(given, rest_seconds), ours.measure(given, rest_seconds)) for _ in range(rounds)]
    prefect_ms = statistics.median(pair[0][0] for pair in measured)
    echelon_ms = statistics.median(pair[1][0] for pair in measured)
    found = {
        "agents": agents,
        "prefect_ms": round(prefect_ms, 3),
        "echelon_ms": round(echelon_ms, 3),
        "ratio": round(echelon_ms / prefect_ms, 3),
        "echelon_peak_mb": round(measured[-1][1][1]),
    }
    print(found, file=sys.stderr)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--agents", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run = {"prefect": prefect_run, "echelon": echelon_run}[options.side]
        answer(lambda given: overhead_of(run, *given), warm=(10, 0.01))
        return
    with tempfile.TemporaryDirectory() as folder:
        points = compare(options.agents, options.seconds, options.rounds, folder)
    report = {"claim": CLAIM, "points": points, "ratio": points[-1]["ratio"]}
    if options.json:
        print(json.dumps(report))
        return
    print(CLAIM)
    print(f"{'agents':>8} {'Prefect ms':>11} {'Echelon ms':>11} {'ratio':>6} {'peak MB':>8}")
    for point in points:
        print("{agents:>8} {prefect_ms:>11.2f} {echelon_ms:>11.2f} {ratio:>6.2f} {echelon_peak_mb:>8}".format(**point))


if __name__ == "__main__":
    main()
