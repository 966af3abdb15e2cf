"""A task graph that is carried out: each task is a step on what it depends on, whoever holds it (D1, D3, F8)."""

import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent as Model
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from echelon import AgentFailed, Brief, Fallback, Handoffs, Job, Resilience, TaskSpec, agent, command
from echelon.agents.agent import AgentLike
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.model.graph import Dependency, TaskGraph
from echelon.model.handoff import Handoff
from echelon.model.status import Status
from echelon.testing.runs import a_run
from tests.unit.planning.building import chained

pytestmark = pytest.mark.anyio

ONCE = Resilience(attempts=1)


class Crew:
    """An agent that says what it was given, and fails for the tasks that are `broken`."""

    def __init__(self, *broken: str, **options: Any) -> None:
        self.order: list[str] = []
        self.missing: dict[str, list[str]] = {}
        self.briefs: dict[str, Brief] = {}
        self.broken = set(broken)
        crew = self

        @agent(resilience=ONCE, **options)
        async def work(task: TaskSpec, brief: Brief, received: Handoffs[str]) -> str:
            """Do a task."""
            crew.order.append(task.id)
            crew.briefs[task.id] = brief
            crew.missing[task.id] = [one.task_id for one in received.missing]
            if task.id in crew.broken:
                raise AgentFailed(f"{task.id} is broken")
            return f"{task.id}({' '.join(received.outputs())})"

        self.agent = work


def graph(*lines: str, **update: Any) -> TaskGraph:
    """Return a graph of lines as `c: a b`, in which tasks of different letters are work of different domains."""
    tasks = tuple(task.model_copy(update={"domain": task.id[0]}) for task in chained(*lines))
    return TaskGraph(name="shop", goal="sell", tasks=tasks, **update)


def coupled(task: str, **couplings: str) -> TaskSpec:
    used = tuple(Dependency.model_validate({"task": one, "coupling": how}) for one, how in couplings.items())
    return TaskSpec(id=task, goal=f"do {task}", domain=task, depends_on=used)


async def carried_out(run: RunContext) -> dict[str, Handoff]:
    """Carry out a run; return the last handoff of each task."""
    await run_phases(run)
    return {name.task_id: step.handoff for name, step in (await run.log.refresh()).latest.items()}


def output_of(run: RunContext, handoff: Handoff) -> Any:
    assert handoff.output_location is not None
    return run.outputs.get(handoff.output_location, Any)


async def test_each_task_gets_what_the_tasks_made_that_it_depends_on_and_nothing_else(tmp_path: Path) -> None:
    crew = Crew()
    job = Job.from_graph(graph("a", "b", "c: a", "d: a b", "e: d"), agents={"*": crew.agent})
    async with a_run(job, tmp_path) as run:
        handoffs = await carried_out(run)
        outputs = {task: output_of(run, handoff) for task, handoff in handoffs.items()}

    assert outputs == {"a": "a()", "b": "b()", "c": "c(a())", "d": "d(a() b())", "e": "e(d(a() b()))"}
    assert [one.task_id for one in handoffs["d"].dependencies] == ["a", "b"]


async def test_a_task_is_told_its_own_goal_and_where_the_outputs_lie_that_it_uses(tmp_path: Path) -> None:
    crew = Crew()
    tasks = (TaskSpec(id="a", goal="count", domain="x"), coupled("b", a="loose"))
    bounded = TaskGraph(name="n", goal="sell", tasks=tasks, constraints=("be kind",))
    job = Job.from_graph(bounded, agents={"*": crew.agent})
    async with a_run(job, tmp_path) as run:
        handoffs = await carried_out(run)

    told = crew.briefs["b"].assignment
    assert (crew.briefs["a"].assignment.intent.task, told.intent.task) == ("count", "do b")
    assert told.constraints == ("be kind",)
    assert handoffs["a"].output_location is not None
    assert told.references == (handoffs["a"].output_location.location,)


async def test_an_agent_that_holds_a_chain_does_one_task_after_the_other_with_all_it_made_before(
    tmp_path: Path,
) -> None:
    crew = Crew()
    job = Job.from_graph(graph("a1", "a2: a1", "a3: a2", "b1", "b2: b1", "c: a3 b2"), agents={"*": crew.agent})
    async with a_run(job, tmp_path) as run:
        assert [len(node.members) for node in run.spec.plan.tree if node.id.startswith("feature:")] == [3, 2]
        handoffs = await carried_out(run)
        a3 = output_of(run, handoffs["a3"])

    assert [task for task in crew.order if task[0] == "a"] == ["a1", "a2", "a3"]
    assert a3 == "a3(a2(a1()) a1())"  # what it depends on, and what that one was made from by the same agent
    assert {task: handoff.producer for task, handoff in handoffs.items()}["a2"] == "feature:a1"


async def test_what_is_tight_or_has_no_fallback_is_not_started_and_what_is_loose_goes_on(tmp_path: Path) -> None:
    crew = Crew("lost")
    tasks = (
        TaskSpec(id="lost", goal="g", domain="lost"),
        TaskSpec(id="fine", goal="g", domain="fine"),
        coupled("tight", lost="tight", fine="tight"),
        coupled("medium", lost="medium"),
        coupled("loose", lost="loose", fine="loose"),
        coupled("later", lost="none"),
        coupled("behind", tight="tight"),
    )
    job = Job.from_graph(TaskGraph(name="n", goal="g", tasks=tasks), agents={"*": crew.agent})
    async with a_run(job, tmp_path) as run:
        handoffs = await carried_out(run)
        said = output_of(run, handoffs["loose"])

    status = {task: handoff.status for task, handoff in handoffs.items()}
    assert {task for task in status if status[task] is Status.BLOCKED} == {"tight", "medium", "behind"}
    assert handoffs["tight"].summary == "not started: cannot run without lost"
    assert handoffs["behind"].summary == "not started: cannot run without tight"
    assert (said, crew.missing["loose"], crew.missing["later"]) == ("loose(fine())", ["lost"], [])
    assert crew.briefs["loose"].missing == ("lost: lost is broken",)
    assert crew.briefs["later"].missing == ()


async def test_inside_a_chain_a_failure_stops_what_cannot_do_without_it(tmp_path: Path) -> None:
    tasks = tuple(
        TaskSpec(
            id=f"a{n}",
            goal="g",
            domain="a",
            depends_on=(Dependency.model_validate({"task": f"a{n - 1}", "coupling": how}),) if how else (),
        )
        for n, how in enumerate(("", "loose", "tight", "loose"))
    )
    crew = Crew("a1")
    job = Job.from_graph(TaskGraph(name="n", goal="g", tasks=tasks), agents={"*": crew.agent})
    async with a_run(job, tmp_path) as run:
        assert run.spec.plan.n_agents == 1
        handoffs = await carried_out(run)
        last = output_of(run, handoffs["a3"])

    assert crew.order == ["a0", "a1", "a3"]
    assert handoffs["a2"].status is Status.BLOCKED
    assert (last, crew.missing["a3"]) == ("a3(a0())", ["a2", "a1"])


async def test_the_fallback_of_an_agent_stands_in_for_consumers_of_medium_coupling(tmp_path: Path) -> None:
    crew = Crew("lost", fallback=Fallback.default("yesterday's"))
    tasks = (TaskSpec(id="lost", goal="g", domain="lost"), coupled("medium", lost="medium"))
    job = Job.from_graph(TaskGraph(name="n", goal="g", tasks=tasks), agents={"*": crew.agent})
    async with a_run(job, tmp_path) as run:
        handoffs = await carried_out(run)

        assert output_of(run, handoffs["medium"]) == "medium(yesterday's)"


async def test_functions_commands_and_models_work_on_one_graph(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
        asked.append(str(messages[-1].parts[-1].content))  # pyright: ignore[reportAttributeAccessIssue]
        return ModelResponse(parts=[TextPart("fine")])

    shout = "import sys; print(' '.join(sys.argv[1:]))"
    agents: dict[str, AgentLike] = {
        "say": command([sys.executable, "-c", shout, "{id}", "{goal}", "{domain}"], name="say"),
        "think": Model(FunctionModel(answer), name="think"),
        "*": Crew().agent,
    }
    tasks = (
        TaskSpec(id="hello", goal="greet", domain="x", capability="say"),
        TaskSpec(id="why", goal="explain the greeting", domain="y", capability="think", depends_on=(_on("hello"),)),
        TaskSpec(id="end", goal="g", domain="z", depends_on=(_on("why"),)),
    )
    job = Job.from_graph(TaskGraph(name="n", goal="g", tasks=tasks), agents=agents)
    async with a_run(job, tmp_path) as run:
        handoffs = await carried_out(run)

        assert output_of(run, handoffs["end"]) == "end(fine)"

    assert "# Task\n- explain the greeting" in asked[0]
    assert '"task": "hello", "summary": "hello greet x", "output": ' in asked[0]


def _on(task: str) -> Dependency:
    return Dependency(task=task)


async def test_a_task_that_checks_others_receives_what_it_checks(tmp_path: Path) -> None:
    crew = Crew()
    tasks = (TaskSpec(id="draft", goal="g"), TaskSpec(id="check", goal="g", verifies=("draft",)))
    job = Job.from_graph(TaskGraph(name="n", goal="g", tasks=tasks), agents={"*": crew.agent})
    async with a_run(job, tmp_path) as run:
        handoffs = await carried_out(run)

        assert output_of(run, handoffs["check"]) == "check(draft())"


async def test_a_second_process_does_again_only_what_did_not_complete_and_what_that_changes(tmp_path: Path) -> None:
    lines = ("a1", "a2: a1", "b", "c: a2", "d: b")
    first, second = Crew("a2"), Crew()
    async with a_run(Job.from_graph(graph(*lines), agents={"*": first.agent}), tmp_path) as run:
        await carried_out(run)
    async with a_run(Job.from_graph(graph(*lines), agents={"*": second.agent}), tmp_path) as run:
        handoffs = await carried_out(run)
        c = output_of(run, handoffs["c"])

    assert sorted(first.order) == ["a1", "a2", "b", "c", "d"]
    assert second.order == ["a2", "c"]
    assert c == "c(a2(a1()))"


async def test_a_task_that_is_added_does_not_make_others_be_done_again(tmp_path: Path) -> None:
    first, second = Crew(), Crew()
    async with a_run(Job.from_graph(graph("a", "c: a"), agents={"*": first.agent}), tmp_path) as run:
        await carried_out(run)
    more = graph("a", "b: a", "d: b", "c: a", "e: c d")
    async with a_run(Job.from_graph(more, agents={"*": second.agent}), tmp_path) as run:
        await carried_out(run)

    assert second.order == ["b", "d", "e"]
