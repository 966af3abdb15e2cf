"""A job as an agent of another one, as far as its definition says: contract, inputs, and who may contain whom."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from echelon import Fallback, Handoffs, Job, agent, integrator
from echelon.agents.agent import Agent
from echelon.agents.call import Call, CallShape
from echelon.definition.limits import limits_of
from echelon.definition.nested import JobAgent, output_of_job, read_output
from echelon.model.errors import InvalidInput, InvalidJob
from echelon.model.graph import TaskGraph, TaskSpec, WorkerKind
from echelon.testing.calls import a_call


class Package(BaseModel):
    name: str
    path: Path = Path()


class Repository(BaseModel):
    path: Path
    names: list[str] = []


@agent
async def size() -> int:
    """Measure."""
    return 1


@agent
async def title() -> str:
    """Name it."""
    return "a"


@integrator
async def total(sizes: Handoffs[int]) -> float:
    """Add up."""
    return float(sum(sizes.outputs()))


def job(name: str = "inner", inputs: type[BaseModel] = Package, **phase: Any) -> Job:
    made = Job(name, goal="Do it", inputs=inputs)
    made.phase("do", **(phase or {"agent": size}))
    return made


def as_agent(inner: Job, shape: CallShape) -> JobAgent:
    made: Agent = inner.as_agent().bind(shape)
    assert isinstance(made, JobAgent)
    return made


@pytest.mark.parametrize(
    ("phase", "contract"),
    [
        ({"agent": size}, int),
        ({"agents": [size]}, dict[str, int]),
        ({"agents": [size, title]}, dict[str, int | str]),
        ({"each": size, "over": lambda: [1]}, dict[str, int]),
        ({"agents": [size], "integrate": total}, float),
    ],
    ids=["one-agent", "one-of-a-list", "several", "items", "integrated"],
)
def test_the_contract_of_a_job_is_what_its_end_hands_on(phase: dict[str, Any], contract: object) -> None:
    assert output_of_job(job(**phase)) == contract


def test_a_job_with_several_ends_hands_on_what_each_of_them_does_by_its_name() -> None:
    inner = Job("inner", goal="Do it", inputs=Package)
    inner.phase("begin", agent=size)
    inner.phase("measure", agents=[size], needs="begin")
    inner.phase("name", agent=title, needs="begin")
    bound = as_agent(inner, CallShape(inputs_type=Package))

    assert output_of_job(inner) == dict[str, dict[str, int] | str]
    whole = {"measure": {"measure/size": 1}, "name": "a"}
    assert read_output(bound, whole) == whole
    assert read_output(bound, {"measure": None, "name": None}) == {"measure": {}}


def test_a_job_does_not_integrate() -> None:
    outer = Job("outer", goal="Have it done", inputs=Package)

    with pytest.raises(InvalidJob, match="job 'inner' cannot integrate: its inputs are no handoffs"):
        outer.phase("do", agents=[size], integrate=job(agent=size).as_agent())


def test_a_job_that_waits_for_a_phase_is_no_agent() -> None:
    inner = Job("inner", goal="Do it", inputs=Package)
    inner.phase("do", agent=size, needs="begin")
    outer = Job("outer", goal="Have it done", inputs=Package)

    with pytest.raises(InvalidJob, match="needs 'begin', which is no phase of job 'inner'"):
        outer.phase("inner", agent=inner)


def test_a_consumer_that_is_built_for_something_else_is_refused_where_the_job_is_written() -> None:
    @agent
    async def read(found: Handoffs[int]) -> int:
        return len(found)

    outer = Job("outer", goal="Have it done", inputs=Package)
    outer.phase("inner", agent=job(agent=title))

    with pytest.raises(InvalidJob, match="'read' receives from phase 'inner', where 'inner' makes str"):
        outer.phase("read", agent=read, needs="inner")


@pytest.mark.parametrize(
    ("item", "inputs"),
    [
        (Package(name="a", path=Path("there")), Package(name="a", path=Path("there"))),
        ({"name": "a"}, Package(name="a", path=Path("src"))),
        ({"name": "a", "path": "there", "else": 1}, Package(name="a", path=Path("there"))),
        ("a", Package(name="a", path=Path("src"))),
    ],
    ids=["its-inputs", "some-of-its-fields", "all-of-them", "a-value"],
)
def test_inputs_come_from_the_item_and_else_from_inputs_of_the_same_name(item: object, inputs: BaseModel) -> None:
    bound = as_agent(job(), CallShape(inputs_type=Repository, takes_item=True))

    assert bound.inputs_of(a_call_with(Repository(path=Path("src")), item)) == inputs


def test_the_outer_inputs_are_taken_whole_where_they_are_of_that_type() -> None:
    bound = as_agent(job(), CallShape(inputs_type=Package))
    given = Package(name="a")

    assert bound.inputs_of(a_call_with(given)) is given


def test_an_item_that_does_not_fit_says_what_is_wrong() -> None:
    bound = as_agent(job(), CallShape(inputs_type=Repository, takes_item=True))

    with pytest.raises(InvalidInput, match="name"):
        bound.inputs_of(a_call_with(Repository(path=Path("src")), 3))


def a_call_with(inputs: BaseModel, item: object = None) -> Call:
    return a_call(inputs=inputs, item=item)


def test_an_input_without_a_source_is_refused_where_the_job_is_written() -> None:
    outer = Job("outer", goal="Have it done", inputs=Repository)

    with pytest.raises(InvalidJob, match=r"nothing gives its input 'name' a value; .* \(inputs: path, names\)"):
        outer.phase("inner", agent=job())


def test_a_job_that_contains_itself_is_refused_by_its_name() -> None:
    alone = Job("alone", goal="Do it", inputs=Package)
    alone.phase("do", agent=size)

    with pytest.raises(InvalidJob, match="job 'alone' would be an agent of itself: alone → alone"):
        alone.phase("again", agent=alone)
    assert list(alone.phases) == ["do"]
    alone.phase("then", agent=size)  # nothing is left of what was refused


@pytest.mark.parametrize("through", ["agent", "fallback"])
def test_jobs_that_contain_one_another_are_refused_with_the_way_round(through: str) -> None:
    first, second, third = job("first"), job("second"), job("third")
    third.phase("then", agent=first, needs="do")
    second.phase("then", agent=third, needs="do")
    given: dict[str, Any] = {"agent": second}
    if through == "fallback":
        given = {"agent": size, "fallback": Fallback.agent(second)}

    with pytest.raises(InvalidJob, match="job 'first' would be an agent of itself: first → second → third → first"):
        first.phase("then", **given)


def test_what_a_job_hands_on_does_not_change_once_another_one_knows_it() -> None:
    inner, outer = job(), Job("outer", goal="Have it done", inputs=Package)
    outer.phase("inner", agent=inner)

    with pytest.raises(InvalidJob, match=r"job 'inner' is an agent of another job.* define phase 'more' before"):
        inner.phase("more", agent=title)


def test_a_job_without_agents_is_no_agent() -> None:
    outer = Job("outer", goal="Have it done")
    graph = TaskGraph(name="graph", goal="Do it", tasks=(TaskSpec(id="a", goal="Do it"),))

    with pytest.raises(InvalidJob, match="job 'empty' cannot be an agent of another job: it has no phases yet"):
        outer.phase("inner", agent=Job("empty", goal="Do it"))
    with pytest.raises(InvalidJob, match="job 'graph' cannot be an agent of another job: it is a task graph"):
        outer.phase("inner", agent=Job.from_graph(graph))


def test_only_jobs_with_jobs_inside_bound_how_many_of_those_are_at_work() -> None:
    outer = Job("outer", goal="Have it done", inputs=Package, max_concurrency=2)
    outer.phase("inner", agent=job())

    assert {limit.kind: limit.at_once for limit in limits_of(outer)}[WorkerKind.JOB] == 2
    assert WorkerKind.JOB not in {limit.kind for limit in limits_of(job())}
