"""X12, D11: models do work again until somebody else finds that it passes, over real HTTP."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon import Job, Repeat, Resilience, Verdict, agent, command, model_agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.model.handoff import Handoff
from echelon.model.run import StepKind
from echelon.runlog.costs.measures import measure
from echelon.testing.llm_server import LlmServer, says
from echelon.testing.runs import a_run

pytestmark = pytest.mark.anyio


class Letter(BaseModel):
    text: str


def polite(output: Letter) -> str:
    """Say what is missing."""
    return "" if "please" in output.text else "it lacks a word: please"


def asked(server: LlmServer, output_type: Any, name: str) -> Any:
    client = AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0)
    chat = OpenAIChatModel("local", provider=OpenAIProvider(openai_client=client))
    return model_agent(PydanticAgent(chat, output_type=output_type, name=name))


def prompts(server: LlmServer) -> list[str]:
    return [str(request["messages"][-1]["content"]) for request in server.requests]


async def ended(home: Path, worker: Any, until: Any, rounds: int = 3) -> tuple[RunContext, Handoff]:
    """Write a letter in rounds; returns the run and what is on record of the letter last."""
    job = Job("letter", goal="Write a letter", defaults=Resilience(attempts=1))
    job.phase("write", agent=worker, repeat=Repeat(until=until, rounds=rounds))
    async with a_run(job, home) as run:
        await run_phases(run)
        latest = run.log.state.latest
        return run, next(step.handoff for name, step in latest.items() if name.kind is StepKind.TASK)


async def test_the_next_round_is_told_what_was_missing_and_given_its_last_answer_as_data(tmp_path: Path) -> None:
    with LlmServer(says({"text": "send it"}), says({"text": "please send it"})) as server:
        run, handoff = await ended(tmp_path, asked(server, Letter, "write"), polite)
        first, second = prompts(server)

    assert (handoff.stopped_by, handoff.rounds) == ("passed", 2)
    assert "did not pass" not in first
    _, _, data = second.partition("What checks of your earlier rounds found")
    assert "it lacks a word: please" in data
    _, _, last = data.partition("What you delivered in your last round, which did not pass")
    assert '"text": "send it"' in last.replace('":"', '": "')
    assert measure(run.log.state.steps, 1.0).tokens == 2 * 15
    assert all(len(request["messages"]) == len(server.requests[0]["messages"]) for request in server.requests)


async def test_a_model_judges_what_another_agent_made(tmp_path: Path) -> None:
    @agent
    async def write(rounds: Sequence[Any] = ()) -> Letter:
        """Write a letter."""
        return Letter(text="send it")

    verdicts = says({"result": "rejected", "gap": "it is rude"}), says({"result": "accepted"})
    with LlmServer(*verdicts) as server:
        _, handoff = await ended(tmp_path, write, asked(server, Verdict, "judge"))
        first, _ = prompts(server)

    assert (handoff.stopped_by, handoff.rounds) == ("passed", 2)
    assert "send it" in first
    assert "you say whether the work below does what it was for: Write a letter." in first


async def test_a_command_judges_what_a_model_made(tmp_path: Path) -> None:
    """It names nothing of the work, so it judges all of it, as a test suite does."""
    check = command(["sh", "-c", "echo it is too short; exit 1"], name="lint")
    with LlmServer(says({"text": "send it"})) as server:
        run, _ = await ended(tmp_path, asked(server, Letter, "write"), check, rounds=2)
        _, second = prompts(server)
        (judged,) = [step.handoff for name, step in run.log.state.latest.items() if name.kind is StepKind.CHECK]

    assert (judged.task_id, judged.stopped_by, judged.rounds) == ("write/until/lint", "rounds", 2)
    assert "it is too short" in second
