"""A constraint of the job is checked on what each phase hands on; what breaks it is said (D9)."""

from pathlib import Path
from typing import Any

import pytest

from echelon import Brief, Handoffs, Job, Resilience, agent
from echelon.coordination.job_run import run_phases
from echelon.coordination.result import status_after
from echelon.model.errors import InvalidJob
from echelon.model.run import RunStatus
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio


@agent
async def spend(name: str) -> int:
    """Spend something."""
    return len(name)


@agent
async def report(spend: Handoffs[int], brief: Brief) -> list[str]:
    """Report what was spent, and what is said of it."""
    return [*(str(one) for one in spend.outputs()), *brief.missing]


def a_job(*constraints: Any) -> Job:
    job = Job("spending", goal="Spend", constraints=constraints, defaults=Resilience(attempts=1))
    job.phase("spend", each=spend, over=lambda: ["a", "bb"])
    job.phase("report", agent=report, needs="spend")
    return job


def within_limit(spent: Handoffs[object], brief: Brief) -> str:
    total = sum(one for one in spent.outputs() if isinstance(one, int))
    return f"3 of 2 are spent in {brief.phase}" if total > 2 else ""


async def test_what_breaks_a_constraint_is_handed_on_with_that_said(tmp_path: Path) -> None:
    async with a_run(a_job("spend little", within_limit), tmp_path) as run:
        outputs = await run_phases(run)
        view = view_so_far(run)
    said = "what phase 'spend' hands on breaks the constraint within_limit: 3 of 2 are spent in spend"

    assert status_after(outputs) is RunStatus.PARTIAL
    assert [(one.task_id, one.reason) for one in view.missing] == [("spend/constraint/within_limit", said)]
    assert view.output == ["1", "2", f"spend/constraint/within_limit: {said}"]
    assert [one.message for one in view.exceptions if one.trigger == "partial"] == [said]


async def test_a_constraint_that_holds_costs_a_step_and_nothing_else(tmp_path: Path) -> None:
    def holds(spent: Handoffs[object]) -> bool:
        return True

    async with a_run(a_job(holds), tmp_path) as run:
        outputs = await run_phases(run)
        view = view_so_far(run)

    assert (status_after(outputs), view.missing) == (RunStatus.COMPLETED, ())
    assert view.launched == 3 + 2


async def test_a_constraint_whose_check_fails_is_not_taken_to_hold(tmp_path: Path) -> None:
    def breaks(spent: Handoffs[object]) -> bool:
        raise ValueError("no such budget")

    async with a_run(a_job(breaks), tmp_path) as run:
        outputs = await run_phases(run)

    assert status_after(outputs) is RunStatus.PARTIAL


@pytest.mark.parametrize("stated", ["spend little", [3], [within_limit, within_limit]])
def test_what_is_no_constraint_is_refused(stated: Any) -> None:
    with pytest.raises(InvalidJob):
        Job("spending", goal="Spend", constraints=stated)
