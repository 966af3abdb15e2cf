"""Runs without Prefect: a real journal in a folder of yours, everything else as the engine makes it.

async with a_run(job, tmp_path) as run:
    outputs = await run_phases(run)
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from echelon.agents.processes.workers import Workers
from echelon.coordination.context import AskPerson, RunContext
from echelon.coordination.rolling.finding import items_on_record
from echelon.coordination.spec import RunSpec, utc_now
from echelon.coordination.step.intents import OperatorDecision
from echelon.coordination.step.previous_output import PreviousOutput
from echelon.coordination.voice.recording import record_leftovers
from echelon.definition.definition import JobDefinition, NoInputs
from echelon.definition.inputs import written_inputs
from echelon.definition.limits import limits_of
from echelon.definition.planned import planned
from echelon.engine.contexts import context_of, following
from echelon.engine.options import RunOptions, Watch
from echelon.engine.standing_books import keeping_standing
from echelon.journal.journal import SqlJournal
from echelon.journal.outputs import OutputStore
from echelon.model.handoff import Handoff
from echelon.model.run import RunRecord, RunStatus, RunView
from echelon.resilience.registry import BreakerRegistry
from echelon.runlog.events import RunStarted
from echelon.runlog.view import view_of
from echelon.settings import Settings


@asynccontextmanager
async def a_run(
    job: JobDefinition,
    home: Path,
    inputs: BaseModel | None = None,
    *,
    run_id: str = "run",
    previous: Mapping[str, Handoff | PreviousOutput] | None = None,
    decision: OperatorDecision | None = None,
    watch: Watch | None = None,
    breakers: BreakerRegistry | None = None,
    max_concurrency: int | None = None,
    fresh: bool = False,
    ask: AskPerson | None = None,
    **spec: Any,
) -> AsyncGenerator[RunContext]:
    """Open a run of `job` with its journal below `home`; the same `run_id` again goes on with what is on record.

    `ask` answers at gates; None: they stay open. `spec` sets fields of what is to be done, such as the clock `now`.
    """
    given = inputs or NoInputs()
    settings = Settings(home=home)
    ready = planned(job, given, limits=limits_of(job, max_concurrency))
    async with SqlJournal.open(settings) as journal:
        if await journal.known_run(run_id=run_id) is None:
            record = RunRecord(
                run_id=run_id,
                job=job.name,
                source="",
                inputs=written_inputs(given),
                status=RunStatus.RUNNING,
                started=utc_now(),
                plan=ready.plan,
            )
            await journal.append(RunStarted(run_id=run_id, at=record.started, record=record, fresh=fresh))
        async with journal.holding(run_id) as lease, following(journal, run_id, watch) as log:
            grown = [one.phase for one in log.state.extensions]
            store = OutputStore(settings.outputs_url)
            found = await items_on_record(job, store, log.state.latest.values(), grown)
            ready = planned(job, given, limits=ready.plan.limits, found=found) if found else ready
            whole = RunSpec(
                run_id=run_id,
                job=ready.job,
                inputs=given,
                expansion=ready.expansion,
                plan=ready.plan,
                found=found,
                folder=home / "runs" / run_id,
                previous={
                    task: PreviousOutput(run_id="previous", handoff=one, made_at=utc_now())
                    if isinstance(one, Handoff)
                    else one
                    for task, one in (previous or {}).items()
                },
                **spec,
            )
            options = RunOptions(decision=decision or OperatorDecision(), ask=ask)
            try:
                async with keeping_standing(journal, lease, whole, settings) as keeper:
                    context = context_of(
                        whole, log, settings, lease, options, breakers or BreakerRegistry(), standing=keeper
                    )
                    await record_leftovers(context)
                    yield context
            finally:
                await Workers.close_shared()


def view_so_far(run: RunContext) -> RunView:
    """Return what everybody is shown of a run at this moment."""
    return view_of(run.log.state, run.outputs.read_json)
