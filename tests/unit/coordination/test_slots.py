"""F5: slots are those of the plan, by kind or as stated; domains share them fairly from a phase's start to its end."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent as Model
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from echelon import Brief, Job, Resilience, agent, model_agent
from echelon.coordination.job_run import run_phases
from echelon.definition.limits import DEFAULT_MODELS
from echelon.definition.rehearsal import Rehearsal, RehearsalJob
from echelon.model.graph import WorkerKind
from echelon.model.policy import BulkheadPolicy, RateLimitPolicy
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import ONCE, Item, Items, items, looking

pytestmark = pytest.mark.anyio

#: Enough for two domains, and so for a tree that has them.
MANY = 9

#: Nobody waits so long for something that happens.
DEADLOCK_SECONDS = 20


@pytest.mark.parametrize("hangs", ["d0", "d1"])
async def test_a_domain_that_hangs_leaves_the_others_their_places(tmp_path: Path, hangs: str) -> None:
    """Those who hang go on only when all others are done: with all places in their hands nothing would ever end."""
    others_are_done = asyncio.Event()
    done = most = at_work = 0

    @agent
    async def work(item: Item) -> str:
        nonlocal done, most, at_work
        if item.domain == hangs:
            await others_are_done.wait()
            return item.id
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1
        done += 1
        if done == MANY:
            others_are_done.set()
        return item.id

    async with (
        asyncio.timeout(DEADLOCK_SECONDS),
        a_run(looking(each=work), tmp_path, items(MANY, MANY), max_concurrency=4) as run,
    ):
        await run_phases(run)

    assert all(step.handoff.done for step in run.log.state.steps)
    assert most == 2
    (limit,) = run.guarding.slots.bulkheads
    assert (limit.at_work, limit.waiting) == (0, 0)


async def test_a_domain_of_several_teams_has_one_part_of_the_places(tmp_path: Path) -> None:
    """Four domains of ten are eight teams under the primary; two places a domain, not one a team."""
    at_work: Counter[str] = Counter()
    most: Counter[str] = Counter()

    @agent
    async def work(item: Item) -> str:
        at_work[item.domain] += 1
        most[item.domain] = max(most[item.domain], at_work[item.domain])
        await asyncio.sleep(0)
        at_work[item.domain] -= 1
        return item.id

    async with a_run(looking(each=work), tmp_path, items(10, 10, 10, 10), max_concurrency=8) as run:
        await run_phases(run)
        parts = {run.spec.plan.part_of(node) for node in run.spec.plan.agent_of.values()}

    assert len(parts) == 8
    assert set(most) == {"d0", "d1", "d2", "d3"}
    assert most["d0"] == 2


async def test_a_domain_that_is_done_leaves_its_places_to_the_others(tmp_path: Path) -> None:
    """The one agent of d1 ends at once: then all four places are there for d0, four of whose agents meet."""
    all_four = asyncio.Barrier(4)

    @agent
    async def work(item: Item) -> str:
        if item.domain == "d0":
            await all_four.wait()
        return item.id

    async with (
        asyncio.timeout(DEADLOCK_SECONDS),
        a_run(looking(each=work), tmp_path, items(12, 1), max_concurrency=4) as run,
    ):
        await run_phases(run)

    assert all(step.handoff.done for step in run.log.state.steps)


async def test_nothing_is_kept_for_a_run_that_was_stopped(tmp_path: Path) -> None:
    """Places at a dependency belong to the whole process: a run that is gone must not be waited for."""
    begun = asyncio.Event()

    @agent(resilience=Resilience(provider="stopped-run", bulkhead=BulkheadPolicy(max_concurrency=2)))
    async def work(item: Item, brief: Brief) -> str:
        if brief.run_id == "stopped":
            begun.set()
            await asyncio.Event().wait()
        return brief.run_id

    async def carried_out(job: Job, run_id: str) -> None:
        async with a_run(job, tmp_path / run_id, items(MANY, MANY), run_id=run_id) as run:
            await run_phases(run)

    job = looking(each=work, defaults=ONCE)
    stopped = asyncio.create_task(carried_out(job, "stopped"))
    await begun.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    async with asyncio.timeout(DEADLOCK_SECONDS):
        await carried_out(job, "next")


#: More than any kind but functions has slots.
CROWDED = 40


class Crowd:
    """Counts those who are at work at one time; nobody leaves before so many as are expected have met."""

    def __init__(self, expected: int = 0) -> None:
        self.at_work = self.most = 0
        self._expected, self._met = expected, asyncio.Event()

    async def __call__(self) -> None:
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        if self.at_work >= self._expected:
            self._met.set()
        await self._met.wait()
        for _ in range(20):  # time enough for one too many
            await asyncio.sleep(0)
        self.at_work -= 1


def named(one: Any, number: int) -> Any:
    return replace(one, name=f"{one.name}-{number}")


def a_function(crowd: Crowd) -> Any:
    @agent
    async def look(item: Item) -> str:
        await crowd()
        return item.id

    return look


def alone(crowd: Crowd) -> Any:
    @agent
    async def look() -> str:
        await crowd()
        return "looked"

    return look


def a_model(crowd: Crowd) -> Any:
    async def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        await crowd()
        return ModelResponse(parts=[TextPart("looked")])

    return model_agent(Model(FunctionModel(answer), output_type=str), name="look")


@pytest.mark.parametrize(
    ("make", "job", "option", "most"),
    [
        (a_function, None, None, CROWDED),
        (a_model, None, None, DEFAULT_MODELS),
        (a_model, 20, None, 20),
        (a_model, 20, 30, 30),
        (a_function, 3, None, 3),
    ],
    ids=["functions", "models", "stated by the job", "stated for this run", "fewer functions"],
)
async def test_so_many_are_at_work_as_the_plan_says(
    tmp_path: Path, make: Callable[[Crowd], Any], job: int | None, option: int | None, most: int
) -> None:
    crowd = Crowd(most)
    work = looking(each=make(crowd))
    work.max_concurrency = job
    async with (
        asyncio.timeout(DEADLOCK_SECONDS),
        a_run(work, tmp_path, items(CROWDED), max_concurrency=option) as run,
    ):
        await run_phases(run)
        plan = run.spec.plan

    assert crowd.most == most
    assert most in {min(limit.at_once or CROWDED, CROWDED) for limit in plan.limits if limit.bounds(plan.tasks[0])}


async def test_kinds_do_not_take_each_others_slots(tmp_path: Path) -> None:
    crowd = Crowd(CROWDED)
    both = Job("both", goal="Look", inputs=Items)
    both.phase(
        "look",
        agents=[
            *(named(alone(crowd), n) for n in range(CROWDED)),
            *(named(a_model(Crowd()), n + CROWDED) for n in range(CROWDED)),
        ],
    )
    async with a_run(both, tmp_path, items(1)) as run:
        await run_phases(run)

    assert crowd.most == CROWDED


async def test_a_rehearsal_takes_the_slots_of_those_it_stands_for(tmp_path: Path) -> None:
    """40 models of 1 s, 16 at a time: 3 s, a hundred times as fast; 0.03 s if they were functions."""
    job = looking(each=a_model(Crowd()))
    plan = job.plan_for(items(CROWDED)).model_copy()
    timed = plan.model_copy(update={"tasks": tuple(task.model_copy(update={"seconds": 1.0}) for task in plan.tasks)})
    rehearsal = RehearsalJob.of(timed, Rehearsal(scale=0.01))
    async with a_run(rehearsal, tmp_path, Rehearsal(scale=0.01)) as run:
        await run_phases(run)
        waits = view_so_far(run).waits

    assert "models" in {wait.limiter for wait in waits}
    assert {task.kind for task in rehearsal.plan.tasks} == {WorkerKind.MODEL}
    assert (rehearsal.plan.makespan.predicted or 0) >= 0.03


def paced(requests_per_minute: float) -> Job:
    policy = RateLimitPolicy(requests_per_minute=requests_per_minute)

    @agent(resilience=Resilience(provider=f"paced-{requests_per_minute}", rate_limit=policy))
    async def look(item: Item) -> str:
        return item.id

    return looking(each=look)


async def test_a_run_keeps_to_the_rate_of_a_provider_and_the_waits_are_on_record(tmp_path: Path) -> None:
    """20 calls at 1,200 a minute: one each 0.05 s, the last one 0.95 s behind the first."""
    began = time.monotonic()
    async with a_run(paced(1200), tmp_path, items(10, 10)) as run:
        await run_phases(run)
        state, waits = run.log.state, view_so_far(run).waits

    assert time.monotonic() - began >= 0.95
    assert all(step.handoff.done for step in state.steps)
    assert sum(step.handoff.usage.seconds for step in state.steps) < 0.5
    assert ("rate limit of paced-1200", 19) in [(wait.limiter, wait.steps) for wait in waits]


async def test_a_rehearsal_keeps_to_the_rate_of_those_it_stands_for_at_its_own_speed(tmp_path: Path) -> None:
    """10 calls at 60 a minute are 9 s from the first to the last, and twenty times as fast 0.45 s."""
    plan = paced(60).plan_for(items(10))
    timed = plan.model_copy(update={"tasks": tuple(task.model_copy(update={"seconds": 0.0}) for task in plan.tasks)})
    rehearsal = RehearsalJob.of(timed, Rehearsal(scale=0.05))
    began = time.monotonic()
    async with a_run(rehearsal, tmp_path, Rehearsal(scale=0.05)) as run:
        await run_phases(run)

    assert time.monotonic() - began >= 0.45
    assert rehearsal.plan.makespan.bound_seconds == pytest.approx(0.5)
