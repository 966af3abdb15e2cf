"""Who does the tasks of a graph: given by capability, checked before anything runs, and part of what is planned."""

import re
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import Agent as Model
from pydantic_ai.models.test import TestModel

from echelon import Handoffs, Job, Need, Resilience, TaskSpec, agent, command, integrator
from echelon.definition.definition import NoInputs
from echelon.definition.limits import limits_of
from echelon.definition.planned import planned
from echelon.definition.rehearsal import Rehearsal, RehearsalJob
from echelon.model.errors import InvalidInput, InvalidJob
from echelon.model.graph import Dependency, TaskGraph, WorkerKind
from echelon.model.policy import RateLimitPolicy
from echelon.model.usage import Price


class Finding(BaseModel):
    where: str


class Report(BaseModel):
    text: str


@agent
def do(task: TaskSpec) -> str:
    """Do a task."""
    return task.id


@agent(name="do")
def namesake(task: TaskSpec) -> str:
    """Do a task, too."""
    return task.id


@agent(effect="irreversible")
def send(task: TaskSpec) -> str:
    """Send it."""
    return task.id


@agent
def find(task: TaskSpec) -> Finding:
    """Find something."""
    return Finding(where=task.id)


@agent
def count(received: Handoffs[int]) -> int:
    """Add up."""
    return sum(received.outputs())


@agent
def by_path(path: str) -> str:
    """Take what no task has."""
    return path


@agent
def takes_anything(task) -> str:  # type: ignore[no-untyped-def]
    """Take the task without saying so."""
    return task.id


@integrator
def merge(received: Handoffs[str]) -> str:
    """Merge."""
    return ""


def plain(task: TaskSpec) -> str:
    return task.id


#: One task that asks for nothing, one that asks for a capability, one behind it, one that cannot be undone.
GRAPH = TaskGraph(
    name="shop",
    goal="sell",
    tasks=(
        TaskSpec(id="a", goal="g"),
        TaskSpec(id="b", goal="g", capability="look"),
        TaskSpec(id="c", goal="g", capability="sum", depends_on=(Dependency(task="b"),)),
        TaskSpec(id="d", goal="g", capability="ship", irreversible=True),
    ),
)

NO_PATH = "agent 'by_path': nothing gives its parameter 'path' a value. It is not an input of the job (inputs: none); "


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        ({"lok": do}, "the capability 'lok', which no task has (those are: look, sum, ship); correct it, or write '*'"),
        ({"*": plain}, "capability '*': <function plain at"),
        ({"*": merge}, "is not an agent; put @agent on the function"),
        ({"*": "work:do"}, "capability '*': 'work:do' is not an agent"),
        ({"look": do, "sum": namesake}, "two agents of the graph are called 'do'; give one of them a name of its own"),
        ({"*": do}, "task 'd' is irreversible, and its agent 'do' says effect='read'; declare effect=\"irreversible\""),
        ({"look": find, "sum": count}, "task 'c': 'count' receives from task 'b', where 'find' makes Finding"),
        ({"look": by_path}, NO_PATH + "give it a default, rename it, or annotate it as TaskSpec, Brief, Handoffs[...]"),
        ({"look": command(["ls", "{path}"], name="ls")}, "command 'ls': nothing gives {path} a value; known are"),
        ({"look": command(["ls", "{item}"], name="ls")}, "command 'ls': nothing gives {item} a value; known are"),
    ],
)
def test_an_agent_that_cannot_do_its_tasks_is_refused(agents: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidJob, match=re.escape(said)):
        Job.from_graph(GRAPH, agents=agents)


@pytest.mark.parametrize(
    ("agents", "lacking"),
    [
        ({}, "for tasks that ask for none, for 'look', for 'sum' and for 'ship'"),
        ({"look": do, "ship": send}, "for tasks that ask for none and for 'sum'"),
        ({"*": do, "ship": send}, ""),
        ({"look": do, "sum": do, "ship": send}, "for tasks that ask for none"),
    ],
)
def test_a_graph_is_run_when_every_task_has_an_agent(agents: dict[str, Any], lacking: str) -> None:
    job = Job.from_graph(GRAPH, agents=agents)
    if not lacking:
        assert len(planned(job, NoInputs()).expansion.calls) == len(GRAPH.tasks)
        return

    with pytest.raises(InvalidInput, match=re.escape(lacking.replace(" and ", ", "))):
        planned(job, NoInputs())


def test_the_agent_named_for_a_capability_goes_before_the_one_for_all_others() -> None:
    ready = planned(Job.from_graph(GRAPH, agents={"*": do, "look": takes_anything, "ship": send}), NoInputs())

    assert {task: call.agent.name for task, call in ready.expansion.calls.items()} == {
        "a": "do",
        "b": "takes_anything",
        "c": "do",
        "d": "send",
    }


def test_agents_get_the_task_as_it_was_written() -> None:
    calls = planned(Job.from_graph(GRAPH, agents={"*": do, "ship": send}), NoInputs()).expansion.calls

    assert [calls[task.id].item for task in GRAPH.tasks] == list(GRAPH.tasks)


def test_what_is_run_is_what_was_planned() -> None:
    job = Job.from_graph(GRAPH, agents={"*": do, "ship": send})
    made = job.plan(max_concurrency=2)
    ready = planned(job, NoInputs(), limits=limits_of(job, 2))

    assert ready.plan == made
    assert list(ready.job.phases) == [phase.name for phase in made.phases]
    assert made.delivers == ("a", "c", "d")


def test_kinds_models_contracts_and_limits_of_agents_are_part_of_the_plan() -> None:
    model = Model(TestModel(model_name="m-1"), name="think", output_type=Finding)
    rate = RateLimitPolicy(requests_per_minute=9)
    limited = command(["ls", "{id}"], name="ls", resilience=Resilience(provider="p", rate_limit=rate))
    graph = GRAPH.model_copy(update={"prices": {"m-1": Price(input=1, output=2)}})
    plan = Job.from_graph(graph, agents={"look": model, "sum": limited, "ship": send}).plan()
    _, look, add, ship = plan.tasks

    assert (look.kind, look.model) == (WorkerKind.MODEL, "m-1")
    assert look.contract is not None
    assert look.contract.startswith("Finding@")
    assert (add.kind, add.provider) == (WorkerKind.COMMAND, "p")
    assert ship.irreversible
    assert [limit.requests_per_minute for limit in plan.limits if limit.provider == "p"] == [9]


def test_what_an_agent_cannot_undo_is_irreversible_whatever_the_file_says() -> None:
    plan = Job.from_graph(GRAPH, agents={"*": send}).plan()

    assert all(task.irreversible for task in plan.tasks)


def test_without_agents_the_plan_is_that_of_the_graph_alone() -> None:
    plan = Job.from_graph(GRAPH).plan()

    assert plan.tasks == GRAPH.tasks
    assert plan.delivers == ()


def test_a_graph_with_agents_is_rehearsed_like_any_other() -> None:
    job = Job.from_graph(GRAPH, agents={"*": do, "ship": send})
    rehearsal = RehearsalJob.of(job.plan(), Rehearsal())

    assert rehearsal.plan.delivers == ()
    assert planned(rehearsal, Rehearsal()).job is rehearsal


def test_phases_of_a_graph_need_the_phases_of_the_tasks_that_they_use() -> None:
    phases = planned(Job.from_graph(GRAPH, agents={"*": do, "ship": send}), NoInputs()).job.phases

    assert all(phase.task_by_task for phase in phases.values())
    assert [need for phase in phases.values() for need in phase.couplings.values()] == [
        Need(name, "loose") for phase in phases.values() for name in phase.needs
    ]


def test_a_consumer_that_takes_one_of_several_types_is_no_mistake() -> None:
    @agent
    def both(findings: Handoffs[Finding], reports: Handoffs[Report]) -> str:
        """Take both."""
        return ""

    Job.from_graph(GRAPH, agents={"look": find, "sum": both})
