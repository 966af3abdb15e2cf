"""A plan may be made with the items that a phase is expected to find; a run finds its own (X12)."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import BaseModel

from echelon import Handoffs, Job, agent
from echelon.model.errors import InvalidJob


class Inputs(BaseModel):
    """How many items somebody expects."""

    expected: int = 12


@agent
async def look() -> int:
    """Look how many there are."""
    return 2


@agent
async def work(number: int) -> int:
    """Work on one."""
    return number


def found(look: Handoffs[int]) -> list[int]:
    return list(range(sum(look.outputs())))


def foreseen(expected: int) -> Sequence[int]:
    return range(expected)


def counting() -> Job:
    job = Job("counting", goal="Count", inputs=Inputs)
    job.phase("look", agent=look)
    job.phase("work", each=work, over=found, items=(0, 100), foresee=foreseen, needs="look")
    return job


def test_a_plan_shows_what_is_foreseen_and_says_so() -> None:
    plan = counting().plan(expected=12)

    assert (plan.n_agents, plan.open) == (13, ())
    assert any(
        "planned with 12 items that are foreseen; a run finds its own after look" in r.text for r in plan.reasons
    )
    assert counting().range_for(Inputs()) is None, "the plan is made for what is expected"


def test_a_run_finds_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHELON_HOME", str(tmp_path))
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    result = asyncio.run(counting().run(expected=12))

    assert result.output == {"work/0": 0, "work/1": 1}


def test_what_is_known_when_a_job_is_planned_is_not_foreseen() -> None:
    job = Job("counting", goal="Count", inputs=Inputs)

    with pytest.raises(InvalidJob, match="`foresee` is for items that are found on the way"):
        job.phase("work", each=work, over=foreseen, foresee=foreseen)


@pytest.mark.parametrize("series", [("expectd",), "expected"])
def test_a_series_is_of_inputs_that_there_are(series: Sequence[str]) -> None:
    with pytest.raises(InvalidJob, match=r"series= takes the names of inputs \(expected\)"):
        Job("counting", goal="Count", inputs=Inputs, series=series)
