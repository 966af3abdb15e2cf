"""What it costs that a job grows: phases side by side, items found on the way, and how well they are foreseen.

    python benchmarks/growth.py [--json] [--items 300] [--rounds 5]

side_by_side  two phases without a need between them, four agents of half a second each, and one behind both: the wall
              time from the first step that began to the last that ended, divided by the longest chain.
found         a survey of one agent finds the items: seconds from the end of the survey to the first of their steps that
              begins, everything between included (finding, planning, linting, the plan on record).
foreseen      the same job with stated seconds: what the plan, as it was extended, foresees for the whole, against the
              time from the first step to the last; the larger of the two divided by the other.
rest          a rehearsal of so many tasks, of 0.25 to 0.75 s, at most 32 at a time, of which a sample of 30 is done
              first: what that foresees for the rest, against the time from the first step of the rest to the last; the
              larger of the two divided by the other.

Medians of all rounds; Prefect's picture is left out, since it is drawn by a process of its own.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from pydantic import BaseModel

from echelon import Handoffs, Job, agent
from echelon.definition.rehearsal import Rehearsal, RehearsalJob
from echelon.engine.run import RunOptions, run_job
from echelon.model.graph import CapacityLimit, TaskGraph, TaskSpec
from echelon.planning.planner import plan
from echelon.runlog.events import LoggedEvent, PlanExtended, RunReopened, StepEnded, StepStarted

CLAIM = "A job that grows takes what its longest chain takes: at most 1.1 times it"

SECONDS = 0.5


class Size(BaseModel):
    """Inputs of the job."""

    items: int = 300


@agent
async def work() -> int:
    """Take half a second."""
    await asyncio.sleep(SECONDS)
    return 1


@agent
async def gather(left: Handoffs[int], right: Handoffs[int]) -> int:
    """Take half a second behind both."""
    await asyncio.sleep(SECONDS)
    return sum(left.outputs()) + sum(right.outputs())


@agent
async def survey(items: int) -> list[int]:
    """Say what there is."""
    return list(range(items))


def parts(survey: Handoffs[list[int]]) -> list[int]:
    """Find the items in what the survey says."""
    return [number for found in survey.outputs() for number in found]


@agent
async def inspect(part: int) -> int:
    """Take half a second for one item."""
    await asyncio.sleep(SECONDS)
    return part


def side_by_side() -> Job:
    """Return a job of two phases without a need between them, and one behind both."""
    job = Job("side-by-side", goal="Be done soon", inputs=Size)
    several = [agent(work.function, name=f"work{number}") for number in range(4)]
    job.phase("left", agents=several, seconds=SECONDS)
    job.phase("right", agents=several, seconds=SECONDS)
    job.phase("gather", agent=gather, needs=["left", "right"], seconds=SECONDS)
    return job


def growing() -> Job:
    """Return a job whose items are found on the way."""
    job = Job("growing", goal="Look at all of it", inputs=Size, max_concurrency=64)
    job.phase("survey", agent=survey, seconds=0.01)
    job.phase("inspect", each=inspect, over=parts, needs="survey", domain=lambda part: f"d{part % 8}", seconds=SECONDS)
    return job


async def events_of(job: Job, items: int) -> list[Any]:
    """Run a job, and return what happened."""
    seen: list[LoggedEvent] = []
    result = await run_job(job, Size(items=items), RunOptions(watch=seen.extend))
    assert result.status == "completed", result
    return [entry.event for entry in seen]


def took(events: Sequence[Any]) -> float:
    """Return the seconds from the first step that began to the last that ended."""
    began = min(event.at for event in events if isinstance(event, StepStarted))
    return (max(event.record.finished for event in events if isinstance(event, StepEnded)) - began).total_seconds()


async def measure_side_by_side(_items: int) -> float:
    """Return the wall time by the longest chain."""
    return took(await events_of(side_by_side(), 0)) / (2 * SECONDS)


async def measure_found(items: int) -> float:
    """Return the seconds from the end of the survey to the first step of what was found."""
    events = await events_of(growing(), items)
    surveyed = next(e.record.finished for e in events if isinstance(e, StepEnded) and e.record.phase == "survey")
    begun = min(e.at for e in events if isinstance(e, StepStarted) and e.phase == "inspect" and e.step == "task")
    return (begun - surveyed).total_seconds()


async def measure_foreseen(items: int) -> float:
    """Return by what factor the extended plan and the run differ."""
    events = await events_of(growing(), items)
    foreseen = next(e.plan.makespan.predicted for e in events if isinstance(e, PlanExtended))
    assert foreseen is not None, "every phase states its seconds"
    return max(foreseen, took(events)) / min(foreseen, took(events))


def rehearsal(items: int) -> RehearsalJob:
    """Return the rehearsal of a phase whose tasks differ."""
    chance = random.Random(items)
    tasks = tuple(
        TaskSpec(id=f"t{n}", goal="Look", phase="look", domain=f"d{n % 8}", seconds=chance.uniform(0.25, 0.75))
        for n in range(items)
    )
    graph = TaskGraph(name="sampled", goal="Look at all of it", tasks=tasks)
    made = plan(graph, phase_order=("look",), limits=[CapacityLimit(at_once=32)], agents_fixed=True)
    return RehearsalJob.of(made, Rehearsal())


async def measure_rest(items: int) -> float:
    """Return by what factor the rest of a sample and its forecast differ."""
    seen: list[LoggedEvent] = []
    job = rehearsal(items)
    first = await run_job(job, Rehearsal(), RunOptions(sample=30))
    await run_job(job, Rehearsal(), RunOptions(run_id=first.run_id, watch=seen.extend))
    assert first.rest is not None, "it is a wide phase"
    assert first.rest.seconds is not None, "tasks were measured"
    reopened = next(place for place, entry in enumerate(seen) if isinstance(entry.event, RunReopened))
    takes = took([entry.event for entry in seen[reopened:]])
    return max(first.rest.seconds, takes) / min(first.rest.seconds, takes)


Measure = Callable[[int], Coroutine[Any, Any, float]]

#: What is measured, with the most that is aimed at.
MEASURES: dict[str, tuple[Measure, float]] = {
    "side_by_side": (measure_side_by_side, 1.1),
    "found": (measure_found, 1.0),
    "foreseen": (measure_foreseen, 1.15),
    "rest": (measure_rest, 1.15),
}


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=300, help="items that the survey finds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"ECHELON_HOME": home, "ECHELON_PICTURE": "false"}
        points = [
            {"measure": name, "value": round(_median(measure, options.items, options.rounds), 3), "aim": aim}
            for name, (measure, aim) in MEASURES.items()
        ]
    if options.json:
        print(json.dumps({"claim": CLAIM, "points": points, "ratio": points[0]["value"]}))
        return
    for point in points:
        print(f"{point['measure']:14} {point['value']:6.3f}   aim: at most {point['aim']}")


def _median(measure: Measure, items: int, rounds: int) -> float:
    return statistics.median(asyncio.run(measure(items)) for _ in range(rounds))


if __name__ == "__main__":
    main()
