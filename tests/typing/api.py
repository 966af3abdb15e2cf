"""What the type checker of a user sees at the door, pinned (style of stamina). Nothing here is run."""

from dataclasses import dataclass
from types import CoroutineType
from typing import Any, assert_type

from echelon import Handoffs, Job, Outcome, Previous, Received, RunResult, agent, command, contract, integrator
from echelon.agents.command import CommandAgent
from echelon.agents.decorators import Integrator
from echelon.agents.function import FunctionAgent
from echelon.agents.model import Model, ModelAgent
from echelon.model.run import StepRecord
from echelon.runlog.events import StepEnded


@contract(version="1.1")
@dataclass
class Finding:
    """What an agent finds."""

    text: str


@agent
async def inspect(module: str) -> Finding:
    """Inspect a module."""
    return Finding(text=module)


@agent(timeout=60, attempts=2, breaker="index", budget=False)
def look_up(word: str, *, deep: bool = False) -> list[Finding]:
    """Look a word up."""
    return [Finding(text=word)] if deep else []


@integrator
def merge(findings: Handoffs[Finding]) -> list[Finding]:
    """Merge what was found."""
    return findings.outputs()


@merge.combine
def merged(reports: Handoffs[list[Finding]]) -> list[Finding]:
    """Combine what was merged."""
    return [finding for report in reports.outputs() for finding in report]


@integrator(timeout=5)
async def count(findings: Handoffs[Finding]) -> int:
    """Count what was found."""
    return len(findings)


@agent
async def report(findings: Handoffs[Finding]) -> str:
    """Write a report."""
    return f"{len(findings)}"


lint = command(["ruff", "check"], output=list[Finding], ok_exit_codes=(0, 1), timeout=10)
words = command(["cat"], parse="lines")
text = command(["cat"])
number = command(["wc"], parse=int)


async def functions_keep_their_signatures() -> None:
    waiting = inspect("a")
    await assert_type(waiting, CoroutineType[Any, Any, Finding])
    assert_type(look_up("a", deep=True), list[Finding])
    assert_type(look_up.name, str)


async def integrators_too(findings: Handoffs[Finding], reports: Handoffs[list[Finding]]) -> None:
    assert_type(merge(findings), list[Finding])
    assert_type(merged(findings), list[Finding])
    assert_type(merged.combiner(reports), list[Finding])
    assert_type(await count(findings), int)


def any_agent_integrates(model: Model[str]) -> None:
    assert_type(integrator(words), Integrator[CommandAgent[list[str]], None])
    assert_type(integrator(report).combine(text).combiner, CommandAgent[str])
    assert_type(integrator(model), Integrator[ModelAgent[str], None])
    assert_type(merge.combine(model).combiner, ModelAgent[str])


def commands_carry_their_output() -> None:
    assert_type(lint, CommandAgent[list[Finding]])
    assert_type(words, CommandAgent[list[str]])
    assert_type(text, CommandAgent[str])
    assert_type(number, CommandAgent[int])


def handoffs_carry_their_type(numbers: Handoffs[int], before: Previous[int]) -> None:
    assert_type(numbers.outputs(), list[int])
    assert_type(numbers[0], Received[int])
    assert_type(numbers[0].load(), int)
    assert_type(numbers.of("inspect/a"), int | None)
    assert_type(before.load(), int | None)


def what_is_frozen_is_covariant(numbers: Handoffs[int], one: Outcome[bool]) -> tuple[Handoffs[object], Outcome[int]]:
    return numbers, one


async def jobs_take_agents_and_return_results(model: Model[str]) -> None:
    job = Job("audit", goal="Find what is risky")
    job.phase("inspect", each=inspect, over=lambda: ["a"], integrate=merged)
    job.phase("report", agents=[look_up, lint], fallback=words, integrate=text)
    job.phase("again", each=inspect, over=lambda: ["a"], integrate=report)
    job.phase("more", each=inspect, over=lambda: ["a"], integrate=integrator(model).combine(model))
    job.phase("most", each=inspect, over=lambda: ["a"], integrate=model)
    assert_type(await job.run(path="src"), RunResult)


async def jobs_are_agents_of_other_jobs() -> None:
    inner = Job("inner", goal="Find what is risky")
    outer = Job("outer", goal="Find all that is risky")
    outer.phase("one", agent=inner)
    outer.phase("many", each=inner.as_agent(name="many"), over=lambda: ["a"], fallback=inner)


async def runs_are_followed_resumed_and_waited_for(job: Job) -> None:
    async with job.stream(path="src") as run:
        assert_type(run.run_id, str)
        async for event in run:
            assert_type(event.kind == "step_ended", bool)
            if isinstance(event, StepEnded):
                assert_type(event.record, StepRecord)
        assert_type(await run.result(), RunResult)
    assert_type(await job.resume("run"), RunResult)
    assert_type(job.run_sync(path="src"), RunResult)


def any_function_is_an_agent(one: FunctionAgent[[int], str]) -> FunctionAgent[..., object]:
    return one
