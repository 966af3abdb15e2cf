"""A phase with nothing to do looks like success: it is said, and how many items are expected can be stated (D4)."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Fallback, Job, agent
from echelon.coordination.job_run import run_phases
from echelon.definition.items import TOO_FEW
from echelon.model.errors import InvalidInput, InvalidJob
from echelon.model.exception_report import Trigger
from echelon.testing.runs import a_run, view_so_far

pytestmark = pytest.mark.anyio


class Inputs(BaseModel):
    """How many items there are."""

    found: int = 0


def numbers(inputs: Inputs) -> list[int]:
    return list(range(inputs.found))


@agent
async def look(number: int) -> int:
    """Look at a number."""
    return number


async def _look(number: int) -> int:
    return number


@agent
async def other() -> int:
    """Do something else."""
    return 1


def looking(**options: Any) -> Job:
    job = Job("looking", goal="Look", inputs=Inputs)
    job.phase("look", each=look, over=numbers, **options)
    job.phase("other", agent=other, needs={"look": "none"})
    return job


async def view_of_run(job: Job, found: int, home: Path) -> Any:
    async with a_run(job, home, Inputs(found=found)) as run:
        await run_phases(run)
        return view_so_far(run)


async def test_a_phase_without_items_is_said_and_once(tmp_path: Path) -> None:
    """The run was "completed, everything was delivered", and the phase not mentioned."""
    for _ in range(2):
        view = await view_of_run(looking(), 0, tmp_path)

        told = [one.message for one in view.exceptions if one.trigger is Trigger.EMPTY]
        assert told == ["phase 'look' had nothing to do: it found no items"]


async def test_a_phase_that_may_find_no_items_is_not_mentioned(tmp_path: Path) -> None:
    """A job that mends what a check finds has nothing to do where all is well."""
    view = await view_of_run(looking(items=(0, 3)), 0, tmp_path)

    assert [one for one in view.exceptions if one.trigger is Trigger.EMPTY] == []


@pytest.mark.parametrize(("items", "said"), [(None, ["look"]), ((0, 3), [])])
def test_a_plan_mentions_it_in_the_same_way(items: Any, said: list[str]) -> None:
    findings = looking(items=items).plan(found=0).findings

    assert [one.where for one in findings if "has no items" in one.message] == said


async def test_a_phase_with_items_is_not_mentioned(tmp_path: Path) -> None:
    view = await view_of_run(looking(items=(1, 3)), 2, tmp_path)

    assert [one for one in view.exceptions if one.trigger is Trigger.EMPTY] == []
    assert (view.launched, len(view.missing)) == (3, 0)


@pytest.mark.parametrize(("found", "said"), [(0, "found 0 items"), (1, "found 1 item")])
async def test_a_phase_with_fewer_items_than_expected_fails(tmp_path: Path, found: int, said: str) -> None:
    view = await view_of_run(looking(items=(2, 3)), found, tmp_path)

    assert [(one.task_id, said in one.reason) for one in view.missing] == [("look/too-few-items", True)]
    assert view.launched == 2


async def test_what_stands_for_items_that_were_not_found_is_no_agent_of_the_job(tmp_path: Path) -> None:
    """An agent called `items` lent it its fallback, and the phase was completed."""
    job = Job("looking", goal="Look", inputs=Inputs)
    job.phase(
        "look", each=agent(_look, name="items", attempts=4), over=numbers, items=(2, 3), fallback=Fallback.default(0)
    )

    view = await view_of_run(job, 1, tmp_path)

    assert [(one.task_id, one.instead) for one in view.missing] == [("look/too-few-items", "")]


@pytest.mark.parametrize("place", [{"agent": "it"}, {"agents": ["it"]}, {"each": "it", "over": numbers}])
def test_no_agent_can_be_called_what_stands_for_items_not_found(place: dict[str, Any]) -> None:
    taken = agent(other.function if "over" not in place else _look, name=TOO_FEW)
    given = {name: taken if what == "it" else [taken] if what == ["it"] else what for name, what in place.items()}

    with pytest.raises(InvalidJob, match="cannot be called 'too-few-items'"):
        Job("looking", goal="Look", inputs=Inputs).phase("look", **given)


def test_more_items_than_expected_are_refused_with_their_number_before_any_of_them_costs() -> None:
    with pytest.raises(InvalidInput, match=r"found 4,000 items, and at most 500 are expected.*items=\(1, 4000\)"):
        looking(items=(1, 500)).plan(found=4000)


@pytest.mark.parametrize("items", [(3, 1), (-1, 2)])
def test_a_range_that_makes_no_sense_is_refused_where_it_is_written(items: tuple[int, int]) -> None:
    with pytest.raises(InvalidJob, match="the fewest and the most"):
        looking(items=items)


def test_a_range_without_items_is_refused() -> None:
    with pytest.raises(InvalidJob, match="there is no `over`"):
        Job("one", goal="One").phase("one", agent=other, items=(1, 2))


@pytest.mark.parametrize("text", ["abc", b"abc"])
def test_a_text_is_no_list_of_items(text: Any) -> None:
    """It was one agent for each letter."""

    def found() -> Any:
        return text

    job = Job("letters", goal="Look")
    job.phase("look", each=look, over=found)

    with pytest.raises(InvalidJob, match="`over` returned the text"):
        job.plan()
