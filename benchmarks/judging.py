"""What it costs an agent that the organisation judges its own work: one row a part, and one for all of it.

    python benchmarks/judging.py [--json] [--agents 200] [--rounds 5] [--part "waves, 10 domains" …]

The same agents do nothing with and without a part of oversight. Processor time of the process is counted, from the
call to the result. Both sides run in each round, in turns; the ratio is taken in one round, and the median of all is
printed.
Who verifies or settles is at work too: `steps` is how many there are more in all, and the ratio a step counts them as
what they are. Prefect's picture is left out, since it is drawn by a process of its own.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, NamedTuple
from unittest import mock

from pydantic import BaseModel

from echelon import (
    Audit,
    Autonomy,
    Complete,
    Conflict,
    Handoffs,
    Job,
    Key,
    Oversight,
    Sync,
    agent,
    integrator,
)
from echelon.coordination.sync import point
from echelon.coordination.sync.drifting import measure_drift
from echelon.engine.options import DEFAULT_OPTIONS
from echelon.engine.run import run_job

CLAIM = "With its work judged, an agent costs at most 1.15 times what it costs without"

LIMIT = 1.15

#: Where nothing is judged: not even what a job of this size is judged by on its own.
NOTHING = Oversight(audit=Audit(rate=0.0))

#: Share of the agents that contradict somebody, where some do.
CONTRADICTING = 0.25

#: Share of the agents that are on the critical path, so that their results are verified.
CRITICAL = 0.1

DOMAINS, WAVE, PHASES = 10, 20, 5


class Size(BaseModel):
    """Inputs of the job."""

    agents: int
    contradicting: int = 0
    """The first so many agents say different things about one subject, in pairs or all of them."""
    together: int = 2
    """So many of them speak about the same subject."""


class Plain(BaseModel):
    """What an agent says about a subject, in a contract that promises nothing."""

    subject: str
    level: int


class Marked(BaseModel):
    """The same, in one that says what it is about."""

    subject: Annotated[str, Key()]
    level: int


class Sum(BaseModel):
    """What an integrator makes, in a contract that promises nothing."""

    found: list[Plain]


class Whole(BaseModel):
    """The same, in one that says that all of it is there."""

    found: Annotated[list[Marked], Complete()]


def _said(item: int, inputs: Size) -> dict[str, Any]:
    about = item // inputs.together if item < inputs.contradicting else item
    return {"subject": f"s{about}", "level": item}


def items(agents: int) -> list[int]:
    """Find the items."""
    return list(range(agents))


def critical(agents: int) -> list[int]:
    """Find those on the critical path."""
    return list(range(round(agents * CRITICAL)))


def others(agents: int) -> list[int]:
    """Find all others."""
    return list(range(round(agents * CRITICAL), agents))


def share_of_a_phase(agents: int) -> list[int]:
    """Find the items of one of several phases."""
    return list(range(agents // PHASES))


@agent(name="look")
async def look(item: int, inputs: Size) -> Plain:
    """Do nothing."""
    return Plain(**_said(item, inputs))


@agent(name="look")
async def look_marked(item: int, inputs: Size) -> Marked:
    """Do nothing."""
    return Marked(**_said(item, inputs))


@integrator(name="add")
async def add(done: Handoffs[Plain]) -> Sum:
    """Put together what each says."""
    return Sum(found=done.outputs())


@add.combine
async def add_sums(done: Handoffs[Sum]) -> Sum:
    """Put together what was put together."""
    return Sum(found=[each for one in done.outputs() for each in one.found])


@integrator(name="add")
async def add_marked(done: Handoffs[Marked]) -> Whole:
    """Put together what each says."""
    return Whole(found=done.outputs())


@add_marked.combine
async def add_wholes(done: Handoffs[Whole]) -> Whole:
    """Put together what was put together."""
    return Whole(found=[each for one in done.outputs() for each in one.found])


def is_right(output: Marked, item: int) -> str:
    """Verify a result."""
    return "" if output.subject and output.level == item else f"the level is {item}"


def higher(conflict: Conflict) -> str:
    """Let the higher level count."""
    return max(conflict.sides, key=lambda side: side.says["level"]).name


def domain_of(item: int) -> str:
    """Say in which domain an item is."""
    return f"d{item % DOMAINS}"


def verified(*, judged: bool) -> Job:
    """Verify what is on the critical path, and audit integrations."""
    job = Job("v", goal="Look", inputs=Size, oversight=Oversight(verify=is_right, audit=Audit()) if judged else NOTHING)
    each, integrate = (look_marked, add_wholes) if judged else (look, add_sums)
    job.phase("deep", each=each, over=critical, seconds=9.0, integrate=integrate)
    job.phase("wide", each=each, over=others, seconds=1.0, integrate=integrate)
    return job


def by_record(*, judged: bool) -> Job:
    """Let results proceed by the record of who made them."""
    oversight = Oversight(audit=Audit(rate=0.0), autonomy=Autonomy()) if judged else NOTHING
    job = Job("a", goal="Look", inputs=Size, oversight=oversight)
    job.phase("look", each=look, over=items, integrate=add_sums)
    return job


def compared(*, judged: bool) -> Job:
    """Compare outputs, and let a rule settle what contradicts each other."""
    oversight = Oversight(audit=Audit(rate=0.0), settle=higher) if judged else NOTHING
    job = Job("c", goal="Look", inputs=Size, oversight=oversight)
    each, integrate = (look_marked, add_wholes) if judged else (look, add_sums)
    job.phase("look", each=each, over=items, integrate=integrate)
    return job


def undecided(*, judged: bool) -> Job:
    """Compare outputs, and leave what contradicts each other to a person."""
    job = Job("u", goal="Look", inputs=Size, oversight=NOTHING)
    each, integrate = (look_marked, add_wholes) if judged else (look, add_sums)
    job.phase("look", each=each, over=items, integrate=integrate)
    return job


def drifting(*, judged: bool) -> Job:  # noqa: ARG001 - what differs is at the sync points
    """Measure drift at the sync points of several phases, one behind the other."""
    job, before = Job("d", goal="Look", inputs=Size, oversight=NOTHING), None
    for number in range(PHASES):
        job.phase(f"look{number}", each=look, over=share_of_a_phase, needs=before or (), integrate=add_sums)
        before = f"look{number}"
    return job


def in_waves(*, judged: bool) -> Job:
    """Do a phase in waves."""
    job = Job("w", goal="Look", inputs=Size, oversight=NOTHING)
    job.phase("look", each=look, over=items, integrate=add_sums, sync=Sync.every(WAVE) if judged else None)
    return job


def in_waves_across(*, judged: bool) -> Job:
    """Do a phase of many domains in waves, all of them in one rhythm."""
    job = Job("x", goal="Look", inputs=Size, oversight=NOTHING)
    sync = Sync.every(WAVE) if judged else None
    job.phase("look", each=look, over=items, domain=domain_of, integrate=add_sums, sync=sync)
    return job


def in_waves_by_domain(*, judged: bool) -> Job:
    """Do a phase in waves, each domain in a rhythm of its own."""
    job, rhythm = Job("m", goal="Look", inputs=Size, oversight=NOTHING), Sync.every(WAVE)
    rhythms = {f"d{number}": rhythm for number in range(DOMAINS)} if judged else None
    job.phase("look", each=look, over=items, domain=domain_of, integrate=add_sums, sync=rhythms)
    return job


def everything(*, judged: bool) -> Job:
    """Do all of it at once."""
    oversight = Oversight(verify=is_right, audit=Audit(), settle=higher, autonomy=Autonomy()) if judged else NOTHING
    job, rhythm = Job("e", goal="Look", inputs=Size, oversight=oversight), Sync.every(WAVE) if judged else None
    each, integrate = (look_marked, add_wholes) if judged else (look, add_sums)
    job.phase("deep", each=each, over=critical, seconds=9.0, integrate=integrate)
    job.phase(
        "wide", each=each, over=others, seconds=1.0, domain=domain_of, sync={"*": rhythm} if rhythm else None,
        integrate=integrate,
    )  # fmt: skip
    return job


class Part(NamedTuple):
    """A part of oversight."""

    job_of: Callable[..., Job]
    """Makes the job, with it or without it."""
    contradicting: Callable[[int], int] = lambda _: 0
    """How many of the agents contradict somebody."""
    together: Callable[[int], int] = lambda _: 2
    """How many of them speak about one subject."""
    without: Callable[[], AbstractContextManager[Any]] = nullcontext
    """Takes away what no job can switch off."""

    def size(self, agents: int) -> Size:
        """Return the inputs for so many agents."""
        return Size(agents=agents, contradicting=self.contradicting(agents), together=self.together(agents))


def some(agents: int) -> int:
    """Return how many agents contradict somebody."""
    return round(agents * CONTRADICTING)


def each_pair(agents: int) -> int:
    """Return how many agents contradict somebody, so that there is a conflict for each of `some`."""
    return 2 * some(agents)


def without_drift() -> AbstractContextManager[Any]:
    """Measure no drift meanwhile."""
    return mock.patch.object(point, "STEPS", tuple(step for step in point.STEPS if step is not measure_drift))


PARTS: Mapping[str, Part] = {
    "verify and audit": Part(verified),
    "autonomy": Part(by_record),
    "conflicts, none": Part(compared),
    "conflicts of pairs, settled": Part(compared, each_pair),
    "conflicts of pairs, raised": Part(undecided, each_pair),
    "one subject, settled": Part(compared, some, some),
    "one subject, raised": Part(undecided, some, some),
    "drift, 5 phases": Part(drifting, without=without_drift),
    "waves, 1 domain": Part(in_waves),
    "waves across 10 domains": Part(in_waves_across),
    "waves of each of 10 domains": Part(in_waves_by_domain),
    "all together": Part(everything),
}


class Taken(NamedTuple):
    """What a run took."""

    seconds: float
    """Of processor."""
    steps: int
    """Tasks, integrations, and whoever judges."""


async def taken(part: Part, size: Size, *, judged: bool) -> Taken:
    """Carry out a run in a home of its own."""
    with tempfile.TemporaryDirectory() as home, nullcontext() if judged else part.without():
        os.environ["ECHELON_HOME"] = home
        gc.collect()  # what the run before left behind is not paid for by this one
        began = time.process_time()
        result = await run_job(part.job_of(judged=judged), size, DEFAULT_OPTIONS)
        seconds = time.process_time() - began
    assert result.returned == result.launched, result.missing
    return Taken(seconds, result.launched)


async def measured(name: str, agents: int, rounds: int) -> dict[str, Any]:
    """Return the medians of all rounds; one round before warms up."""
    part, pairs = PARTS[name], list[tuple[Taken, Taken]]()
    for number in range(rounds + 1):
        order = (True, False) if number % 2 else (False, True)
        of = {judged: await taken(part, part.size(agents), judged=judged) for judged in order}
        if number:
            pairs.append((of[False], of[True]))
    ratios = [judged.seconds / alone.seconds for alone, judged in pairs]
    steps = pairs[0][1].steps / pairs[0][0].steps
    return {
        "part": name,
        "agents": agents,
        "without_ms_an_agent": 1e3 * statistics.median(alone.seconds for alone, _ in pairs) / agents,
        "with_ms_an_agent": 1e3 * statistics.median(judged.seconds for _, judged in pairs) / agents,
        "ratio": statistics.median(ratios),
        "steps": steps,
        "ratio_a_step": statistics.median(ratios) / steps,
    }


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=CLAIM)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--part", choices=list(PARTS), nargs="+", default=list(PARTS))
    given = parser.parse_args()
    os.environ["ECHELON_PICTURE"] = "false"
    points: list[dict[str, Any]] = []
    if not given.json:
        print(f"{CLAIM}\n{given.agents} agents{'':<20}  without     with  ratio  steps  a step", flush=True)
    for name in given.part:
        points.append(asyncio.run(measured(name, given.agents, given.rounds)))
        if not given.json:
            one = points[-1]
            print(
                f"{name:<28} {one['without_ms_an_agent']:>6.2f} ms {one['with_ms_an_agent']:>5.2f} ms "
                f"x {one['ratio']:.2f} x {one['steps']:.2f}  x {one['ratio_a_step']:.2f}",
                flush=True,
            )
    if given.json:
        print(json.dumps({"claim": CLAIM, "points": points, "ratio": max(one["ratio"] for one in points)}))


if __name__ == "__main__":
    main()
