"""X12, D4: a phase begins when the sync points it needs are passed; without a path between them they run at once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from echelon import AgentFailed, Handoffs, Job, Resilience, agent
from echelon.coordination.job_run import phases_needed, run_phases
from echelon.coordination.result import status_after
from echelon.model.run import RunStatus
from echelon.runlog.events import PhaseEnded, PhaseStarted
from echelon.testing.runs import a_run, view_so_far
from tests.unit.coordination.jobs import Watched

pytestmark = pytest.mark.anyio

#: What waits for another phase hangs for ever where phases run one behind the other; then the test ends here.
HANGS_SECONDS = 30


def job_of(name: str = "graph") -> Job:
    return Job(name, goal="See", defaults=Resilience(attempts=1))


def waiting(name: str, mine: asyncio.Event, other: asyncio.Event) -> Any:
    """Make an agent that ends when the other one has begun."""

    @agent(name=name)
    async def wait() -> str:
        mine.set()
        await other.wait()
        return name

    return wait


async def test_phases_without_a_need_between_them_are_at_work_at_the_same_time(tmp_path: Path) -> None:
    left, right = asyncio.Event(), asyncio.Event()
    job = job_of()
    job.phase("left", agent=waiting("left", left, right))
    job.phase("right", agent=waiting("right", right, left))
    async with asyncio.timeout(HANGS_SECONDS), a_run(job, tmp_path) as run:
        outputs = await run_phases(run)
        view = view_so_far(run)

    assert status_after(outputs, {"left": (), "right": ()}) is RunStatus.COMPLETED
    assert view.output == {"left": "left", "right": "right"}


async def test_a_phase_begins_when_its_own_needs_are_done_whatever_else_is_at_work(tmp_path: Path) -> None:
    """`long` ends only when `behind`, which does not need it, has begun."""
    begun = asyncio.Event()
    job = job_of()

    @agent
    async def short() -> str:
        return "short"

    @agent
    async def long() -> str:
        await begun.wait()
        return "long"

    @agent
    async def behind(short: Handoffs[str]) -> str:
        begun.set()
        return f"behind {short.outputs()[0]}"

    @agent
    async def last(behind: Handoffs[str], long: Handoffs[str]) -> list[str]:
        return [*behind.outputs(), *long.outputs()]

    job.phase("last", agent=last, needs=["behind", "long"])
    job.phase("behind", agent=behind, needs="short")
    job.phase("long", agent=long)
    job.phase("short", agent=short)
    seen = Watched()
    async with asyncio.timeout(HANGS_SECONDS), a_run(job, tmp_path, watch=seen) as run:
        await run_phases(run)
        view = view_so_far(run)

    told = [(type(one), one.phase) for one in seen.events if isinstance(one, PhaseStarted | PhaseEnded)]
    assert view.output == ["behind short", "long"]
    assert told.index((PhaseStarted, "behind")) > told.index((PhaseEnded, "short"))
    assert told.index((PhaseStarted, "behind")) < told.index((PhaseEnded, "long"))
    assert told.index((PhaseStarted, "last")) > told.index((PhaseEnded, "long"))


async def test_a_phase_that_fails_leaves_the_one_beside_it_alone(tmp_path: Path) -> None:
    failed = asyncio.Event()
    job = job_of()

    @agent
    async def breaks() -> str:
        failed.set()
        raise AgentFailed("no")

    @agent
    async def holds() -> str:
        await failed.wait()
        return "held"

    @agent
    async def after(breaks: Handoffs[str]) -> str:
        return "never"

    job.phase("breaks", agent=breaks)
    job.phase("holds", agent=holds)
    job.phase("after", agent=after, needs="breaks")
    async with asyncio.timeout(HANGS_SECONDS), a_run(job, tmp_path) as run:
        outputs = await run_phases(run)
        status = status_after(outputs, phases_needed(run.spec))
        view = view_so_far(run)

    assert status is RunStatus.PARTIAL
    assert view.output == {"after": None, "holds": "held"}
    assert [one.task_id for one in view.missing] == ["breaks/breaks", "after/after"]
    assert (view.launched, view.returned) == (3, 1)


async def test_phases_at_work_at_the_same_time_share_the_slots_of_the_run_fairly(tmp_path: Path) -> None:
    """One slot, 20 items on the left and one on the right: that one waits for the first of each team at most."""
    order: list[str] = []
    job = job_of()

    @agent
    async def see(item: str) -> str:
        order.append(item)
        return item

    for name, number in (("left", 20), ("right", 1)):
        job.phase(name, each=see, over=items_of(name, number))
    async with a_run(job, tmp_path, max_concurrency=1) as run:
        await run_phases(run)

    assert len(order) == 21
    assert order.index("right-0") <= 4  # the one at work, and one of each of three teams


def items_of(name: str, number: int) -> Any:
    def over() -> list[str]:
        return [f"{name}-{n}" for n in range(number)]

    return over


async def test_what_nobody_waits_for_is_the_output_and_several_are_told_by_name(tmp_path: Path) -> None:
    job = job_of()

    @agent
    async def first() -> int:
        return 1

    @agent
    async def double(first: Handoffs[int]) -> int:
        return 2 * first.outputs()[0]

    @agent
    async def triple(first: Handoffs[int]) -> int:
        return 3 * first.outputs()[0]

    job.phase("triple", agent=triple, needs="first")
    job.phase("double", agent=double, needs="first")
    job.phase("first", agent=first)
    async with a_run(job, tmp_path) as run:
        await run_phases(run)

        assert view_so_far(run).output == {"triple": 3, "double": 2}
