"""A job is checked while it is written: each contradiction has one line that says what and where."""

from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Handoffs, Job, Resilience, agent, command, integrator
from echelon.definition.definition import default_key
from echelon.model.errors import InvalidInput, InvalidJob
from echelon.model.policy import DEFAULT_ATTEMPTS


class Inputs(BaseModel):
    path: str
    depth: int = 3


class File(BaseModel):
    path: str


@agent
async def look(item: str) -> int:
    return len(item)


@agent
async def rank(path: str) -> str:
    return path


@integrator
async def merge(seen: Handoffs[int]) -> list[int]:
    return seen.outputs()


@integrator
async def merge_words(seen: Handoffs[str]) -> str:
    return "".join(seen.outputs())


@merge.combine
async def combine_words(merged: Handoffs[str]) -> str:
    return "".join(merged.outputs())


@merge.combine
async def combine_to_words(merged: Handoffs[list[int]]) -> str:
    return str(merged.outputs())


def found(path: str) -> list[str]:
    return [path]


async def found_later(path: str) -> list[str]:
    return [path]


def plain(path: str) -> str:
    return path


def job(**options: Any) -> Job:
    return Job("survey", goal="Look around", inputs=Inputs, **options)


@pytest.mark.parametrize(
    ("phase", "complaint"),
    [
        ({}, "exactly one of `agent`, `agents` or `each`; it has 0"),
        ({"agent": rank, "agents": [rank]}, "it has 2"),
        ({"agent": plain}, "is not an agent; put @agent on the function"),
        ({"agents": [rank, rank]}, "two agents called 'rank'"),
        ({"each": look}, "`each` and `over` go together"),
        ({"agent": rank, "over": found}, "`each` and `over` go together"),
        ({"each": look, "over": found_later}, "`over` must be a plain function"),
        ({"each": look, "over": lambda colour: []}, "nothing gives its parameter 'colour' a value"),
        ({"agent": look}, "nothing gives its parameter 'item' a value"),
        ({"agent": rank, "needs": "inspect"}, "needs 'inspect', which is not a phase before it (those are: none)"),
        ({"agent": rank, "name": "a/b"}, "may only have letters, digits, '-' and '_'"),
        ({"agent": rank, "integrate": merge}, "'rank' makes str, but 'merge' integrates int"),
        ({"each": look, "over": found, "integrate": merge_words}, "'look' makes int, but 'merge_words' integrates str"),
        ({"each": look, "over": found, "integrate": combine_words}, "'merge' makes list"),
        ({"each": look, "over": found, "integrate": combine_to_words}, "'combine_to_words' makes str"),
        ({"agent": command(["cat", "{file}"])}, "nothing gives {file} a value"),
    ],
)
def test_a_phase_that_contradicts_itself_is_refused_where_it_is_written(phase: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidJob) as refused:
        job().phase(**({"name": "try"} | phase))

    assert complaint in str(refused.value)


def test_phases_have_names_of_their_own_and_jobs_too() -> None:
    survey = job()
    survey.phase("look", each=look, over=found)
    with pytest.raises(InvalidJob, match="two phases called 'look'"):
        survey.phase("look", agent=rank)
    with pytest.raises(InvalidJob, match="job name 'a b'"):
        Job("a b", goal="x")


def test_defaults_of_a_job_are_complete_so_that_every_call_is_guarded() -> None:
    defaults = job(defaults=Resilience(timeout_seconds=9)).defaults

    assert (defaults.timeout_seconds, defaults.attempts) == (9, DEFAULT_ATTEMPTS)


@pytest.mark.parametrize(("item", "key"), [(File(path="a.py"), "a.py"), ("a.py", "a.py"), (7, "7")])
def test_an_item_is_named_by_what_identifies_it(item: Any, key: str) -> None:
    assert default_key(item) == key


def test_a_plan_is_made_without_anything_being_run() -> None:
    def explode(path: str) -> int:
        raise AssertionError("planning must not run agents")

    survey = job()
    survey.phase("look", each=agent(explode, name="look"), over=lambda depth: [str(n) for n in range(depth)])
    survey.phase("rank", agent=rank, needs="look")

    plan = survey.plan(path="src", depth=12)

    assert (plan.n_agents, [phase.name for phase in plan.phases]) == (13, ["look", "rank"])
    assert plan == survey.plan(path="src", depth=12)
    assert plan.digest != survey.plan(path="src", depth=11).digest


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "'path'"),
        ({"path": "x", "colour": 1}, "unknown parameter 'colour'"),
        ({"path": "x", "depth": "x"}, "'depth'"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_before_anything_runs(given: dict[str, Any], complaint: str) -> None:
    survey = job()
    survey.phase("rank", agent=rank)
    with pytest.raises(InvalidInput, match=complaint):
        survey.plan(**given)
