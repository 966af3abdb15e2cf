"""An output that a power cut or a person has damaged: exactly the step that made it is done again (C6, F8)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from echelon import Brief, Handoffs, Job, Resilience, agent, integrator
from echelon.agents.agent import Effect
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.step.intents import OperatorDecision
from echelon.journal.outputs import CONTENT_BYTES
from echelon.runlog.events import StepEnded
from echelon.testing.oversight import approving
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import Item, Items, Watched, items, output_of

pytestmark = pytest.mark.anyio

#: Too much for the journal.
LARGE = "x" * CONTENT_BYTES

DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "cut": lambda data: data[:-1],
    "empty": lambda _data: b"",
    "zeroed": lambda data: b"\0" * len(data),
    "removed": lambda _data: None,
    "another output": lambda data: data[::-1],
}


def large_job(effect: Effect = "read") -> tuple[Job, list[str]]:
    """Return a job of two phases whose outputs are all in files, and the list of the tasks that were asked."""
    asked: list[str] = []

    @agent(effect=effect)
    async def make(item: Item, brief: Brief) -> str:
        asked.append(brief.assignment.task_id)
        return f"{item.id}{LARGE}"

    @integrator
    async def join(parts: Handoffs[str]) -> list[str]:
        return parts.outputs()

    @agent
    async def sum_up(made: Handoffs[list[str]], brief: Brief) -> str:
        asked.append(brief.assignment.task_id)
        return f"sum{LARGE}"

    job = Job("large", goal="Make much", inputs=Items, defaults=Resilience(attempts=1))
    job.phase("make", each=make, over=lambda items: items, integrate=join)
    job.phase("sum", agent=sum_up, needs="make")
    return job, asked


def files_of(run: RunContext, home: Path) -> dict[str, Path]:
    """Return the file of each output, by task."""
    found = [step.handoff for step in run.log.state.steps]
    return {one.task_id: home / "outputs" / one.output_location.location for one in found if one.output_location}


def damage(file: Path, how: str) -> None:
    left = DAMAGES[how](file.read_bytes())
    file.unlink()
    if left is not None:
        file.write_bytes(left)


@pytest.mark.parametrize("how", DAMAGES)
async def test_exactly_the_step_whose_output_is_lost_is_done_again(tmp_path: Path, how: str) -> None:
    job, asked = large_job()
    async with a_run(job, tmp_path, items(3)) as run:
        await run_phases(run)
        before, files = output_of(run), files_of(run, tmp_path)
    assert len(files) == 5
    for task, file in files.items():
        asked.clear()
        damage(file, how)
        seen = Watched()
        async with a_run(job, tmp_path, items(3), watch=seen) as run:
            await run_phases(run)

            assert output_of(run) == before
        assert [event.record.handoff.task_id for event in seen.of(StepEnded)] == [task]
        assert asked == ([] if "/merge/" in task else [task])
        [said] = [
            report.message for report in run.log.state.exceptions if report.message.startswith(f"{task} was done")
        ]
        assert "is done again: " in said


async def test_of_work_that_cannot_be_undone_a_person_is_asked(tmp_path: Path) -> None:
    job, asked = large_job("irreversible")
    async with a_run(job, tmp_path, items(2), ask=approving()) as run:
        await run_phases(run)
        files = files_of(run, tmp_path)
    asked.clear()
    damage(files["make/i0"], "cut")

    async with a_run(job, tmp_path, items(2)) as run:
        await run_phases(run)
        asking = [step.handoff for step in run.log.state.steps if step.handoff.error and step.handoff.error.asks]
    (uncertain,) = [one for one in asking if one.attempts == 0 and one.task_id == "make/i0"]
    assert "make/i0" not in asked
    assert uncertain.task_id == "make/i0"
    assert "make/i0 cannot be undone and was done on" in uncertain.summary
    assert uncertain.error is not None
    assert "is damaged" in uncertain.error.message

    async with a_run(job, tmp_path, items(2), decision=OperatorDecision(redo=frozenset({"make/i0"}))) as run:
        await run_phases(run)
    assert asked.count("make/i0") == 1
