"""F10: a run whose budget of a day is used up waits for the next day, and does then what is left, once.

A clock that is moved to the next day, and a journal in which all runs of the job count.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from echelon import Budget, Handoffs, Job, Need, Outcome, RunResult, Usage, agent, integrator
from echelon.coordination.job_run import run_phases
from echelon.engine.closing import Prepared, close_run
from echelon.engine.options import RunOptions
from echelon.model.exception_report import Level
from echelon.model.run import EXIT_CODES, RunStatus
from echelon.runlog.view import result_of
from echelon.testing.runs import a_run

pytestmark = pytest.mark.anyio

#: Tokens of one look, and how many of them a day has.
EACH, LOOKS_A_DAY, ITEMS = 100, 2, 5


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class World:
    """A clock, and what was done."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(hour=12)
        self.looked: list[str] = []
        self.counted = 0


@pytest.fixture
def world() -> World:
    return World()


def looking(world: World, name: str = "looking", **options: Any) -> Job:
    """Make a job that looks at five items, for tokens, and counts something beside that, for none."""

    @agent
    async def look(item: str) -> Outcome[str]:
        world.looked.append(item)
        return Outcome(output=item, usage=Usage(tokens_in=EACH, tokens_out=0, calls=1))

    @agent
    async def count() -> int:
        world.counted += 1
        return world.counted

    @integrator
    async def total(looked: Handoffs[str]) -> list[str]:
        return sorted(looked.outputs())

    def items() -> list[str]:
        return [f"i{number}" for number in range(ITEMS)]

    job = Job(name, goal="Look at everything", max_concurrency=1, **options)
    job.phase("look", each=look, over=items, tokens=EACH, integrate=total)
    job.phase("count", agent=count, needs=Need("look", coupling="none"))
    return job


def a_day(*more: Budget) -> list[Budget]:
    return [Budget(calls=1_000), Budget(tokens=LOOKS_A_DAY * EACH, per="day"), *more]


async def go(job: Job, home: Path, world: World, run_id: str = "run") -> RunResult:
    async with a_run(job, home, run_id=run_id, now=lambda: world.now) as run:
        record = run.log.state.record
        assert record is not None
        outputs = await run_phases(run)
        return result_of(await close_run(Prepared(context=run, record=record, options=RunOptions()), outputs))


async def test_a_run_waits_for_the_next_day_and_does_only_what_is_left(tmp_path: Path, world: World) -> None:
    midnight = (world.now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    first = await go(looking(world, budget=a_day()), tmp_path, world)

    assert (first.status, EXIT_CODES[first.status]) == (RunStatus.WAITING, 4), first.missing
    assert first.waiting is not None
    assert first.waiting.for_ == f"budget of job 'looking' for {world.now:%Y-%m-%d}"
    assert first.waiting.until == midnight.isoformat()
    assert len(world.looked) == LOOKS_A_DAY
    assert world.counted == 1, "what needs no tokens goes on"
    assert (first.measures.failed, first.measures.waiting) == (0, ITEMS - LOOKS_A_DAY)
    assert [one for one in first.exceptions if one.level is Level.CRITICAL] == []

    again = await go(looking(world, budget=a_day()), tmp_path, world)
    assert (again.status, again.waiting) == (RunStatus.WAITING, first.waiting)
    assert len(world.looked) == LOOKS_A_DAY, "no call before the day is over"

    for _ in range(2):  # each day has two more
        world.now += timedelta(days=1)
        last = await go(looking(world, budget=a_day()), tmp_path, world)
    assert (last.status, last.missing, last.waiting) == (RunStatus.COMPLETED, (), None)
    assert sorted(world.looked) == [f"i{number}" for number in range(ITEMS)], "nothing twice"
    assert world.counted == 1


async def test_where_a_day_and_a_month_are_used_up_it_waits_for_the_month(tmp_path: Path, world: World) -> None:
    world.now = world.now.replace(day=10)
    month = Budget(tokens=LOOKS_A_DAY * EACH, per="month")
    first = await go(looking(world, budget=a_day(month)), tmp_path, world)

    assert first.waiting is not None
    assert first.waiting.for_ == f"budget of job 'looking' for {world.now:%Y-%m}"
    assert datetime.fromisoformat(first.waiting.until or "").day == 1


@pytest.mark.parametrize("whose", ["inner", "outer"])
async def test_a_run_waits_with_the_run_inside_of_it(
    tmp_path: Path, world: World, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    budgets = {name: {"budget": a_day()} if name == whose else {} for name in ("inner", "outer")}

    def outer() -> Job:
        job = Job("outer", goal="Let another job look", **budgets["outer"])
        job.phase("inner", agent=looking(world, "inner", **budgets["inner"]))
        return job

    first = await go(outer(), tmp_path, world)
    assert first.status is RunStatus.WAITING, first.missing
    assert first.waiting is not None
    assert first.waiting.for_.startswith(f"budget of job '{whose}' for ")
    assert len(world.looked) == LOOKS_A_DAY

    again = await go(outer(), tmp_path, world)
    assert (again.status, again.waiting) == (RunStatus.WAITING, first.waiting)
    assert len(world.looked) == LOOKS_A_DAY
    assert world.counted == 1
