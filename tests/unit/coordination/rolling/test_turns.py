"""D4, F5: those who touch the same are never at work at one time, and the higher priority gets its slot first."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from echelon import Brief, Fallback, Handoffs, Job, Resilience, agent
from echelon.coordination.job_run import run_phases
from echelon.model.errors import AgentFailed
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.planning.schedule.limited import ends_within
from echelon.testing.runs import a_run

pytestmark = pytest.mark.anyio

#: What waits for an agent that must not be at work beside it hangs for ever; then the test ends here.
HANGS_SECONDS = 30


class Workshop:
    """Counts who is at work on what."""

    def __init__(self) -> None:
        self.at_work: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.began: list[str] = []

    async def work_on(self, name: str, things: Sequence[str]) -> str:
        self.began.append(name)
        for thing in (*things, "anything"):
            self.at_work[thing] += 1
            self.most[thing] = max(self.most[thing], self.at_work[thing])
        for _ in range(20):
            await asyncio.sleep(0)
        for thing in (*things, "anything"):
            self.at_work[thing] -= 1
        return name


def things_of(name: str) -> list[str]:
    """`a1` touches a, `ab2` touches a and b."""
    return [letter for letter in name if letter.isalpha()]


def job_of(**stated: Any) -> Job:
    return Job("turns", goal="Change it all", defaults=Resilience(attempts=1), **stated)


async def test_tasks_that_touch_the_same_are_never_at_work_at_one_time_and_others_are(tmp_path: Path) -> None:
    shop, names = Workshop(), ["ab1", "ba2", "a3", "b4", "c5", "bc6"]

    @agent
    async def change(name: str) -> str:
        return await shop.work_on(name, things_of(name))

    job = job_of()
    job.phase("change", each=change, over=lambda: names, touches=things_of)
    async with asyncio.timeout(HANGS_SECONDS), a_run(job, tmp_path) as run:
        outputs = await run_phases(run)

    assert len(outputs["change"].handoffs) == len(names)
    assert {thing: shop.most[thing] for thing in "abc"} == {"a": 1, "b": 1, "c": 1}
    assert shop.most["anything"] > 1


async def test_without_touches_all_are_at_work_at_one_time(tmp_path: Path) -> None:
    shop = Workshop()

    @agent
    async def change(name: str) -> str:
        return await shop.work_on(name, things_of(name))

    job = job_of()
    job.phase("change", each=change, over=lambda: ["a1", "a2", "a3"])
    async with a_run(job, tmp_path) as run:
        await run_phases(run)

    assert shop.most["a"] == 3


async def test_items_that_are_found_on_the_way_take_turns_with_phases_beside_theirs(tmp_path: Path) -> None:
    """What they touch is not known when the run begins; the phase beside touches the same."""
    shop = Workshop()

    @agent
    async def survey() -> list[str]:
        return ["a1", "a2"]

    @agent
    async def beside(name: str) -> str:
        return await shop.work_on(name, things_of(name))

    @agent
    async def change(name: str) -> str:
        return await shop.work_on(name, things_of(name))

    def found(survey: Handoffs[list[str]]) -> list[str]:
        return [name for names in survey.outputs() for name in names]

    job = job_of()
    job.phase("survey", agent=survey)
    job.phase("change", each=change, over=found, needs="survey", touches=things_of)
    job.phase("beside", each=beside, over=lambda: [f"a{n}" for n in range(10)], touches=["a"])
    async with asyncio.timeout(HANGS_SECONDS), a_run(job, tmp_path) as run:
        await run_phases(run)

    assert sorted(shop.began) == sorted([f"a{n}" for n in range(10)] + ["a1", "a2"])
    assert shop.most["a"] == 1


async def test_another_agent_in_the_place_of_one_takes_its_turn_too(tmp_path: Path) -> None:
    shop = Workshop()

    @agent
    async def change(name: str) -> str:
        raise AgentFailed(f"{name} cannot be changed")

    @agent
    async def instead(name: str) -> str:
        return await shop.work_on(name, ["a"])

    job = job_of()
    job.phase("change", each=change, over=lambda: ["1", "2", "3"], touches=["a"], fallback=Fallback.agent(instead))
    async with asyncio.timeout(HANGS_SECONDS), a_run(job, tmp_path) as run:
        await run_phases(run)

    assert (len(shop.began), shop.most["a"]) == (3, 1)


async def test_the_phase_of_a_higher_priority_gets_the_slots_first(tmp_path: Path) -> None:
    """One agent at a time: what is at work ends, then all of `urgent` comes before the rest of `usual`."""
    began: list[str] = []

    @agent
    async def work(name: str) -> str:
        began.append(name)
        for _ in range(50):
            await asyncio.sleep(0)
        return name

    async def order(priority: int) -> list[str]:
        began.clear()
        job = job_of(max_concurrency=1)
        job.phase("usual", each=work, over=lambda: [f"usual {n}" for n in range(4)])
        job.phase("urgent", each=work, over=lambda: [f"urgent {n}" for n in range(4)], priority=priority)
        async with a_run(job, tmp_path / str(priority)) as run:
            await run_phases(run)
        return [name.partition(" ")[0] for name in began]

    first, *others = await order(1)

    assert first in ("usual", "urgent")
    assert others.index("usual") >= 3
    assert await order(0) != [first, *others]


async def test_the_tasks_of_a_graph_start_by_their_priority(tmp_path: Path) -> None:
    """Forecast and run start them in the same order; what is asked of an agent says how urgent it is."""
    began: list[tuple[str, int]] = []

    @agent
    async def work(task: TaskSpec, brief: Brief) -> str:
        began.append((task.id, brief.assignment.priority))
        return task.id

    priorities = {"low": -1, "usual": 0, "high": 7}
    tasks = tuple(TaskSpec(id=name, goal=name, seconds=60, tokens=90_000, priority=p) for name, p in priorities.items())
    job = Job.from_graph(TaskGraph(name="graph", goal="Do it", tasks=tasks), agents={"*": work})
    async with a_run(job, tmp_path, max_concurrency=1) as run:
        forecast = ends_within(tasks, dict.fromkeys(priorities, 60.0), run.spec.plan.limits, 0.0)
        await run_phases(run)

    assert began == [("high", 7), ("usual", 0), ("low", -1)]
    assert dict(zip(priorities, forecast, strict=True)) == {"high": 60.0, "usual": 120.0, "low": 180.0}
