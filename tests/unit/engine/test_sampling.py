"""A run is begun as a sample, gone on with as one, and done as a whole when nobody asks for a sample any more (V6)."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from echelon import Handoffs, Job, Outcome, Resilience, Usage, agent, integrator
from echelon.coordination.step.retries import RetryRequest
from echelon.definition.rehearsal import Rehearsal, RehearsalJob
from echelon.engine.run import RunOptions, prepare_run, run_job
from echelon.model.errors import InvalidInput
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.run import RunResult, RunStatus
from echelon.planning.planner import plan
from echelon.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")


def numbers() -> list[int]:
    """Find the items."""
    return list(range(9))


def counting(asked: list[int]) -> Job:
    """Make a job that doubles numbers, noting which, and adds them up."""

    @agent
    async def double(number: int) -> Outcome[int]:
        asked.append(number)
        return Outcome(output=2 * number, summary="doubled", usage=Usage(tokens_in=10, tokens_out=number))

    @integrator
    async def add(doubled: Handoffs[int]) -> int:
        return sum(doubled.outputs())

    job = Job("counting", goal="Count", defaults=Resilience(attempts=1))
    job.phase("double", each=double, over=numbers, integrate=add)
    return job


async def carried_out(job: Job, sample: int | None = None, *tasks: str, **options: Any) -> RunResult:
    retry = RetryRequest(tasks=tasks) if tasks else None
    return await run_job(job, job.inputs_type(), RunOptions(run_id="r", sample=sample, retry=retry, **options))


async def test_a_sample_waits_and_what_is_left_is_done_by_a_resume(tmp_path: Path) -> None:
    asked: list[int] = []
    job = counting(asked)
    first = await carried_out(job, 3)

    assert (first.status, first.output, sorted(asked)) == (RunStatus.WAITING, 2 * (2 + 5 + 7), [2, 5, 7])
    assert first.rest is not None
    assert (first.rest.left, first.rest.tokens and first.rest.tokens.expected) == (6, pytest.approx(6 * (10 + 14 / 3)))
    rest = await job.resume("r")

    assert (rest.status, rest.output, sorted(asked)) == (RunStatus.COMPLETED, 72, list(range(9)))
    assert (rest.rest, rest.waiting) == (None, None)


async def test_the_door_of_python_has_a_sample_too() -> None:
    asked: list[int] = []
    result = await counting(asked).sample(2)

    assert (result.status, len(asked)) == (RunStatus.WAITING, 2)
    with pytest.raises(InvalidInput, match="a sample of 0 does nothing"):
        await counting(asked).sample(0)


async def test_a_larger_sample_goes_on_with_the_smaller_one() -> None:
    asked: list[int] = []
    await carried_out(counting(asked), 3)
    done = sorted(asked)
    larger = await carried_out(counting(asked), 5)

    assert (larger.status, len(asked)) == (RunStatus.WAITING, 5)
    assert set(done) < set(asked)
    with pytest.raises(InvalidInput, match="'r' is a sample of 5 already; ask for as many"):
        await carried_out(counting(asked), 4)


async def test_a_run_that_has_done_other_work_is_no_sample_any_more() -> None:
    await carried_out(counting([]))

    with pytest.raises(InvalidInput, match="'r' is no sample, and has done work already"):
        await carried_out(counting([]), 3)


async def test_a_retry_stays_within_the_sample() -> None:
    asked: list[int] = []
    await carried_out(counting(asked), 3)
    asked.clear()
    again = await carried_out(counting(asked), None, "double/5")

    assert (again.status, again.launched, asked) == (RunStatus.WAITING, 4, [5])
    with pytest.raises(InvalidInput, match="'double/0' was left out of the sample; `echelon resume r` does it"):
        await carried_out(counting(asked), None, "double/0")


#: A flow run of Prefect, as its logger knows it.
FLOW_RUN = "0b5e7b36-52a4-4d8e-9d27-0c7d3b1a9f10"


async def test_a_flow_run_that_is_tried_again_goes_on_with_its_sample() -> None:
    asked: list[int] = []
    job = counting(asked)
    options = RunOptions(flow_run_id=FLOW_RUN, sample=3)
    with pytest.raises(asyncio.CancelledError):
        async with prepare_run(job, job.inputs_type(), options, Settings()):
            raise asyncio.CancelledError
    result = await run_job(job, job.inputs_type(), RunOptions(flow_run_id=FLOW_RUN))

    assert (result.status, len(asked)) == (RunStatus.WAITING, 3)


async def test_a_run_inside_of_a_sample_is_done_as_a_whole() -> None:
    asked: list[int] = []
    inner = counting(asked)
    outer = Job("outer", goal="Count twice")
    outer.phase("count", each=inner.as_agent(), over=lambda: [inner.inputs_type()], key=lambda _: "once")
    result = await outer.sample(1)

    assert (result.status, len(asked)) == (RunStatus.COMPLETED, 9)


async def test_a_sample_of_as_many_as_there_are_leaves_nothing() -> None:
    asked: list[int] = []
    result = await carried_out(counting(asked), len(numbers()))

    assert (result.status, result.rest, len(asked)) == (RunStatus.COMPLETED, None, 9)


def simulated(tokens: Sequence[int]) -> RehearsalJob:
    tasks = tuple(
        TaskSpec(id=f"t{n}", goal="look", phase="look", domain=f"d{n % 3}", seconds=1, tokens=used)
        for n, used in enumerate(tokens)
    )
    made = plan(TaskGraph(name="job", goal="look", tasks=tasks), phase_order=("look",), agents_fixed=True)
    return RehearsalJob.of(made, Rehearsal(scale=0))


async def test_the_forecast_of_a_rehearsal_is_within_15_percent_of_what_the_rest_of_it_uses() -> None:
    tokens = [1_000 + 37 * (n % 11) for n in range(60)]
    first = await run_job(simulated(tokens), Rehearsal(scale=0), RunOptions(run_id="r", sample=6))
    whole = await run_job(simulated(tokens), Rehearsal(scale=0), RunOptions(run_id="r"))

    assert first.rest is not None
    assert first.rest.tokens is not None
    assert (first.measures.tokens is None, whole.measures.tokens is None) == (False, False)
    used = (whole.measures.tokens or 0) - (first.measures.tokens or 0)
    assert whole.measures.tokens == sum(tokens)
    assert first.rest.tokens.expected == pytest.approx(used, rel=0.15)
