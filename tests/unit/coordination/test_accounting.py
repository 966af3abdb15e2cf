"""Nothing gets lost: whatever fails, every task is accounted for exactly once (D6, F7)."""

import asyncio
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon import Handoffs, agent
from echelon.agents.prompt import prompt_of
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.step.envelope import MAX_SUMMARY
from echelon.model.assignment import Brief
from echelon.model.handoff import tokens_in
from echelon.model.run import StepKind
from echelon.runlog.costs.measures import measure
from echelon.testing.calls import a_call
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import Item, Items, items, looking, staged, total


@st.composite
def jobs_that_fail(draw: st.DrawFn) -> Items:
    """Draw domains of any size, and a set of items whose agents fail."""
    counts = draw(st.lists(st.integers(1, 20), min_size=1, max_size=4))
    failing = draw(st.sets(st.integers(0, sum(counts) - 1)))
    return items(*counts, failing=frozenset(failing))


def worked(given_items: Items, integrate: Any) -> tuple[RunContext, PhaseOutput]:
    """Do the job in a new home."""

    async def work(home: Path) -> tuple[RunContext, PhaseOutput]:
        async with a_run(looking(integrate=integrate), home, given_items) as run:
            return run, (await run_phases(run)).get("look", PhaseOutput())

    with tempfile.TemporaryDirectory() as home:
        return asyncio.run(work(Path(home)))


def reached(run: RunContext, delivery: PhaseOutput) -> list[str]:
    """Follow what was delivered back to the tasks that it was made from."""
    steps = {step.handoff.task_id: step for step in run.log.state.steps}
    tasks: list[str] = []
    open_ids = [handoff.task_id for handoff in delivery.handoffs]
    while open_ids:
        step = steps[open_ids.pop()]
        if step.kind is StepKind.TASK:
            tasks.append(step.handoff.task_id)
        open_ids += [used.task_id for used in step.handoff.dependencies]
    return tasks


@pytest.mark.parametrize("integrate", [None, total, staged], ids=["as they are", "at the primary", "in stages"])
@settings(max_examples=12, deadline=None)
@given(given_items=jobs_that_fail())
def test_every_task_is_either_in_what_was_delivered_or_missing_and_never_twice(
    integrate: Any, given_items: Items
) -> None:
    run, delivery = worked(given_items, integrate)
    failed = {f"look/{item.id}" for item in given_items.items if item.fails}
    delivered = Counter(reached(run, delivery))

    assert Counter(one.task_id for one in delivery.missing) == Counter(failed)
    assert delivered == Counter({f"look/{item.id}" for item in given_items.items} - failed)
    assert {step.node for step in run.log.state.steps if step.kind is StepKind.TASK} == set(
        run.spec.plan.agent_of.values()
    )


BIG = 200_000  # bytes


@pytest.mark.anyio
async def test_large_outputs_go_by_reference_and_both_ways_are_counted(tmp_path: Path) -> None:
    """C6: what is told without being asked for stays small, however large the outputs are."""

    @agent
    async def write(item: Item) -> str:
        return "x" * BIG

    @agent
    async def conclude(brief: Brief, look: Handoffs[str]) -> int:
        assert len(prompt_of(replace(a_call(), upstream={"look": look}))) < 10_000
        return sum(map(len, look.outputs()))

    job = looking(each=write)
    job.phase("conclude", agent=conclude, needs="look")
    async with a_run(job, tmp_path, items(3)) as run:
        await run_phases(run)
        *writers, concluder = run.log.state.steps
        measures = measure(run.log.state.steps, 1.0)

    assert [step.handoff.received.bytes_by_reference for step in writers] == [0, 0, 0]
    assert concluder.handoff.received.bytes_by_reference == 3 * (BIG + 2)  # the quotes of JSON
    assert 0 < concluder.handoff.received.bytes_by_value < 3 * 4 * MAX_SUMMARY
    assert measures.bytes_by_value == sum(step.handoff.received.bytes_by_value for step in run.log.state.steps)
    assert measures.tokens_by_value == tokens_in(measures.bytes_by_value)
    assert measures.bytes_by_reference == 3 * (BIG + 2) + len("600000")
    assert measures.tokens_by_reference == tokens_in(measures.bytes_by_reference)
    assert measures.repaired == 0
