"""One run from inputs to result: what stands around the phases. Prefect is imported while its server boots."""

import asyncio
import contextlib
import gc
import importlib
import logging
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from echelon.agents.workers import Workers
from echelon.coordination.accounts import account_of_job
from echelon.coordination.claims import Word
from echelon.coordination.context import RunContext, unobserved, utc_now
from echelon.coordination.delivery import Delivery
from echelon.coordination.result import missing_in, output_of, status_after
from echelon.definition.definition import JobDefinition
from echelon.definition.planned import planned
from echelon.engine.recording import (
    End,
    end_of,
    end_of_stopped,
    find_run,
    go_on,
    previous_handoffs,
    recorded,
    start_run,
)
from echelon.engine.reporting import write_conventions, write_report
from echelon.engine.server.handle import resolve_server
from echelon.journal.failpoints import failpoint
from echelon.journal.journal import Journal
from echelon.journal.outputs import OutputStore
from echelon.model.errors import JournalError
from echelon.model.policy import BulkheadPolicy
from echelon.model.run import RunRecord, RunResult, RunStatus, RunView
from echelon.model.session import pauses, seconds_without
from echelon.resilience.bulkhead import Bulkhead
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
    """The run: one that is on record is gone on with, any other is started; None starts one with an id of its own."""
    flow_run_id: str | None = None
    """The flow run of Prefect that this is; when it was tried before, its run is gone on with (F8)."""
    word: Word = Word()
    """What a person says about irreversible work that may have happened."""
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


def room_for(agents: int) -> Bulkhead:
    """Return the places for agents at work at one time; who finds none waits, domain by domain (F5)."""
    return Bulkhead("run", BulkheadPolicy(max_concurrency=agents, max_queue=None))


@contextlib.asynccontextmanager
async def prepared(
    job: JobDefinition, inputs: BaseModel, options: RunOptions, settings: Settings
) -> AsyncIterator[Prepared]:
    """Plan a run and put it on record; whatever stops it from outside is put on record too."""
    ready = planned(job, inputs, max_concurrency=options.max_concurrency or settings.max_concurrency)
    async with Journal.open(settings) as journal:
        failpoint("run.planned")
        found = await find_run(journal, job, options.run_id, options.flow_run_id)
        told = {"run_id": options.run_id, "source": options.source, "flow_run_id": options.flow_run_id}
        record = found or await start_run(journal, job, inputs, ready.plan, **told)
        failpoint("run.on-record")
        async with journal.holding(record.run_id, settings.lease_seconds) as lease:
            record = await go_on(journal, record, ready.plan) if found else record
            failpoint("run.taken")
            known = await recorded(journal, record.run_id) if found else {}
            context = RunContext(
                run_id=record.run_id,
                job=job,
                inputs=inputs,
                expansion=ready.expansion,
                plan=ready.plan,
                journal=journal,
                outputs=OutputStore(settings.outputs_url),
                folder=settings.home / "runs" / record.run_id,
                breakers=BreakerRegistry.shared(settings.redis_url.get_secret_value() if settings.redis_url else None),
                account=account_of_job(job.name, job.budget, known.get("steps", ())),
                limit=room_for(options.max_concurrency or settings.max_concurrency),
                **known,
                previous=await previous_handoffs(journal, job, record),
                word=options.word,
                lease=lease,
                observe=options.observe,
            )
            async with _ended_on_record(context, found):
                await asyncio.to_thread(write_conventions, context.plan, context.folder)
                yield Prepared(context=context, record=record, options=options)


@contextlib.asynccontextmanager
async def _ended_on_record(context: RunContext, found: RunRecord | None) -> AsyncIterator[None]:
    """Put it on record when the block is stopped from outside; `found` is how the run was found, if it was."""
    try:
        yield
    except BaseException as error:
        stopped = End(RunStatus.FAILED if isinstance(error, Exception) else RunStatus.INTERRUPTED, utc_now())
        end = end_of_stopped(found, [step.finished for step in context.steps], stopped)
        with contextlib.suppress(JournalError):  # where the journal is the trouble, the error itself says so
            await context.journal.finish_run(context.run_id, *end)
        raise
    finally:
        await Workers.close_shared()


async def finish(run: Prepared, delivered: Mapping[str, Delivery]) -> tuple[RunResult, dict[str, str | bytes]]:
    """Make the report of a run, put its end on record, and return the result with the files of the report."""
    context, journal = run.context, run.context.journal
    steps = tuple(context.steps)
    worked = [step.finished for step in steps]
    ended = end_of(run.record, worked, context.now())
    idle = pauses(await journal.sessions(context.run_id), worked)
    status = status_after(delivered)
    folder = run.options.out or context.folder / "report"
    record = run.record.model_copy(update={"status": status, "finished": ended, "report": str(folder)})
    view = RunView(
        record=record,
        steps=steps,
        missing=missing_in(delivered),
        concerns=tuple(context.concerns),
        exceptions=tuple(context.exceptions),
        measures=measure(steps, seconds_without(run.record.started, ended, idle), idle),
        output=output_of(context, delivered),
        previous=_previous_output(context),
    )
    failpoint("report.made")
    files = await asyncio.to_thread(write_report, context.job, view, folder)
    failpoint("report.written")
    await journal.finish_run(context.run_id, status, ended, str(folder))
    failpoint("run.finished")
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
