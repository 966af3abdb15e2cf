"""A process with one run of a job whose models share a standing budget; started, and killed, by the tests beside it.

python -m tests.chaos.standing.runner JOB RUN URL ITEMS TOKENS
"""

import asyncio
import sys
from collections.abc import Sequence

from pydantic import BaseModel
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from echelon import Budget, Job, Resilience, model_agent
from echelon.coordination.job_run import run_phases
from echelon.engine.run import RunOptions, finish, prepare_run
from echelon.settings import Settings


class Items(BaseModel):
    """Inputs of the job."""

    numbers: int


def job_of(name: str, url: str, tokens: int) -> Job:
    """Return a job that asks a model once for each of its items."""
    model = OpenAIChatModel("local", provider=OpenAIProvider(base_url=url, api_key="none"))
    asked = model_agent(PydanticAgent(model, output_type=str, name="look"))
    job = Job(
        name,
        goal="Look at everything",
        inputs=Items,
        budget=[Budget(calls=10_000), Budget(tokens=tokens, per="day"), Budget(calls=10_000, per="month")],
        defaults=Resilience(attempts=1),
        max_concurrency=4,
    )
    job.phase("look", each=asked, over=lambda numbers: list(range(numbers)))
    return job


async def carry_out(name: str, run_id: str, url: str, items: int, tokens: int) -> None:
    """Run the job to its end, or go on with the run."""
    options, settings = RunOptions(run_id=run_id), Settings(picture=False)
    async with prepare_run(job_of(name, url, tokens), Items(numbers=items), options, settings) as run:
        await finish(run, await run_phases(run.context))


def main(arguments: Sequence[str]) -> None:
    """Carry out what the command line says."""
    name, run_id, url, items, tokens = arguments
    asyncio.run(carry_out(name, run_id, url, int(items), int(tokens)))


if __name__ == "__main__":
    main(sys.argv[1:])
