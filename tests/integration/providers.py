"""What tests of providers share: a job whose model is asked over real HTTP, and what came of it."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon import Job, Resilience
from echelon.agents.model import model_agent
from echelon.coordination.job_run import run_phases
from echelon.model.handoff import Handoff
from echelon.testing.llm_server import Answer, LlmServer, says
from echelon.testing.runs import a_run

#: Stands in for the key of a provider: it must never be seen again.
KEY = "key-that-nobody-may-see-0123456789"

#: Three attempts, with no wait but the one the provider asks for.
QUICK = Resilience(attempts=3, backoff_seconds=0, timeout_seconds=5)

#: A hung provider is given up on soon.
IMPATIENT = Resilience(attempts=3, backoff_seconds=0, timeout_seconds=0.4)


class Finding(BaseModel):
    """What the model is asked for."""

    path: str


class Files(BaseModel):
    """Inputs of the jobs."""

    paths: tuple[str, ...] = ("a.py",)


GOOD = says({"path": "a.py"})


@asynccontextmanager
async def asking(
    url: str, *, connections: int | None = None, capabilities: Sequence[Any] = ()
) -> AsyncIterator[PydanticAgent[Any, Finding]]:
    """Give a model of a provider, whose own client would retry twice."""
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=connections)) as client:
        openai = AsyncOpenAI(base_url=url, api_key=KEY, http_client=client, max_retries=2)
        model = OpenAIChatModel("local", provider=OpenAIProvider(openai_client=openai))
        yield PydanticAgent(model, output_type=Finding, name="inspect", capabilities=capabilities)


def of_paths(inputs: Files) -> list[str]:
    """Find the files."""
    return list(inputs.paths)


def inspecting(model: PydanticAgent[Any, Finding], defaults: Resilience = QUICK, **options: Any) -> Job:
    """Make a job that asks a model about every file."""
    job = Job("inspecting", goal="Know every file", inputs=Files, defaults=defaults)
    job.phase("inspect", each=model_agent(model, voice=False, **options), over=of_paths)
    return job


@dataclass(frozen=True)
class Story:
    """What came of a job with one agent."""

    handoff: Handoff
    requests: int
    waits: list[float]
    """Seconds between the requests."""
    last_request_at: datetime
    """When the last request came."""


async def story_of(home: Path, *answers: Answer, defaults: Resilience = QUICK, **options: Any) -> Story:
    """Run a job with one agent against these answers; `options` are those of `asking`."""
    with LlmServer(*answers) as server:
        async with asking(server.url, **options) as model, a_run(inspecting(model, defaults), home, Files()) as run:
            await run_phases(run)
            handoff = run.log.state.steps[0].handoff
    gaps = [later - earlier for earlier, later in zip(server.arrived, server.arrived[1:], strict=False)]
    ago = timedelta(seconds=time.monotonic() - server.arrived[-1])
    return Story(handoff, len(server.requests), gaps, datetime.now(UTC) - ago)
