"""Jobs within budgets, with a model that is asked over real HTTP: tasks land, domains stop, results say so (F4, F7)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon import Budget, Handoffs, Job, Resilience, integrator
from echelon.agents.model import model_agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.result import status_after
from echelon.model.handoff import WRAPPED_UP
from echelon.model.run import RunStatus, StepKind
from echelon.testing.faults import calls
from echelon.testing.llm_server import LlmServer, says
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import missing_in, output_of

pytestmark = pytest.mark.anyio


class Finding(BaseModel):
    """What the model is asked for."""

    path: str


class Files(BaseModel):
    """Inputs of the jobs."""

    paths: tuple[str, ...] = ("api/a.py",)


@asynccontextmanager
async def asking(server: LlmServer) -> AsyncIterator[PydanticAgent[Any, Finding]]:
    """Give a model that has a tool."""
    with server:
        async with httpx.AsyncClient() as client:
            openai = AsyncOpenAI(base_url=server.url, api_key="none", http_client=client)
            chat = OpenAIChatModel("local", provider=OpenAIProvider(openai_client=openai))
            model = PydanticAgent(chat, output_type=Finding, name="inspect")

            @model.tool_plain
            def look() -> str:
                return "a line of code"

            yield model


@integrator
async def merge(found: Handoffs[Finding]) -> dict[str, int]:
    """Count what was found and what was not."""
    return {"found": len(found), "missing": len(found.missing)}


def of_paths(inputs: Files) -> list[str]:
    """Find the files."""
    return list(inputs.paths)


def folder(path: str) -> str:
    """Say where a file belongs."""
    return path.partition("/")[0]


def inspecting(model: Any, defaults: Resilience, budget: Budget | None = None, tokens: int | None = None) -> Job:
    """Make a job that asks a model about every file."""
    job = Job("inspecting", goal="Know every file", inputs=Files, defaults=defaults, budget=budget)
    job.phase("inspect", each=model_agent(model), over=of_paths, domain=folder, integrate=merge, tokens=tokens)
    return job


async def worked(job: Job, home: Path, *paths: str) -> tuple[RunContext, dict[str, PhaseOutput]]:
    async with a_run(job, home, Files(paths=paths)) as run:
        return run, await run_phases(run)


async def test_a_model_whose_tokens_are_used_up_writes_down_what_it_has_and_the_run_says_partial(
    tmp_path: Path,
) -> None:
    server = LlmServer(*[calls("look", "{}", tokens_in=500)] * 2, says({"path": "half of it"}))
    async with asking(server) as model:
        job = inspecting(model, Resilience(attempts=1, budget=Budget(tokens=3000, final_call=0.5)))
        run, delivered = await worked(job, tmp_path, "api/a.py")
    (task,) = [step.handoff for step in run.log.state.steps if step.kind is StepKind.TASK]

    assert (task.done, task.wrapped_up, task.attempts) == (True, True, 2)
    assert task.usage.tokens == 2 * 505 + 15
    assert len(server.requests) == 3
    assert output_of(run) == {"found": 1, "missing": 0}
    assert status_after(delivered) is RunStatus.PARTIAL
    assert [(one.task_id, one.reason) for one in missing_in(run)] == [("inspect/api/a.py", WRAPPED_UP)]
    assert [report.message for report in run.log.state.exceptions] == [WRAPPED_UP]


async def test_a_domain_that_has_used_its_tokens_up_stops_itself_and_no_other(tmp_path: Path) -> None:
    """`api` has three files and tokens for two answers; `web` has one, and the integration still takes place."""
    server = LlmServer(says({"path": "found"}, tokens_in=1000))
    async with asking(server) as model:
        job = inspecting(model, Resilience(attempts=1, domain_budget=Budget(tokens=2500)), tokens=15)
        run, delivered = await worked(job, tmp_path, "api/a.py", "api/b.py", "api/c.py", "web/a.py")
    ended = {step.handoff.task_id: step.handoff for step in run.log.state.steps if step.kind is StepKind.TASK}
    refused = [handoff.error.message for handoff in ended.values() if handoff.error]

    assert len(server.requests) == 3
    assert len(refused) == 1
    assert "the tokens budget of domain 'api' has 490 left: 2,010 spent, 0 reserved for calls under way" in refused[0]
    assert ended["inspect/web/a.py"].done
    assert output_of(run) == {"found": 3, "missing": 1}
    assert status_after(delivered) is RunStatus.PARTIAL
    assert not any(handoff.wrapped_up for handoff in ended.values())


async def test_tasks_land_in_what_the_whole_job_kept_back_and_what_they_made_is_integrated(tmp_path: Path) -> None:
    server = LlmServer(calls("look", "{}"), calls("look", "{}"), says({"path": "half of it"}))
    async with asking(server) as model:
        job = inspecting(model, Resilience(attempts=1), budget=Budget(calls=4, final_call=0.5))
        run, delivered = await worked(job, tmp_path, "api/a.py")
    (task,) = [step.handoff for step in run.log.state.steps if step.kind is StepKind.TASK]

    assert (task.done, task.wrapped_up, task.usage.calls) == (True, True, 3)
    assert output_of(run) == {"found": 1, "missing": 0}
    assert status_after(delivered) is RunStatus.PARTIAL
    assert run.guarding.account.used.calls == 4
