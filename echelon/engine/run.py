"""One run from inputs to result: what stands around the phases. Prefect is not imported here: it follows the log."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import replace

from pydantic import BaseModel

from echelon.agents.capture import capturing
from echelon.agents.processes.owner import end_orphans
from echelon.agents.processes.workers import Workers
from echelon.agents.threads import use_daemon_threads
from echelon.coordination.job_run import run_phases
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.rolling.finding import items_on_record
from echelon.coordination.run_log import RunLog
from echelon.coordination.spec import RunSpec
from echelon.coordination.voice.recording import record_leftovers
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Found
from echelon.definition.inputs import written_inputs
from echelon.definition.limits import limits_of
from echelon.definition.planned import Planned, planned
from echelon.engine.asking.earlier_runs import check_waiting, supersede_earlier
from echelon.engine.closing import Prepared, close_run, record_interruption
from echelon.engine.contexts import context_of, following
from echelon.engine.contract_changes import check_contracts
from echelon.engine.interpreter import tuned_interpreter
from echelon.engine.learning.adjusting import go_by_changes
from echelon.engine.learning.history import learnt_of
from echelon.engine.nesting import (
    EnclosingFlow,
    EnclosingTask,
    JobChain,
    enclosing_flow,
    enclosing_task,
    report_refused,
)
from echelon.engine.notify.couriers import channels_of, telling
from echelon.engine.options import DEFAULT_OPTIONS, RunOptions
from echelon.engine.picture.request import PictureRequest, request_picture, wait_for_picture
from echelon.engine.recording import (
    find_run,
    new_record,
    previous_outputs,
    reopen_run,
    retry_of,
)
from echelon.engine.reporting import write_conventions
from echelon.engine.sampling import SampleRequest
from echelon.engine.server.handle import resolve_server
from echelon.engine.stalls import watching_loop
from echelon.engine.standing_books import keeping_standing
from echelon.journal.failpoints import failpoint
from echelon.journal.journal import SqlJournal
from echelon.journal.outputs import OutputStore
from echelon.journal.port import Journal
from echelon.model.errors import NestingRefused
from echelon.model.learning.learnt import Learnt
from echelon.model.run import RunRecord, RunResult, RunStatus, RunView
from echelon.planning.learning.forecast import with_learnt
from echelon.redaction import register_secrets_in, reread_environment
from echelon.runlog.events import RunStarted
from echelon.runlog.view import result_of
from echelon.settings import Settings

log = logging.getLogger("echelon.engine")

#: A run inside a flow run of Prefect ends when its picture is complete, or after so many seconds.
PICTURE_SECONDS = 15.0


async def run_job(job: JobDefinition, inputs: BaseModel, options: RunOptions = DEFAULT_OPTIONS) -> RunResult:
    """Run a job to its end; Prefect's picture of it is drawn meanwhile, by a process of its own.

    Raises `CallerError` for what the caller must put right before anything is run, and `InfrastructureError` when
    there is no journal, or no answer from the Prefect server that was configured; a failed agent is part of the result.
    """
    return result_of(await carry_out(job, inputs, options))


async def carry_out(job: JobDefinition, inputs: BaseModel, options: RunOptions = DEFAULT_OPTIONS) -> RunView:
    """Do the same, and return everything that is known about the run."""
    settings = Settings()
    use_daemon_threads(asyncio.get_running_loop())
    task = enclosing_task()
    chain = (task.chain if task else JobChain()).extend(job.name, inputs)
    flow = enclosing_flow() if task is None and options.flow_run_id is None else None
    outer = task or flow
    fresh = options.fresh or (task is not None and task.fresh)
    options = replace(options, api_url=options.api_url or await _api_url(settings, outer), chain=chain, fresh=fresh)
    async with prepare_run(job, inputs, options, settings) as run:
        await supersede_earlier(run.context.log.journal, job, run.record, settings)
        if settings.picture:
            request = PictureRequest(
                run_id=run.record.run_id,
                flow_run_id=options.flow_run_id,
                granularity=options.granularity,
                api_url=options.api_url,
                parent_run_id=task and task.run_id,
                parent_flow_run_id=outer and outer.flow_run_id,
            )
            request_picture(request, settings)
        tuned = tuned_interpreter() if task is None else contextlib.nullcontext()  # it is, for the run around it
        with watching_loop(), tuned, capturing(pass_on=options.show_prints):
            async with telling(run.context.log, settings, options.api_url):
                outputs = await run_phases(run.context)
            if task is None:
                await report_refused(run.context, chain)
            view = await close_run(run, outputs)
    if flow is not None:  # its server may end with it
        await asyncio.to_thread(wait_for_picture, view.record.run_id, settings, PICTURE_SECONDS)
    if task is None and chain.refused and view.record.status is RunStatus.FAILED:
        raise NestingRefused(f"run {view.record.run_id} failed: {chain.refused[0]}") from chain.refused[0]
    return view


async def _api_url(settings: Settings, outer: EnclosingTask | EnclosingFlow | None) -> str:
    """Return the Prefect API of a run, which answers: the one that shows what it is begun inside of.

    Empty where the process that draws the picture starts its own.
    """
    if not settings.picture:
        return ""
    if outer is not None:
        return outer.api_url
    server = resolve_server(settings.home)
    await server.check()
    return server.url


@contextlib.asynccontextmanager
async def prepare_run(
    job: JobDefinition, inputs: BaseModel, options: RunOptions, settings: Settings
) -> AsyncGenerator[Prepared]:
    """Plan a run and put it on record; whatever stops it from outside is put on record too."""
    reread_environment()
    register_secrets_in(inputs)
    written = written_inputs(inputs)  # first of all: it raises for what could not be resumed
    at_once = _at_once(options, settings)
    ready = planned(job, inputs, limits=limits_of(job, at_once))
    async with SqlJournal.open(settings) as journal:
        failpoint("run.planned")
        await check_contracts(journal, ready, options.run_id)
        found = await find_run(journal, job, inputs, options.run_id, options.flow_run_id)
        ready = await _as_changed(journal, ready, inputs, found, at_once)
        ready, learnt = await _foresee(journal, ready, found, settings)
        record = found or new_record(
            job, written, ready.plan, run_id=options.run_id, source=options.source, flow_run_id=options.flow_run_id
        )
        retry = await retry_of(journal, found, options.retry, ready.plan)
        sample = await _request(options).about(journal, found, record.run_id, ready.plan)
        start = None if found else await _start(journal, job, record, options)
        async with (
            journal.holding(record.run_id, settings.lease_seconds, start=start) as lease,
            following(journal, record.run_id, options.watch, channels_of(job, settings)) as run_log,
            contextlib.AsyncExitStack() as stack,
        ):
            items: Found = await _take_up(ready.job, run_log, settings) if found else {}
            if found:
                ready = _grown(ready, inputs, items, run_log.state.spans, learnt)
                await reopen_run(run_log, ready.plan, retry, sample, _out(options))
            elif sample:
                await run_log.append(sample)
            failpoint("run.taken")
            spec = RunSpec(
                run_id=record.run_id,
                job=ready.job,
                inputs=inputs,
                expansion=ready.expansion,
                plan=ready.plan,
                found=items,
                spans=run_log.state.spans,
                learnt=learnt,
                folder=settings.home / "runs" / record.run_id,
                previous=await previous_outputs(journal, job, record),
                by_value_tokens=settings.by_value_tokens,
            )
            keeper = await stack.enter_async_context(keeping_standing(journal, lease, spec, settings, options.chain))
            context = context_of(spec, run_log, settings, lease, options, standing=keeper)
            if found:
                await record_leftovers(context)
            async with Workers.keep_for_run(), record_interruption(context, None if retry else found):
                await asyncio.to_thread(write_conventions, spec.facts, spec.folder)
                yield Prepared(context=context, record=run_log.state.record or record, options=options)


def _grown(
    ready: Planned,
    inputs: BaseModel,
    items: Found,
    spans: Mapping[str, int],
    learnt: Learnt | None,
) -> Planned:
    """Return what is carried out with what the run has found, and has changed of its structure, so far (X12, R10)."""
    if not (items or spans):
        return ready
    return planned(ready.job, inputs, limits=ready.plan.limits, found=items, spans=spans, learnt=learnt)


def _request(options: RunOptions) -> SampleRequest:
    """Return what is asked for of a sample; a flow run that is tried again is one run."""
    keeps = options.retry is not None or options.run_id is None
    return SampleRequest(options.sample, keeps, options.retry)


async def _as_changed(
    journal: Journal, ready: Planned, inputs: BaseModel, found: RunRecord | None, at_once: int | None
) -> Planned:
    """Return what is carried out with what was changed behind diagnoses of earlier runs (G)."""
    job = await go_by_changes(journal, ready.job, found)
    return planned(job, inputs, limits=limits_of(job, at_once)) if job.adjustments else ready


async def _foresee(
    journal: Journal, ready: Planned, found: RunRecord | None, settings: Settings
) -> tuple[Planned, Learnt | None]:
    """Return what is carried out with the forecast that runs before it teach, and what they do (X10)."""
    learnt = await learnt_of(journal, ready.job.name, settings, found and found.run_id)
    return replace(ready, plan=with_learnt(ready.plan, learnt)), learnt


async def _take_up(job: JobDefinition, run_log: RunLog, settings: Settings) -> Found:
    """End what earlier processes of a run left at work, and return the items that it has found by now."""
    # Whoever reads that work was cut off may rely on it: none of it goes on.
    await asyncio.to_thread(end_orphans, _processes_here(run_log.state.holders))
    steps, grown = run_log.state.latest.values(), [one.phase for one in run_log.state.extensions]
    return await items_on_record(job, OutputStore(settings.outputs_url), steps, grown)


async def _start(journal: Journal, job: JobDefinition, record: RunRecord, options: RunOptions) -> RunStarted:
    """Return how a run begins; raises `RunSkipped` where an earlier one waits, and the job says that none begins."""
    await check_waiting(journal, job, record)
    return RunStarted(
        run_id=record.run_id,
        at=record.started,
        record=record,
        fresh=options.fresh,
        out=_out(options),
        single=options.single,
    )


def _at_once(options: RunOptions, settings: Settings) -> int | None:
    """Return how many agents may be at work at one time; None where only the job says it."""
    if options.single:
        return 1
    return settings.max_concurrency if options.max_concurrency is None else options.max_concurrency


def _out(options: RunOptions) -> str:
    return str(options.out.absolute()) if options.out else ""


def _processes_here(holders: Iterable[tuple[str, int]]) -> set[int]:
    here = socket.gethostname()
    return {pid for host, pid in holders if host == here}


async def finish(run: Prepared, outputs: Mapping[str, PhaseOutput]) -> RunResult:
    """Make the report of a run, put its end on record, and return the result."""
    return result_of(await close_run(run, outputs))
