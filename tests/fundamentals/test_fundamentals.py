"""The public API in twelve small jobs, run for real. Read from the top: each adds one idea."""

import sys
from pathlib import Path

import httpx
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon import (
    AgentFailed,
    Brief,
    Budget,
    Concern,
    Handoffs,
    Job,
    Outcome,
    Previous,
    Resilience,
    RunView,
    Workspace,
    agent,
    command,
    integrator,
)
from echelon.testing.llm_server import LlmServer, says

pytestmark = [pytest.mark.anyio, pytest.mark.engine, pytest.mark.usefixtures("engine")]


class Text(BaseModel):
    """The inputs of most jobs here."""

    title: str = "Hamlet"
    words: tuple[str, ...] = ("to", "be", "or", "not")


@agent
async def measure(word: str) -> int:
    """Count the letters of a word."""
    if word == "not":
        raise AgentFailed("that word is not for counting")
    return len(word)


@integrator
async def add(lengths: Handoffs[int]) -> int:
    """Add the lengths up."""
    return sum(lengths.outputs())


async def test_an_agent_is_a_function_and_a_job_is_made_of_phases() -> None:
    @agent
    async def greet(name: str) -> str:
        """Greet somebody."""
        return f"Hello, {name}"

    class Person(BaseModel):
        name: str

    job = Job("greeting", goal="Be polite", inputs=Person)
    job.phase("greet", agent=greet)
    run = await job.run(name="Ann")

    assert (run.status, run.output) == ("completed", "Hello, Ann")


async def test_one_agent_works_on_many_items_and_an_integrator_puts_them_together() -> None:
    job = Job("counting", goal="Count letters", inputs=Text)
    job.phase("measure", each=measure, over=lambda words: words, integrate=add)
    run = await job.run(words=["to", "be"])

    assert (run.output, run.measures.agents, run.missing) == (4, 2, ())


async def test_a_function_a_command_and_a_model_are_equal_agents_of_one_job() -> None:
    class Verdict(BaseModel):
        mood: str

    @agent
    def shout(words: tuple[str, ...]) -> str:
        return " ".join(words).upper()

    count = command([sys.executable, "-c", "import sys; print(len(sys.argv[1]))", "{title}"], name="count", output=int)
    with LlmServer(says({"mood": "doubtful"})) as server:
        async with httpx.AsyncClient() as client:
            provider = OpenAIProvider(openai_client=AsyncOpenAI(base_url=server.url, api_key="x", http_client=client))
            judge = Agent(OpenAIChatModel("local", provider=provider), output_type=Verdict, name="judge")
            job = Job("reading", goal="Read a text", inputs=Text)
            job.phase("read", agents=[shout, count, judge])
            run = await job.run()

    assert run.output == {"read/shout": "TO BE OR NOT", "read/count": 6, "read/judge": {"mood": "doubtful"}}
    assert run.measures.tokens == 15


async def test_what_fails_is_missing_with_its_reason_and_everything_else_is_done() -> None:
    job = Job("counting", goal="Count letters", inputs=Text)
    job.phase("measure", each=measure, over=lambda words: words, integrate=add)
    run = await job.run()

    assert (run.status, run.output) == ("partial", 6)
    assert [(one.task_id, one.reason) for one in run.missing] == [("measure/not", "that word is not for counting")]


async def test_a_phase_gets_the_handoffs_of_the_phases_it_needs_and_a_brief() -> None:
    @agent
    async def conclude(measure: Handoffs[int], brief: Brief) -> str:
        """Say it in a sentence."""
        return f"{brief.assignment.intent.job}: {measure.outputs()}, without {len(measure.missing)}"

    job = Job("counting", goal="Count letters", inputs=Text)
    job.phase("measure", each=measure, over=lambda words: words)
    job.phase("conclude", agent=conclude, needs="measure")
    run = await job.run()

    assert run.output == "Count letters: [2, 2, 2], without 1"


async def test_whatever_an_agent_worries_about_is_kept_until_somebody_disposes_of_it() -> None:
    @agent
    async def inspect() -> Outcome[str]:
        worry = Concern(about="the door", message="It may be open", confidence=0.3, impact=0.9)
        return Outcome(output="fine", confidence=0.6, concerns=(worry,))

    job = Job("inspecting", goal="Lock up")
    job.phase("inspect", agent=inspect)
    run = await job.run()

    assert [(one.concern.about, one.concern.route, one.disposition) for one in run.concerns] == [
        ("the door", "human_review", None)
    ]


async def test_an_agent_can_compare_with_what_it_made_the_last_time() -> None:
    class Today(BaseModel):
        note: str = "comparing"

    @agent
    async def count(previous: Previous[int]) -> int:
        return (previous.load() or 0) + 1

    job = Job("comparing", goal="Compare", inputs=Today)
    job.phase("count", agent=count)

    assert [(await job.run()).output for _ in range(3)] == [1, 2, 3]


async def test_planning_is_pure_and_says_how_the_job_would_be_organised_and_why() -> None:
    job = Job("counting", goal="Count letters", inputs=Text)
    job.phase("measure", each=measure, over=lambda words: words, domain=lambda word: word[0], integrate=add)
    words = [f"{letter}{n}" for letter in "abc" for n in range(10)]
    plan = job.plan(words=words)

    assert (plan.n_agents, plan.structure) == (30, "multi_tier")
    assert plan == job.plan(words=words)
    assert {node.domain for node in plan.tree if node.kind == "team"} == {"a", "b", "c"}
    assert max(len(node.members) for node in plan.tree) <= plan.span
    assert "R1" in {reason.rule for reason in plan.reasons}


async def test_a_budget_is_kept_whoever_asks_for_more() -> None:
    job = Job("counting", goal="Count letters", inputs=Text, budget=Budget(calls=3))
    job.phase("measure", each=measure, over=lambda words: words)
    run = await job.run(words=["a", "b", "c", "d", "e"])

    assert (run.status, run.measures.completed) == ("partial", 3)
    assert "calls budget of job 'counting'" in run.missing[0].reason


async def test_a_failure_that_can_pass_is_tried_again() -> None:
    tried: list[int] = []

    @agent(timeout=10)
    async def flaky() -> str:
        tried.append(1)
        if len(tried) < 3:
            raise AgentFailed("not now", passing=True)
        return "done"

    job = Job("trying", goal="Try", defaults=Resilience(attempts=3, backoff_seconds=0))
    job.phase("try", agent=flaky)
    run = await job.run()

    assert (run.status, run.measures.first_try_rate) == ("completed", 0.0)
    assert [report.trigger for report in run.exceptions] == ["retried"]


async def test_a_plain_function_gets_a_thread_and_a_folder_of_its_own() -> None:
    @agent
    def write(workspace: Workspace) -> str:
        (workspace / "notes.txt").write_text("noted")
        return str(workspace)

    job = Job("writing", goal="Write")
    job.phase("write", agent=write)
    run = await job.run()

    assert (Path(str(run.output)) / "notes.txt").read_text() == "noted"


async def test_a_report_is_made_from_everything_that_is_known_of_a_run() -> None:
    def render(view: RunView) -> dict[str, str]:
        return {"report.md": f"# {view.record.job}: {view.output} of {len(view.steps)}"}

    job = Job("counting", goal="Count letters", inputs=Text, report=render)
    job.phase("measure", each=measure, over=lambda words: words, integrate=add)
    run = await job.run(words=["to", "be"])

    assert run.report is not None
    assert (Path(run.report) / "report.md").read_text() == "# counting: 4 of 3"
