"""A run that is resumed checks again what can be known better; the work is not done again (D11, F8)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from echelon import Evidence, Job, Resilience, Trace, Workspace, agent
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.run import RunStatus
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio

BROKEN: list[bool] = []
DONE: list[str] = []


@pytest.fixture(autouse=True)
def from_scratch() -> None:
    BROKEN.clear()
    DONE.clear()


@agent
async def write(name: str, folder: Workspace) -> str:
    """Write a file."""
    DONE.append(name)
    (folder / "out.txt").write_text(name)
    return name


async def run_with(tmp_path: Path, *success: Any) -> tuple[RunStatus, dict[str, str], int]:
    job = Job("writing", goal="Write", defaults=Resilience(attempts=1))
    job.phase("write", each=write, over=lambda: ["a", "bb"], success=success)
    async with a_run(job, tmp_path) as run:
        outputs = await run_phases(run)
        return status_after(outputs), view_so_far(run).unverified, len(run.log.state.steps)


def fragile(output: str, trace: Trace) -> bool:
    if BROKEN:
        raise OSError("no such rule")
    return bool(output) and "out.txt" in trace.changes


async def test_a_check_that_raised_is_made_again_with_the_trace_on_record(tmp_path: Path) -> None:
    BROKEN.append(True)
    first, unverified, _ = await run_with(tmp_path, fragile, Evidence(changes="*.txt"))
    still, _, _ = await run_with(tmp_path, fragile, Evidence(changes="*.txt"))
    BROKEN.clear()
    then, after, steps = await run_with(tmp_path, fragile, Evidence(changes="*.txt"))
    last, _, same = await run_with(tmp_path, fragile, Evidence(changes="*.txt"))

    assert [first, still, then, last] == [
        *(RunStatus.PARTIAL, RunStatus.PARTIAL, RunStatus.COMPLETED, RunStatus.COMPLETED)
    ]
    assert (len(unverified), after, steps, sorted(DONE)) == (2, {}, same, ["a", "bb"])


def a_check(longest: int) -> Callable[[str], str]:
    def fits(output: str) -> str:
        return "" if 0 < len(output) < longest else f"not between 1 and {longest}"

    return fits


async def test_what_a_changed_check_rejects_is_done_again_and_nothing_else(tmp_path: Path) -> None:
    await run_with(tmp_path, a_check(9))
    status, _, _ = await run_with(tmp_path, a_check(2))

    assert status is RunStatus.PARTIAL
    assert sorted(DONE) == ["a", "bb", "bb"]


async def test_checks_that_are_stated_later_are_made_of_what_is_there(tmp_path: Path) -> None:
    await run_with(tmp_path)
    status, _, _ = await run_with(tmp_path, a_check(9))

    assert (status, sorted(DONE)) == (RunStatus.COMPLETED, ["a", "bb"])
