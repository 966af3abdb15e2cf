"""What agents are told: the goals as they were written, and what all of them keep to (D8, D9)."""

from dataclasses import replace
from pathlib import Path

import pytest

from echelon import Handoffs, Job, agent, integrator
from echelon.conventions.brief import brief_conventions
from echelon.conventions.facts import Audience, BriefReader
from echelon.coordination.job_run import run_phases
from echelon.model.assignment import Brief
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import ONCE, Item, Items, items, of_domain

pytestmark = pytest.mark.anyio

GOAL = "Find what is risky,\n and say *why*"
CONSTRAINTS = ("read only", "no network")


class Hearing:
    """A job whose agents and integrators, at all levels, keep the briefs that they get."""

    def __init__(self) -> None:
        self.looks: list[Brief] = []
        self.merges: list[Brief] = []
        self.combines: list[Brief] = []
        hearing = self

        @agent
        async def look(item: Item, brief: Brief) -> str:
            """Look at an item."""
            hearing.looks.append(brief)
            return item.id

        @integrator
        async def merge(seen: Handoffs[str], brief: Brief) -> list[str]:
            """Put together what was seen."""
            hearing.merges.append(brief)
            return sorted(seen.outputs())

        @merge.combine
        async def combine(lists: Handoffs[list[str]], brief: Brief) -> list[str]:
            """Put lists together."""
            hearing.combines.append(brief)
            return sorted(item for one in lists.outputs() for item in one)

        self.job = Job("hearing", goal=GOAL, inputs=Items, defaults=ONCE, constraints=CONSTRAINTS)
        self.job.phase("look", each=look, over=lambda items: items, domain=of_domain, integrate=combine)


async def test_the_goals_reach_every_level_unchanged(tmp_path: Path) -> None:
    hearing = Hearing()
    async with a_run(hearing.job, tmp_path, items(7, 20, 3)) as run:
        await run_phases(run)
        nodes = run.spec.plan.nodes

    assert (len(hearing.looks), len(hearing.merges) > 3, len(hearing.combines) > 0) == (30, True, True)
    everybody = [*hearing.looks, *hearing.merges, *hearing.combines]
    assert {brief.assignment.intent.job for brief in everybody} == {GOAL}
    assert {brief.assignment.intent.task for brief in hearing.looks} == {"Look at an item."}
    assert {brief.assignment.intent.task for brief in hearing.merges} == {"Put together what was seen."}
    assert {brief.assignment.intent.task for brief in hearing.combines} == {"Put lists together."}
    for brief in hearing.looks:
        assert brief.assignment.intent.domain == run.spec.tasks[brief.assignment.task_id].domain
    for brief in (*hearing.merges, *hearing.combines):
        assert brief.assignment.intent.domain == nodes[brief.assignment.task_id.split("/", 2)[2]].domain


async def test_the_constraints_of_the_job_bound_every_task(tmp_path: Path) -> None:
    hearing = Hearing()
    async with a_run(hearing.job, tmp_path, items(3)) as run:
        await run_phases(run)

    assert [brief.assignment.constraints for brief in hearing.looks] == [CONSTRAINTS] * 3


async def test_all_that_do_the_same_are_told_the_same_conventions(tmp_path: Path) -> None:
    hearing = Hearing()
    async with a_run(hearing.job, tmp_path, items(7, 20, 3)) as run:
        await run_phases(run)

    task = BriefReader(Audience.FUNCTION, speaks=True, phase="look", receives=False)
    putting_together = task._replace(receives=True, does_task=False)
    told = {one: brief_conventions(run.spec.facts, one) for one in (task, putting_together)}
    assert {brief.conventions for brief in hearing.looks} == {told[task]}
    assert {brief.conventions for brief in (*hearing.merges, *hearing.combines)} == {told[putting_together]}
    assert len({*told.values()}) == 2


async def test_other_conventions_are_no_reason_to_do_work_again(tmp_path: Path) -> None:
    hearing = Hearing()
    async with a_run(hearing.job, tmp_path, items(3, 3)) as run:
        await run_phases(run)
    told = len(hearing.looks)
    async with a_run(hearing.job, tmp_path, items(3, 3)) as run:
        loud = run.spec.facts.job.model_copy(update={"speaking": frozenset[Audience]()})
        vars(run.spec)["facts"] = replace(run.spec.facts, job=loud)
        await run_phases(run)

    assert (told, len(hearing.looks)) == (6, 6)
