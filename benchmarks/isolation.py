"""What a broken domain costs the others: Echelon against the same job on plain Prefect with Prefect's retries.

    python benchmarks/isolation.py [--json] [--domains 4] [--agents 10] [--rounds 5]

Domains work side by side; each agent does ten pieces of work and each domain integrates its own. In one of them every
agent is `stalled` (answers never, until its time is up), `failing` (its tool is broken; three attempts), or `flooding`
(its dependency refuses at once, again and again: up to 50 attempts without a wait). Everybody may work at one time, or
there are places for half of them: Echelon's `max_concurrency`, a semaphore on the other side. Measured is the makespan
of the other domains, from the start of the phase to their last integration, and divided by what it is without the
fault. Both sides run in processes of their own, in turns, on one Prefect server; medians of all rounds.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from echelon import Handoffs, Job, Resilience, agent, integrator
from echelon.engine.run import RunOptions, run_job
from echelon.model.errors import DependencyFailed
from echelon.runlog.events import LoggedEvent, PhaseStarted, StepEnded

sys.path.insert(0, str(Path(__file__).parents[1]))  # a script finds what it shares with others

from benchmarks.sides import SIDES, answer, two_sides

CLAIM = "One domain that stalls, fails or floods costs the others at most 5 % of their makespan"

Fault = Literal["none", "stalled", "failing", "flooding"]
FAULTS: tuple[Fault, ...] = ("none", "stalled", "failing", "flooding")

PIECES = 10
PIECE_SECONDS = 0.1
STALL_SECONDS = 3.0
ATTEMPTS: dict[Fault, int] = {"none": 3, "stalled": 1, "failing": 3, "flooding": 50}

#: The domain with the fault.
BROKEN = "d0"


class Work(BaseModel):
    """Inputs of the job."""

    domains: int
    agents: int
    fault: Fault
    places: int
    """Agents at work at one time."""


class Part(BaseModel):
    """What one agent is given."""

    id: str
    domain: str
    fault: Fault


def parts(domains: int, agents: int, fault: Fault) -> list[Part]:
    """Find the items: so many agents in each domain."""
    return [
        Part(id=f"d{domain}-{number}", domain=f"d{domain}", fault=fault if f"d{domain}" == BROKEN else "none")
        for domain in range(domains)
        for number in range(agents)
    ]


async def work_on(part: Part) -> int:
    """Do the pieces one behind the other, or what the fault says."""
    if part.fault == "stalled":
        await asyncio.sleep(10 * STALL_SECONDS)
    if part.fault in ("failing", "flooding"):
        raise DependencyFailed("the tool of this domain refuses", passing=True)
    for _ in range(PIECES):
        await asyncio.sleep(PIECE_SECONDS)
    return 1


@integrator
async def count(done: Handoffs[int]) -> int:
    """Add up."""
    return sum(done.outputs())


@count.combine
async def count_up(done: Handoffs[int]) -> int:
    """Add up what was added up below."""
    return sum(done.outputs())


def job_for(fault: Fault) -> Job:
    """Make the job; the broken domain has an agent with a dependency of its own, as it would in earnest."""

    @agent(name="work")
    async def work(item: Part) -> int:
        """Do the work."""
        return await work_on(item)

    guarded = Resilience(attempts=ATTEMPTS[fault], timeout_seconds=STALL_SECONDS, backoff_seconds=0, breaker=False)
    job = Job("isolation", goal="Work side by side", inputs=Work, defaults=guarded)
    job.phase("work", each=work, over=parts, domain=lambda item: item.domain, integrate=count_up)
    return job


async def echelon_run(given: Work) -> float:
    """Run the job; return the makespan of the domains without a fault, in seconds."""
    began = ended = datetime.now(UTC)

    def watch(entries: Sequence[LoggedEvent]) -> None:
        nonlocal began, ended
        for entry in entries:
            match entry.event:
                case PhaseStarted(at=at):
                    began = at
                case StepEnded(record=record) if record.handoff.task_id in others:
                    ended = record.finished
                case _:
                    pass

    job = job_for(given.fault)
    # An integration goes by the name of the coordinator that owns it: the one of the domain, below the primary.
    plan = job.plan(**given.model_dump())
    sound = [part for part in parts(given.domains, given.agents, given.fault) if part.domain != BROKEN]
    owners = {plan.path(plan.agent_of[f"work/{part.id}"])[1] for part in sound}
    others = {f"work/{verb}/{owner}" for owner in owners for verb in ("merge", "combine")}
    result = await run_job(job, given, RunOptions(max_concurrency=given.places, watch=watch))
    wanted = given.agents * (given.domains - (given.fault != "none"))
    if result.output != wanted:
        raise SystemExit(f"the run delivered {result.output} instead of {wanted}")
    return (ended - began).total_seconds()


async def prefect_run(given: Work) -> float:
    """Run the same on plain Prefect; return the makespan of the domains without a fault, in seconds."""
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE

    @task(
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=ATTEMPTS[given.fault] - 1,
        retry_delay_seconds=0,
        timeout_seconds=STALL_SECONDS,
    )
    async def work_task(part: Part) -> int:
        return await work_on(part)

    @task(cache_policy=NO_CACHE, persist_result=False)
    async def merge_task(done: list[Any]) -> int:
        return sum(one for one in done if isinstance(one, int))

    ends: dict[str, float] = {}
    places = asyncio.Semaphore(given.places)

    async def work_in_place(item: Part) -> int:
        async with places:
            return await work_task(item)

    async def domain(items: list[Part]) -> int:
        done = await asyncio.gather(*map(work_in_place, items), return_exceptions=True)
        merged = await merge_task(done)
        ends[items[0].domain] = time.perf_counter()
        return merged

    @flow(name="plain-isolation", persist_result=False)
    async def plain() -> float:
        began = time.perf_counter()
        items = parts(given.domains, given.agents, given.fault)
        together = [items[at : at + given.agents] for at in range(0, len(items), given.agents)]
        await asyncio.gather(*map(domain, together))
        return max(end for name, end in ends.items() if name != BROKEN) - began

    return await plain()


def compare(domains: int, agents: int, rounds: int, folder: str) -> list[dict[str, Any]]:
    """Alternate sides and faults, so that noise of the machine meets all."""
    everybody = domains * agents
    cases = [(places, fault) for places in (everybody, everybody // 2) for fault in FAULTS]
    measured: dict[tuple[int, Fault], list[tuple[float, float]]] = {case: [] for case in cases}
    with two_sides(__file__, folder, "CRITICAL") as (plain, ours):
        for _ in range(rounds):
            for places, fault in cases:
                given = Work(domains=domains, agents=agents, fault=fault, places=places).model_dump()
                seconds = plain.measure(given), ours.measure(given)
                measured[places, fault].append(seconds)
                print(places, fault, [round(each, 3) for each in seconds], file=sys.stderr)
    prefect, echelon = ({c: statistics.median(pair[n] for pair in measured[c]) for c in cases} for n in (0, 1))
    return [
        {
            "places": places,
            "fault": fault,
            "prefect_seconds": round(prefect[places, fault], 3),
            "echelon_seconds": round(echelon[places, fault], 3),
            "prefect_ratio": round(prefect[places, fault] / prefect[places, "none"], 3),
            "ratio": round(echelon[places, fault] / echelon[places, "none"], 3),
        }
        for places, fault in cases
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--domains", type=int, default=4)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run = {"prefect": prefect_run, "echelon": echelon_run}[options.side]
        answer(
            lambda given: run(Work.model_validate(given)),
            warm=Work(domains=2, agents=2, fault="none", places=4).model_dump(),
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        points = compare(options.domains, options.agents, options.rounds, folder)
    report = {"claim": CLAIM, "points": points, "ratio": max(point["ratio"] for point in points)}
    if options.json:
        print(json.dumps(report))
        return
    print(CLAIM)
    print(f"{'places':>6} {'fault':>10} {'Prefect s':>10} {'ratio':>6} {'Echelon s':>10} {'ratio':>6}")
    row = (
        "{places:>6} {fault:>10} {prefect_seconds:>10.3f} {prefect_ratio:>6.2f} {echelon_seconds:>10.3f} {ratio:>6.2f}"
    )
    for point in points:
        print(row.format(**point))


if __name__ == "__main__":
    main()
