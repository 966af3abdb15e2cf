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
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from echelon import Handoffs, Job, agent, integrator
from echelon.engine.run import RunOptions, run_job
from echelon.engine.server_kept import LocalServer
from echelon.visibility.progress import Progress

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


async def serve(run: Callable[[int, float], Awaitable[None]]) -> None:
    """Run what each line of stdin asks for; answer with milliseconds of overhead an agent and megabytes at the peak."""
    await run(10, 0.01)  # what is slow once is paid before
    for line in sys.stdin:
        agents, seconds = json.loads(line)
        began = time.perf_counter()
        await run(agents, seconds)
        overhead = (time.perf_counter() - began - seconds) / agents * 1000
        print(json.dumps([overhead, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]), flush=True)


class Side:
    """One side of the comparison, in a process of its own."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--side", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def measure(self, agents: int, seconds: float) -> tuple[float, float]:
        """Return milliseconds of overhead an agent, and megabytes at the peak so far."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        time.sleep(1.0 + agents / 200)  # the server records behind a run; no side pays for the other
        print(json.dumps([agents, seconds]), file=self.process.stdin, flush=True)
        overhead, megabytes = json.loads(self.process.stdout.readline())
        return overhead, megabytes


def compare(sizes: list[int], seconds: float, rounds: int, folder: str) -> list[dict[str, Any]]:
    """Alternate both sides on the server that `echelon up` keeps, so that noise of the machine meets both."""
    kept = LocalServer(Path(folder))
    server, _ = kept.up(port=0)
    plain = Side("prefect", {"PREFECT_API_URL": server.url, "PREFECT_LOGGING_LEVEL": "WARNING"})
    ours = Side("echelon", {"ECHELON_HOME": folder})
    try:
        return [point(plain, ours, agents, seconds, rounds) for agents in sizes]
    finally:
        for side in (plain, ours):
            side.process.communicate()
        kept.down()


def point(plain: Side, ours: Side, agents: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Measure both sides at one number of agents."""
    measured = [(plain.measure(agents, seconds), ours.measure(agents, seconds)) for _ in range(rounds)]
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
    parser.add_argument("--side", choices=["prefect", "echelon"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        asyncio.run(serve({"prefect": prefect_run, "echelon": echelon_run}[options.side]))
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
