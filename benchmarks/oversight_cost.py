"""What oversight costs an agent: gates, readiness, concerns, messages to people.

    python benchmarks/oversight_cost.py [--json] [--agents 1000] [--concerns 0.02] [--rounds 5]

The same agents do nothing in both runs, and something that changes the world is done behind them. With oversight those
who did the work say whether they are ready, some of them raise a concern, people are told by a program, and the last
step waits at its gate until somebody who is there approves it; without, it is done at once. Processor time of the
process is counted, from the call to the result; the ratio is taken in one round, the median of all rounds is printed.
Prefect's picture is left out, since it is drawn by a process of its own.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace

from pydantic import BaseModel

from echelon import Brief, Handoffs, Job, Notify, agent, integrator
from echelon.engine.options import DEFAULT_OPTIONS
from echelon.engine.run import run_job
from echelon.testing.oversight import approving

CLAIM = "With all of oversight on, an agent costs at most 1.1 times what it costs without"


class Size(BaseModel):
    """Inputs of the job."""

    agents: int = 1000
    concerns: float = 0.02


def numbers(agents: int) -> list[int]:
    """Find the items."""
    return list(range(agents))


@agent
async def look(item: int) -> int:
    """Do nothing."""
    return item


@agent(name="look", ready=lambda: True)
async def look_and_speak(item: int, inputs: Size, brief: Brief) -> int:
    """Do nothing, and raise a concern now and then."""
    if item < inputs.agents * inputs.concerns:
        brief.raise_concern("it is odd", about=f"{item}", confidence="high", impact="low")
    return item


@integrator
async def add(done: Handoffs[int]) -> int:
    """Add up."""
    return sum(done.outputs())


@agent(effect="write")
async def publish(done: Handoffs[int]) -> int:
    """Publish the sum."""
    return done.outputs()[0]


def would_publish(done: Handoffs[int]) -> str:
    """Say what would be published."""
    return f"publish {done.outputs()[0]}"


@agent(name="publish", effect="irreversible", preview=would_publish, ready=lambda: True)
async def publish_when_approved(done: Handoffs[int]) -> int:
    """Publish the sum."""
    return done.outputs()[0]


def job_of(*, watched: bool) -> Job:
    """Make the job, with all of oversight on or with nothing of it."""
    told = [Notify.command([sys.executable, "-c", "import sys; sys.stdin.read()"])] if watched else []
    job = Job("overseen" if watched else "alone", goal="Look at everything", inputs=Size, notify=told)
    job.phase("look", each=look_and_speak if watched else look, over=numbers, integrate=add)
    job.phase("publish", agent=publish_when_approved if watched else publish, needs="look")
    return job


async def timed(size: Size, *, watched: bool) -> float:
    """Return the seconds of processor that a run takes."""
    began, options = time.process_time(), replace(DEFAULT_OPTIONS, ask=approving() if watched else None)
    result = await run_job(job_of(watched=watched), size, options)
    assert result.status.value == "completed", result.missing
    return time.process_time() - began


async def measured(size: Size, rounds: int) -> dict[str, float]:
    """Return the medians of all rounds, each in a home of its own, in turns; one round before warms up."""
    pairs: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        with tempfile.TemporaryDirectory() as home:
            os.environ["ECHELON_HOME"] = home
            order = (True, False) if number % 2 else (False, True)
            taken = {watched: await timed(size, watched=watched) for watched in order}
        if number:
            pairs.append((taken[False], taken[True]))
    return {
        "without_ms_an_agent": 1e3 * statistics.median(without for without, _ in pairs) / size.agents,
        "with_ms_an_agent": 1e3 * statistics.median(overseen for _, overseen in pairs) / size.agents,
        "ratio": statistics.median(overseen / without for without, overseen in pairs),
    }


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--concerns", type=float, default=0.02)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    os.environ["ECHELON_PICTURE"] = "false"
    found = asyncio.run(measured(Size(agents=given.agents, concerns=given.concerns), given.rounds))
    if given.json:
        print(json.dumps({"claim": CLAIM, "points": [found], "ratio": found["ratio"]}))
        return
    print(CLAIM)
    print(
        f"without {found['without_ms_an_agent']:.2f} ms an agent, with {found['with_ms_an_agent']:.2f} ms: "
        f"x {found['ratio']:.2f}"
    )


if __name__ == "__main__":
    main()
