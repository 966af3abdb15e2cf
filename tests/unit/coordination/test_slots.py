"""Places for agents at work are shared fairly by the domains, from the start of a phase to its end (F5)."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from echelon import Brief, Job, Resilience, agent
from echelon.coordination.job_run import run_phases
from echelon.model.policy import BulkheadPolicy
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import ONCE, Item, items, looking

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
