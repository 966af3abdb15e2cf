"""Runs without Prefect: a real journal in a folder of yours, everything else as the engine makes it.

async with a_run(job, tmp_path) as run:
    delivered = await run_phases(run, InlineScheduler())
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from echelon.agents.workers import Workers
from echelon.coordination.accounts import account_of_job
from echelon.coordination.context import RunContext, utc_now
from echelon.definition.definition import JobDefinition, NoInputs
from echelon.definition.planned import planned
from echelon.engine.recording import recorded
from echelon.journal.journal import Journal
from echelon.journal.outputs import OutputStore
from echelon.model.run import RunRecord, RunStatus
from echelon.resilience.registry import BreakerRegistry
from echelon.settings import Settings


@asynccontextmanager
async def a_run(
    job: JobDefinition, home: Path, inputs: BaseModel | None = None, *, run_id: str = "run", **context: Any
) -> AsyncGenerator[RunContext]:
    """Open a run of `job` with its journal below `home`; the same `run_id` again goes on with what is on record.

    `context` sets fields of the run, such as `previous` or `observe`.
    """
    given = inputs or NoInputs()
    settings = Settings(home=home)
    ready = planned(job, given)
    made = ready.plan
    async with Journal.open(settings) as journal:
        record = RunRecord(
            run_id=run_id,
            job=job.name,
            source="",
            inputs=given.model_dump(mode="json"),
            status=RunStatus.RUNNING,
            started=utc_now(),
            plan=made,
        )
        known = await _begun(journal, record)
        async with journal.holding(run_id) as lease:
            fields: dict[str, Any] = {"lease": lease} | known | context
            try:
                yield RunContext(
                    run_id=run_id,
                    job=job,
                    inputs=given,
                    expansion=ready.expansion,
                    plan=made,
                    journal=journal,
                    outputs=OutputStore(settings.outputs_url),
                    folder=home / "runs" / run_id,
                    breakers=BreakerRegistry(),
                    account=account_of_job(job.name, job.budget, known.get("steps", ())),
                    **fields,
                )
            finally:
                await Workers.close_shared()


async def _begun(journal: Journal, record: RunRecord) -> dict[str, Any]:
    """Put a run on record, or return what is on record of it already."""
    if await journal.known_run(run_id=record.run_id) is None:
        await journal.start_run(record)
        return {}
    return await recorded(journal, record.run_id)
