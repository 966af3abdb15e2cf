"""One run from inputs to result: what stands around the phases. Prefect is not imported here: it follows the log."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from echelon.agents.capture import capturing
from echelon.agents.processes.owner import end_orphans
from echelon.agents.processes.workers import Workers
from echelon.agents.threads import use_daemon_threads
from echelon.coordination.accounts import Accounts, account_of_job, spent_by
from echelon.coordination.context import RunContext
from echelon.coordination.contracts import Contracts
from echelon.coordination.guarding import Guarding
from echelon.coordination.job_run import phases_needed, run_phases
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.result import status_after
from echelon.coordination.rolling.finding import items_on_record
from echelon.coordination.run_log import RunLog
from echelon.coordination.spec import RunSpec, utc_now
from echelon.coordination.step.intents import IntentLog, OperatorDecision
from echelon.coordination.step.memo import StepMemo
from echelon.coordination.step.retries import RetryRequest
from echelon.coordination.workspaces import Workspaces
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Found
from echelon.definition.inputs import written_inputs
from echelon.definition.limits import limits_of, provider_policies
from echelon.definition.planned import planned
from echelon.engine.interpreter import tuned_interpreter
from echelon.engine.nested_books import NestedBooks
from echelon.engine.nesting import (
    EnclosingFlow,
    EnclosingTask,
    JobChain,
    NestedShare,
    enclosing_flow,
    enclosing_task,
    report_refused,
    within,
)
from echelon.engine.picture.request import Granularity, PictureRequest, request_picture, wait_for_picture
from echelon.engine.prefect_logger import run_context_for
from echelon.engine.recording import (
    End,
    end_of,
    end_of_stopped,
    find_run,
    new_record,
    previous_handoffs,
    reopen_run,
    retry_of,
)
from echelon.engine.reporting import write_conventions, write_report
from echelon.engine.sampling import SampleRequest
from echelon.engine.server.handle import resolve_server
from echelon.engine.stalls import watching_loop
from echelon.journal.failpoints import failpoint
from echelon.journal.journal import SqlJournal
from echelon.journal.lease import Lease
from echelon.journal.outputs import OutputStore
from echelon.journal.port import Journal
from echelon.model.errors import JournalError, NestingRefused
from echelon.model.run import RunRecord, RunResult, RunStatus, RunView
from echelon.planning.schedule.phase_graph import final_phases
from echelon.redaction import register_secrets_in, reread_environment
from echelon.resilience.registry import BreakerRegistry
from echelon.resilience.reservation import usage_beyond
from echelon.resilience.run_slots import RunSlots
from echelon.runlog.events import LoggedEvent, RunEnded, RunStarted
from echelon.runlog.sampling import rest_of
from echelon.runlog.view import result_of, view_of
from echelon.settings import Settings

log = logging.getLogger("echelon.engine")

#: A run inside a flow run of Prefect ends when its picture is complete, or after so many seconds.
PICTURE_SECONDS = 15.0

Watch = Callable[[Sequence[LoggedEvent]], None]
"""Gets the events of a run as they become durable, those of earlier processes first; returns at once."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a caller may decide about a run."""

    run_id: str | None = None
    """The run: one that is on record is resumed, any other is started; None starts one with an id of its own."""
    flow_run_id: str | None = None
    """The flow run of Prefect that this is; when it was tried before, its run is resumed (F8)."""
    decision: OperatorDecision = OperatorDecision()
    """What a person says about irreversible work that may have happened."""
    retry: RetryRequest | None = None
    """What of a run that is on record is done again, whatever came of it (F8)."""
    sample: int | None = None
    """How many tasks of each wide phase are done, where the rest is to be foreseen from them first; None: all (V6)."""
    out: Path | None = None
    """Folder for the report; None keeps it with the run."""
    api_url: str = ""
    """The Prefect API that started it; empty: the one that is configured, kept, or started for its picture."""
    granularity: Granularity | None = None
    """How finely Prefect shows the run; None decides by size."""
    max_concurrency: int | None = None
    """Agents at work at one time, whatever they are; None: what the settings say, the job, or else by kind (F5)."""
    source: str = ""
    """Where the job is defined, so that the run can be resumed."""
    watch: Watch | None = None
    """Gets every event."""
    show_prints: bool = True
    """Does what agents print appear on the standard output too, and not in their logs only?"""
    share: NestedShare | None = None
    """What it takes from the run that it is a task of; None for one that pays for itself."""
    chain: JobChain = field(default_factory=JobChain)
    """Its job, and those that it is at work in; made by `run_job`."""


DEFAULT_OPTIONS = RunOptions()


@dataclass(kw_only=True)
class Prepared:
    """A run that is on record and ready to be carried out."""

    context: RunContext
    record: RunRecord
    options: RunOptions


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
    options = replace(options, api_url=options.api_url or await _api_url(settings, outer), chain=chain)
    async with prepare_run(job, inputs, options, settings) as run:
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
    stated = settings.max_concurrency if options.max_concurrency is None else options.max_concurrency
    ready = planned(job, inputs, limits=limits_of(job, stated))
    async with SqlJournal.open(settings) as journal:
        failpoint("run.planned")
        found = await find_run(journal, job, inputs, options.run_id, options.flow_run_id)
        record = found or new_record(
            job, written, ready.plan, run_id=options.run_id, source=options.source, flow_run_id=options.flow_run_id
        )
        retry = await retry_of(journal, found, options.retry, ready.plan)
        keeps = options.retry is not None or options.run_id is None  # a flow run that is tried again is one run
        request = SampleRequest(options.sample, keeps, options.retry)
        sample = await request.about(journal, found, record.run_id, ready.plan)
        items: Found = {}
        start = None if found else RunStarted(run_id=record.run_id, at=record.started, record=record)
        async with (
            journal.holding(record.run_id, settings.lease_seconds, start=start) as lease,
            following(journal, record.run_id, options.watch) as run_log,
        ):
            if found:
                # Whoever reads that work was cut off may rely on it: none of it goes on.
                here = socket.gethostname()
                await asyncio.to_thread(end_orphans, {pid for host, pid in run_log.state.holders if host == here})
                steps, grown = run_log.state.latest.values(), [one.phase for one in run_log.state.extensions]
                items = await items_on_record(job, OutputStore(settings.outputs_url), steps, grown)
                if items or run_log.state.spans:
                    ready = planned(job, inputs, limits=ready.plan.limits, found=items, spans=run_log.state.spans)
                await reopen_run(run_log, ready.plan, retry, sample)
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
                folder=settings.home / "runs" / record.run_id,
                previous=await previous_handoffs(journal, job, record),
                by_value_tokens=settings.by_value_tokens,
            )
            context = context_of(spec, run_log, settings, lease, options)
            async with Workers.keep_for_run(), _record_interruption(context, None if retry else found):
                await asyncio.to_thread(write_conventions, spec.plan, spec.folder)
                yield Prepared(context=context, record=run_log.state.record or record, options=options)


@contextlib.asynccontextmanager
async def following(journal: Journal, run_id: str, watch: Watch | None = None) -> AsyncGenerator[RunLog]:
    """Give the log of a run that this process holds, with what is on record already."""
    earlier = await journal.events(run_id)
    run_log = RunLog(journal, run_id, earlier)
    with contextlib.ExitStack() as stack:
        stack.enter_context(journal.watching(run_id, run_log.watch))
        if watch is not None:
            watch(earlier)
            stack.enter_context(journal.watching(run_id, watch))
        yield run_log


def context_of(
    spec: RunSpec,
    run_log: RunLog,
    settings: Settings,
    lease: Lease,
    options: RunOptions = DEFAULT_OPTIONS,
    breakers: BreakerRegistry | None = None,
) -> RunContext:
    """Return a run that is ready to be carried out, from what is on record of it and what surrounds this process.

    `breakers` are those that it shares with others; None: with all runs of this process, or through Redis.
    """
    redis, earlier, share = settings.redis_url, run_log.state, options.share
    account = account_of_job(spec.job.name, spec.job.budget, earlier.steps, share and share.account)
    if share is not None and share.account is not None:
        share.account.charge(usage_beyond(spent_by(earlier.steps), share.paid))
    slots = RunSlots(spec.plan.limits, share and share.slots, tenant=spec.run_id)
    return RunContext(
        spec=spec,
        log=run_log,
        outputs=OutputStore(settings.outputs_url),
        guarding=Guarding(
            breakers or BreakerRegistry.shared(redis.get_secret_value() if redis else None),
            account,
            slots,
            spec.expansion.graph.prices,
            provider_policies(spec.job),
        ),
        accounts=Accounts(account, spec.plan, earlier.steps),
        intents=IntentLog(run_log, decision=options.decision, token=lease.session.token, now=spec.now),
        memo=StepMemo(earlier.finished_steps, earlier.retried),
        contracts=Contracts(),
        workspaces=Workspaces(spec.folder),
        transcripts_off=_transcripts_off(spec.job, settings),
        surround=partial(_surrounded, _enclosing(spec.run_id, run_log, slots, options)),
        lease=lease,
    )


def _transcripts_off(job: JobDefinition, settings: Settings) -> str:
    switches = (("Job(transcripts=False)", job.transcripts), ("ECHELON_TRANSCRIPTS", settings.transcripts))
    return next((name for name, is_on in switches if not is_on), "")


def _enclosing(run_id: str, run_log: RunLog, slots: RunSlots, options: RunOptions) -> EnclosingTask:
    """Return what tasks of a run are to the runs inside them; each has an id of its own."""
    return EnclosingTask(
        run_id=run_id,
        task_id="",
        flow_run_id=options.flow_run_id,
        api_url=options.api_url,
        show_prints=options.show_prints,
        chain=options.chain,
        slots=slots,
        retries={task: mark.times for task, mark in run_log.state.retried.items()},
        books=NestedBooks(run_log.state.steps, lambda: tuple(run_log.state.concerns.values())),
    )


@contextlib.contextmanager
def _surrounded(enclosing: EnclosingTask, task_id: str) -> Generator[None]:
    """Give an agent what it may ask its surroundings for: whose part it is, and Prefect's logger."""
    with within(replace(enclosing, task_id=task_id)), run_context_for(enclosing.flow_run_id, task_id):
        yield


@contextlib.asynccontextmanager
async def _record_interruption(context: RunContext, found: RunRecord | None) -> AsyncGenerator[None]:
    """Put it on record when the block is stopped from outside; `found` is how the run was found, if it was."""
    try:
        yield
    except BaseException as error:
        stopped = End(RunStatus.FAILED if isinstance(error, Exception) else RunStatus.INTERRUPTED, utc_now())
        status, finished, report = end_of_stopped(found, [step.finished for step in context.log.state.steps], stopped)
        ended = RunEnded(run_id=context.spec.run_id, at=utc_now(), status=status, finished=finished, report=report)
        with contextlib.suppress(JournalError):  # where the journal is the trouble, the error itself says so
            await context.log.append(ended)
        raise


async def finish(run: Prepared, outputs: Mapping[str, PhaseOutput]) -> RunResult:
    """Make the report of a run, put its end on record, and return the result."""
    return result_of(await close_run(run, outputs))


async def close_run(run: Prepared, outputs: Mapping[str, PhaseOutput]) -> RunView:
    """Make the report of a run, put its end on record, and return everything that is known about it."""
    context = run.context
    state = await context.log.refresh()
    folder = run.options.out or context.spec.folder / "report"
    at = context.now()
    ended = RunEnded(
        run_id=context.spec.run_id,
        at=at,
        status=status_after(outputs, phases_needed(context.spec), is_sample=rest_of(state) is not None),
        finished=end_of(run.record, [step.finished for step in state.steps], at),
        report=str(folder),
    )
    view = view_of(state.apply(ended), context.outputs.read_json, _previous_output(context))
    failpoint("report.made")
    try:
        await asyncio.to_thread(write_report, context.spec.job, view, folder)
    except OSError as error:  # it costs the report, not the run
        kept = f"all else is on record: echelon show {context.spec.run_id}"
        log.warning("the report cannot be written to %s: %s; %s", folder, error.strerror or error, kept)
        ended = ended.model_copy(update={"report": None})
        view = view_of(state.apply(ended), context.outputs.read_json, _previous_output(context))
    failpoint("report.written")
    await context.lease.give_back(ended)
    failpoint("run.finished")
    return view


def _previous_output(context: RunContext) -> object:
    """Return what the last phase delivered in the previous run, as JSON; None when it is gone."""
    previous, plan = context.spec.previous, context.spec.plan
    ends = final_phases(plan.phases)
    tasks = {task for phase in plan.phases if phase.name in ends for task in phase.tasks}
    last = [handoff for handoff in previous.values() if handoff.task_id in tasks]
    if len(ends) != 1 or not last or last[0].output_location is None:
        return None
    try:
        return context.outputs.get(last[0].output_location, Any)
    except JournalError as error:
        log.warning("the output of the previous run cannot be compared: %s", error)
        return None
