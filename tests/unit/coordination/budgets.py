"""What tests of budgets share: agents that use tokens, and jobs that are carried out to their end."""

import asyncio
from pathlib import Path
from typing import Any

from echelon import Job, Outcome, agent
from echelon.coordination.context import RunContext
from echelon.coordination.job_run import run_phases
from echelon.coordination.phase_output import PhaseOutput
from echelon.model.handoff import Handoff
from echelon.model.run import StepKind
from echelon.model.usage import Usage
from echelon.testing.runs import a_run
from tests.unit.coordination.jobs import Item, Items


def using(tokens: int, **options: Any) -> Any:
    """Make an agent that uses so many tokens for each item."""

    @agent(**options)
    async def look(item: Item) -> Outcome[str]:
        """Look at an item."""
        await asyncio.sleep(0)
        return Outcome(output=item.id, usage=Usage(tokens_in=tokens))

    return look


async def worked(
    job: Job, home: Path, given_items: Items | None, **more: Any
) -> tuple[RunContext, dict[str, PhaseOutput]]:
    async with a_run(job, home, given_items, **more) as run:
        return run, await run_phases(run)


def ended(run: RunContext) -> dict[str, Handoff]:
    """Return the last handoff of each task."""
    return {step.handoff.task_id: step.handoff for step in run.log.state.steps if step.kind is StepKind.TASK}


def reason(handoff: Handoff) -> str:
    return handoff.error.message if handoff.error else ""
