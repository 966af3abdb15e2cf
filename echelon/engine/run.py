"""One run from inputs to result: what stands around the phases. Prefect is imported while its server boots."""

import asyncio
import contextlib
import gc
import importlib
import logging
import secrets
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from echelon.agents.workers import Workers
from echelon.coordination.context import RunContext, unobserved, utc_now
from echelon.coordination.delivery import Delivery
from echelon.coordination.result import missing_in, output_of, status_after
from echelon.definition.definition import JobDefinition
from echelon.definition.planned import planned
from echelon.engine.reporting import write_conventions, write_report
from echelon.engine.server import resolve_server
from echelon.journal.digest import digest_of
from echelon.journal.journal import Journal
from echelon.journal.outputs import OutputStore
from echelon.model.errors import JournalError
from echelon.model.handoff import Handoff
from echelon.model.plan import Plan
from echelon.model.run import RunRecord, RunResult, RunStatus, RunView
from echelon.resilience.budget import Account
from echelon.resilience.registry import BreakerRegistry
from echelon.settings import Settings
from echelon.visibility.measures import measure
from echelon.visibility.progress import Observer

log = logging.getLogger("echelon.engine")

#: Imported when something runs, and not at the top: Prefect takes seconds, which `plan` and `--help` must not pay.
_FLOWS = "echelon.engine.flows"

#: How long a thread may hold the interpreter while another waits, in seconds.
SWITCH_INTERVAL_SECONDS = 0.0005


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a caller may decide about a run."""

    run_id: str | None = None
    """An earlier run to go on with; None starts a new one."""
    out: Path | None = None
    """Folder for the report; None keeps it with the run."""
    resolution: Literal["agent", "team"] | None = None
    """How finely Prefect shows the run; None decides by size."""
    max_concurrency: int | None = None
    """Agents at work at one time; None takes the one of the settings."""
    source: str = ""
    """Where the job is defined, so that the run can be gone on with."""
    observe: Observer = unobserved
    """Gets every progress event."""


DEFAULT_OPTIONS = RunOptions()


@dataclass(kw_only=True)
class Prepared:
    """A run that is on record and ready to be carried out."""

    context: RunContext
    record: RunRecord
    options: RunOptions


async def run_job(job: JobDefinition, inputs: BaseModel, options: RunOptions = DEFAULT_OPTIONS) -> RunResult:
    """Run a job to its end, on the Prefect server that is configured or on an embedded one.

    The server boots while the plan is made. Raises `CallerError` for what the caller must put right before anything
    is run, and `InfrastructureError` when there is no server or no journal; a failed agent is part of the result.
    """
    settings = Settings()
    with resolve_server(settings.home) as server:
        async with prepared(job, inputs, options, settings) as run:
            flows = await asyncio.to_thread(importlib.import_module, _FLOWS)
            await server.ready()
            with server.connected(), _interpreter_tuned():
                return await flows.run_in_flow(run)


@contextlib.contextmanager
def _interpreter_tuned() -> Iterator[None]:
    """Spare a run what the interpreter would waste on it, and give everything back at its end.

    Prefect and its libraries leave half a million objects, which the garbage collector would go through again and
    again: a third of the time of a run of 1,000 agents. And the threads of the journal and of Prefect's client wait up
    to 5 ms for their turn, several times a commit.
    """
    interval_seconds = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval_seconds)


@contextlib.asynccontextmanager
async def prepared(
    job: JobDefinition, inputs: BaseModel, options: RunOptions, settings: Settings
) -> AsyncIterator[Prepared]:
    """Plan a run and put it on record; whatever stops it from outside is put on record too."""
    ready = planned(job, inputs, max_concurrency=options.max_concurrency or settings.max_concurrency)
    async with Journal.open(settings) as journal:
        record = await _on_record(journal, job, inputs, ready.plan, options)
        context = RunContext(
            run_id=record.run_id,
            job=job,
            inputs=inputs,
            expansion=ready.expansion,
            plan=ready.plan,
            journal=journal,
            outputs=OutputStore(settings.outputs_url),
            folder=settings.home / "runs" / record.run_id,
            breakers=BreakerRegistry.shared(),
            account=Account(job.budget, f"job {job.name!r}"),
            limit=asyncio.Semaphore(options.max_concurrency or settings.max_concurrency),
            **(await _recorded(journal, options.run_id) if options.run_id else {}),
            previous=await _previous(journal, job, record),
            observe=options.observe,
        )
        try:
            await asyncio.to_thread(write_conventions, context.plan, context.folder)
            yield Prepared(context=context, record=record, options=options)
        except BaseException as error:
            ended = RunStatus.FAILED if isinstance(error, Exception) else RunStatus.INTERRUPTED
            with contextlib.suppress(JournalError):  # where the journal is the trouble, the error itself says so
                await journal.finish_run(record.run_id, ended, utc_now())
            raise
        finally:
            await Workers.close_shared()


async def finish(run: Prepared, delivered: Mapping[str, Delivery]) -> tuple[RunResult, dict[str, str | bytes]]:
    """Make the report of a run, put its end on record, and return the result with the files of the report."""
    context, journal = run.context, run.context.journal
    ended = context.now()
    steps = tuple(context.steps)
    status = status_after(delivered)
    folder = run.options.out or context.folder / "report"
    record = run.record.model_copy(update={"status": status, "finished": ended, "report": str(folder)})
    view = RunView(
        record=record,
        steps=steps,
        missing=missing_in(delivered),
        concerns=tuple(context.concerns),
        exceptions=tuple(context.exceptions),
        measures=measure(steps, (ended - run.record.started).total_seconds()),
        output=output_of(context, delivered),
        previous=_previous_output(context),
    )
    files = await asyncio.to_thread(write_report, context.job, view, folder)
    await journal.finish_run(context.run_id, status, ended, str(folder))
    result = RunResult(
        run_id=context.run_id,
        status=status,
        output=view.output,
        missing=view.missing,
        concerns=view.concerns,
        measures=view.measures,
        exceptions=view.exceptions,
        report=str(folder),
    )
    return result, files


async def _on_record(
    journal: Journal, job: JobDefinition, inputs: BaseModel, made: Plan, options: RunOptions
) -> RunRecord:
    if options.run_id is not None:
        await journal.reopen_run(options.run_id)
        return (await journal.run(options.run_id)).model_copy(update={"plan": made})
    started = utc_now()
    record = RunRecord(
        run_id=f"{job.name}-{started:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        job=job.name,
        source=options.source,
        inputs=inputs.model_dump(mode="json"),
        status=RunStatus.RUNNING,
        started=started,
        plan=made,
    )
    await journal.start_run(record)
    return record


async def _recorded(journal: Journal, run_id: str) -> dict[str, Any]:
    """Return what an earlier process put on record for the run that is gone on with (F8)."""
    return {
        "steps": list(await journal.steps(run_id)),
        "concerns": list(await journal.concerns(run_id)),
        "exceptions": list(await journal.exceptions(run_id)),
    }


async def _previous(journal: Journal, job: JobDefinition, record: RunRecord) -> dict[str, Handoff]:
    """Return what the phases with a single agent delivered in the last completed run on the same inputs."""
    singles = [phase.name for phase in job.phases.values() if phase.single]
    if not singles:
        return {}
    last = await journal.last_completed(job.name, digest_of(record.inputs), record.run_id)
    if last is None:
        return {}
    steps = [step for phase in singles for step in await journal.steps(last.run_id, phase)]
    return {step.handoff.task_id: step.handoff for step in steps if step.handoff.done}


def _previous_output(context: RunContext) -> Any:
    """Return what the last phase delivered in the previous run, as JSON; None when it is gone."""
    last = [handoff for handoff in context.previous.values() if handoff.task_id in context.plan.phases[-1].tasks]
    if not last or last[0].output_location is None:
        return None
    try:
        return context.outputs.get(last[0].output_location, Any)
    except JournalError as error:
        log.warning("the output of the previous run cannot be compared: %s", error)
        return None
