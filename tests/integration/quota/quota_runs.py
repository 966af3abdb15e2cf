"""What tests of quotas share: 30 agents that ask a model over real HTTP, and runs of them in this process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from echelon import Handoffs, Job, Resilience, integrator
from echelon.agents.model import model_agent
from echelon.coordination.job_run import run_phases
from echelon.engine.run import RunOptions, finish, prepare_run
from echelon.model.run import RunResult
from echelon.settings import Settings
from tests.integration.providers import Finding, asking

#: Files to be inspected, an agent for each, and how many are at work at one time.
FILES, AT_ONCE = 30, 4

#: Nothing but the quota is waited for.
POLICY = Resilience(breaker="openai", attempts=3, backoff_seconds=0, timeout_seconds=30)


class Files(BaseModel):
    """Inputs of the job."""

    paths: tuple[str, ...] = tuple(f"{number:02}.py" for number in range(FILES))


def of_paths(inputs: Files) -> list[str]:
    """Find the files."""
    return list(inputs.paths)


@integrator
async def number_of(findings: Handoffs[Finding]) -> int:
    """Count what was found."""
    return len(findings)


def inspecting(model: Any) -> Job:
    """Make a job that asks a model about each file, counts the answers, and does something beside that."""
    job = Job("inspecting", goal="Know every file", inputs=Files, max_concurrency=AT_ONCE)
    job.phase("inspect", each=model_agent(model, resilience=POLICY), over=of_paths, integrate=number_of)
    return job


@asynccontextmanager
async def asked(url: str) -> AsyncIterator[Job]:
    """Give the job, whose model is at an address."""
    async with asking(url) as model:
        yield inspecting(model)


async def run_here(
    job: Job, home: Path, run_id: str | None = None, *, wait_seconds: float = 60, watch: Any = None
) -> RunResult:
    """Run a job in this process, or go on with a run of it; only Prefect's picture is left out."""
    settings = Settings(home=home, quota_wait_seconds=wait_seconds)
    options = RunOptions(run_id=run_id, watch=watch)
    async with prepare_run(job, Files(), options, settings) as run:
        return await finish(run, await run_phases(run.context))


def kinds(entries: Sequence[Any]) -> list[str]:
    """Return the kinds of events, in their order."""
    return [entry.event.kind for entry in entries]
