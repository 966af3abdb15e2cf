"""From the phases of a run to the body of an agent it is a short way: each layer is one frame, and there are few."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import echelon
from echelon import Resilience, agent
from echelon.coordination.job_run import run_phases
from echelon.testing.runs import a_run
from tests.unit.coordination.depth import Depth
from tests.unit.coordination.jobs import ONCE, Item, items, looking, staged

pytestmark = pytest.mark.anyio

#: Frames of ours that lead to an agent at most: each of them stands in the traceback that its author reads.
MOST = 18

#: Where agents stand: below the primary, in domains of it, in teams of domains.
TREES = {"flat": (3,), "domains": (5, 5), "teams": (30, 30)}

#: What makes the way longer: options of the agent, and what guards it.
KINDS: dict[str, tuple[dict[str, Any], Resilience]] = {
    "reads": ({}, ONCE),
    "writes": ({"effect": "write"}, ONCE),
    "flexible": ({}, Resilience(contract="flexible", attempts=1)),
    "guarded": ({"breaker": "provider", "attempts": 3}, Resilience(provider="provider", idle_seconds=60)),
}


async def test_frames_are_counted_through_awaits_tasks_and_threads() -> None:
    depth = Depth(Path(__file__))

    async def awaited() -> int:
        return await asyncio.create_task(in_a_task())

    async def in_a_task() -> int:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(in_another())
        return task.result()

    async def in_another() -> int:
        return await asyncio.to_thread(in_a_thread)

    def in_a_thread() -> int:
        return depth()

    with depth.counting():
        assert await awaited() - depth() == 4


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("kind", KINDS)
async def test_an_async_agent_is_called_through_few_frames(tmp_path: Path, tree: str, kind: str) -> None:
    depth, found = Depth(Path(echelon.__file__).parent), list[int]()
    options, defaults = KINDS[kind]

    @agent(**options)
    async def look(item: Item) -> str:
        found.append(depth())
        return item.id

    job = looking(each=look, integrate=staged, defaults=defaults)
    async with a_run(job, tmp_path, items(*TREES[tree])) as run:
        with depth.counting():
            await run_phases(run)

    assert len(found) == sum(TREES[tree])
    assert 10 < max(found) <= MOST


async def test_a_plain_function_is_called_through_four_frames_more_three_of_them_in_its_thread(tmp_path: Path) -> None:
    depth, found = Depth(Path(echelon.__file__).parent), {"async": 0, "plain": 0}

    @agent(name="async")
    async def awaited(item: Item) -> str:
        found["async"] = depth()
        return item.id

    @agent(name="plain")
    def called(item: Item) -> str:
        found["plain"] = depth()
        return item.id

    for who in (awaited, called):
        async with a_run(looking(each=who), tmp_path, items(1), run_id=who.name) as run:
            with depth.counting():
                await run_phases(run)

    assert found["plain"] == found["async"] + 4
