"""A job whose integrations are slow, by a clock that moves only when an agent says so; alone it carries out one run.

python -m tests.chaos.jobs.adapting_job HOME        # prints what became of the run, as JSON
"""

import asyncio
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from echelon import Handoffs, Job, agent, integrator
from echelon.coordination.job_run import run_phases
from echelon.definition.definition import Adapt
from echelon.engine.run import RunOptions, finish, prepare_run
from echelon.journal.journal import SqlJournal
from echelon.settings import Settings

RUN = "adapting"


class Numbers(BaseModel):
    """How much there is to do in each phase."""

    first: int = 6
    others: int = 8


class Clock:
    """Stands in for the clock of a run."""

    def __init__(self) -> None:
        self.at = datetime(2026, 5, 4, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.at

    def takes(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)


def slow_integrations(
    clock: Clock, adapt: Adapt = "apply", *, integration_seconds: float = 1000.0, staged: bool = True
) -> Job:
    """Make a job of three phases, one behind the other, whose integrations take so long by `clock`."""

    @agent
    async def look(number: int) -> int:
        clock.takes(1)
        return number

    @agent
    async def check(number: int, look: Handoffs[int]) -> int:
        clock.takes(1)
        return number

    @agent
    async def fix(number: int, check: Handoffs[int]) -> int:
        clock.takes(1)
        return number

    @integrator
    async def add(numbers: Handoffs[int]) -> int:
        clock.takes(integration_seconds)
        return sum(numbers.outputs())

    @add.combine
    async def add_all(numbers: Handoffs[int]) -> int:
        clock.takes(integration_seconds)
        return sum(numbers.outputs())

    integrate = add_all if staged else add
    job = Job("adapting", goal="Add up what was seen", inputs=Numbers, adapt=adapt)
    job.phase("look", each=look, over=lambda first: list(range(first)), integrate=integrate)
    job.phase("check", each=check, over=lambda others: list(range(others)), integrate=integrate, needs="look")
    job.phase("fix", each=fix, over=lambda others: list(range(others)), integrate=integrate, needs="check")
    return job


async def carry_out(home: Path) -> dict[str, object]:
    """Begin the run, or go on with it; return its output, the plan it ended with, and the kinds of all its events."""
    clock, settings = Clock(), Settings(home=home, picture=False)
    job, options = slow_integrations(clock), RunOptions(run_id=RUN)
    async with prepare_run(job, Numbers(), options, settings) as run:
        run.context = replace(run.context, spec=replace(run.context.spec, now=clock))
        begun_with = run.context.spec.plan.digest
        result = await finish(run, await run_phases(run.context))
    async with SqlJournal.open(settings) as journal:
        events = await journal.events(RUN)
        record = await journal.known_run(run_id=RUN)
    assert record is not None
    assert record.plan is not None
    return {
        "output": result.output,
        "begun_with": begun_with,
        "plan": record.plan.digest,
        "events": [entry.event.kind for entry in events],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(carry_out(Path(sys.argv[1])))))
