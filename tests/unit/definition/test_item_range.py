"""A plan shows what a job would be with the fewest and with the most items that are expected (D4, V6)."""

from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel

from echelon import Handoffs, Job, agent
from echelon.cli.views.output import out
from echelon.cli.views.plan import show_plan
from echelon.definition.definition import NoInputs
from echelon.definition.item_range import MAX_AGENTS
from echelon.definition.items import Range
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.rolling.item_forecast import ForecastEnd, ForecastRange


class Inputs(BaseModel):
    """How many items there are."""

    found: int = 3


def numbers(inputs: Inputs) -> list[int]:
    return list(range(inputs.found))


@agent
async def look(number: int) -> int:
    """Look at a number."""
    return number


@agent
async def conclude() -> int:
    """Conclude."""
    return 1


def looking(items: Range | None = (2, 40), **options: Any) -> Job:
    job = Job("looking", goal="Look", inputs=Inputs)
    job.phase("look", **({"each": look, "over": numbers, "seconds": 10, "tokens": 1000} | options), items=items)
    job.phase("conclude", agent=conclude, needs="look", seconds=2, tokens=500)
    return job


def expected(job: Job, found: int = 3, **options: Any) -> ForecastRange:
    made = job.range_for(Inputs(found=found), **options)
    assert made is not None
    return made


def agents_and_work(end: ForecastEnd) -> tuple[int, float | None, int | None]:
    assert end.makespan is not None
    assert end.spending is not None
    return end.n_agents, end.makespan.work, end.spending.work_tokens


@pytest.mark.parametrize("found", [0, 1, 2, 3, 40])
def test_both_ends_are_forecast_however_many_items_were_found(found: int) -> None:
    """Also where so few were found that the phase fails: what stands for them is none of them."""
    made = expected(looking(), found)

    assert made.low.items == {"look": 2}
    assert agents_and_work(made.low) == (3, 22.0, 2_500)
    assert made.high.items == {"look": 40}
    assert agents_and_work(made.high) == (41, 402.0, 40_500)


def test_an_end_is_what_would_be_planned_for_so_many_items() -> None:
    made = looking().plan(found=40)

    assert expected(looking()).high == ForecastEnd(
        items={"look": 40},
        n_agents=made.n_agents,
        structure=made.structure,
        makespan=made.makespan,
        spending=made.spending,
    )


def test_the_number_at_work_at_one_time_counts_at_both_ends() -> None:
    made = expected(looking(), max_concurrency=2)

    assert [end.makespan and end.makespan.max_concurrency for end in (made.low, made.high)] == [2, 2]
    assert made.high.makespan is not None
    assert (made.high.makespan.predicted or 0) > 200  # 40 × 10 s, two at a time


def test_more_items_are_in_the_domains_of_those_that_were_found() -> None:
    job, fixed = looking(domain=lambda number: f"d{number}"), looking((3, 3), domain=lambda number: f"d{number}")

    assert expected(job).high.structure == expected(looking()).high.structure
    assert expected(fixed).low == expected(fixed).high


def test_a_phase_that_may_find_nothing_is_left_out_at_the_lower_end() -> None:
    assert agents_and_work(expected(looking((0, 4))).low) == (1, 2.0, 500)


def test_a_phase_of_one_item_at_most_is_there_or_not_as_its_inputs_say() -> None:
    """Such as one that is done only when it was asked for: there is no range in that."""
    job = looking()
    job.phase("asked", each=look, over=numbers, items=(0, 1), needs="look")

    assert looking((0, 1)).range_for(Inputs(found=1)) is None
    assert expected(job, found=0).high.items == {"look": 40}


def test_phases_without_a_range_keep_the_items_that_were_found() -> None:
    job = looking()
    job.phase("again", each=look, over=numbers, seconds=1)

    assert [end.n_agents for end in (expected(job).low, expected(job).high)] == [3 + 3, 41 + 3]


def test_a_job_without_a_range_has_no_ends() -> None:
    assert looking(None).range_for(Inputs()) is None

    graph = TaskGraph(name="g", goal="Do it", tasks=(TaskSpec(id="a", goal="do it"),))
    assert Job.from_graph(graph).range_for(NoInputs()) is None


def test_keys_of_items_do_not_collide_with_those_that_are_made_up() -> None:
    job = looking(key=lambda number: f"expected-{number}")

    assert expected(job).high.n_agents == 41


def test_an_end_that_is_too_large_is_counted_only() -> None:
    assert expected(looking((0, MAX_AGENTS))).high == ForecastEnd(items={"look": MAX_AGENTS}, n_agents=MAX_AGENTS + 1)


def test_what_it_costs_is_known_at_both_ends_even_when_nothing_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    job = Job("asking", goal="Ask", inputs=Inputs)
    model = TestModel(model_name="gpt-4o-mini")  # whose price is published
    job.phase(
        "ask", each=Agent(model, output_type=str, name="ask"), over=numbers, items=(1, 100), seconds=1, tokens=1_000_000
    )

    made = expected(job, found=0)
    costs = [end.spending and end.spending.cost for end in (made.low, made.high)]
    assert [cost is not None and cost.low > 0 for cost in costs] == [True, True]
    show_plan(out(), job.plan(found=1), made)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("at ")]
    assert lines[0].startswith("at least       1 item in ask: 1 agent, single; ")
    assert lines[1].startswith("at most        100 items in ask: 100 agents, multi_tier; ")


@agent
async def survey() -> list[int]:
    """Say what there is."""
    return []


def surveyed(survey: Handoffs[list[int]]) -> list[int]:
    return []


def found_on_the_way(items: Range | None = (3, 300), **phase: Any) -> Job:
    job = Job("growing", goal="Look", inputs=Inputs)
    job.phase("survey", agent=survey, seconds=1)
    job.phase("look", each=look, over=surveyed, needs="survey", items=items, seconds=10, tokens=1000, **phase)
    job.phase("conclude", agent=conclude, needs="look", seconds=2, tokens=500)
    return job


def test_items_that_are_found_on_the_way_have_a_range_before_any_is_known() -> None:
    made = expected(found_on_the_way())

    assert agents_and_work(made.low) == (5, 33, 3500)  # survey, 3 items of 10 s, conclude
    assert agents_and_work(made.high) == (302, 3003, 300500)
    assert (made.low.structure, made.high.structure) == ("flat", "federated")
    assert made.high.makespan is not None
    assert made.high.makespan.critical_path == 13


def test_without_a_range_nothing_is_said_about_what_is_not_known() -> None:
    assert found_on_the_way(None).range_for(Inputs()) is None


def test_a_plan_says_which_phases_its_forecast_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    job = found_on_the_way()
    job.phase("more", each=look, over=surveyed, needs="survey")
    show_plan(out(), job.plan_for(Inputs()), job.range_for(Inputs()))
    printed = " ".join(capsys.readouterr().out.split())

    assert "known later" in printed
    look_, more = "look (items known after survey, 3 to 300 expected)", "more (items known after survey)"
    assert f"structure and forecast are without {look_}, {more}; at least and at most are without more" in printed
