"""A run ready to be carried out: what is on record of it, and what surrounds this process."""

import contextlib
import logging
from collections.abc import AsyncGenerator, Generator, Sequence
from dataclasses import replace
from functools import partial

from echelon.coordination.accounts import Accounts, account_of_job, spent_by
from echelon.coordination.context import RunContext
from echelon.coordination.contracts import Contracts
from echelon.coordination.guarding import Guarding
from echelon.coordination.run_log import RunLog
from echelon.coordination.spec import RunSpec
from echelon.coordination.step.intents import IntentLog
from echelon.coordination.step.memo import StepMemo
from echelon.coordination.workspaces import Workspaces
from echelon.definition.definition import JobDefinition
from echelon.definition.limits import provider_policies
from echelon.engine.nested_books import NestedBooks
from echelon.engine.nesting import (
    EnclosingTask,
    within,
)
from echelon.engine.options import DEFAULT_OPTIONS, RunOptions, Watch
from echelon.engine.prefect_logger import run_context_for
from echelon.journal.lease import Lease
from echelon.journal.outputs import OutputStore
from echelon.journal.port import Journal
from echelon.model.oversight.channel import NotifyChannel
from echelon.oversight.ledger import NOTHING_EARLIER, EarlierConcerns, earlier_of
from echelon.resilience.registry import BreakerRegistry
from echelon.resilience.reservation import usage_beyond
from echelon.resilience.run_slots import RunSlots
from echelon.resilience.standing.keeper import StandingKeeper
from echelon.runlog.events import LoggedEvent
from echelon.runlog.judging.autonomy import NOTHING_KNOWN, KnownAgents, known_agents
from echelon.runlog.state import fold
from echelon.settings import Settings

#: Concerns of earlier runs of the job that are looked at, the newest.
MAX_EARLIER_CONCERNS = 2_000

log = logging.getLogger("echelon.engine")


@contextlib.asynccontextmanager
async def following(
    journal: Journal, run_id: str, watch: Watch | None = None, channels: Sequence[NotifyChannel] = ()
) -> AsyncGenerator[RunLog]:
    """Give the log of a run that this process holds, with what is on record already.

    `channels` are those through which people are told of it.
    """
    earlier = await journal.events(run_id)
    concerns, known = await _of_earlier_runs(journal, run_id, earlier)
    run_log = RunLog(journal, run_id, earlier, concerns, channels, known)
    with contextlib.ExitStack() as stack:
        stack.enter_context(journal.watching(run_id, run_log.watch))
        if watch is not None:
            watch(earlier)
            stack.enter_context(journal.watching(run_id, watch))
        yield run_log


async def _of_earlier_runs(
    journal: Journal, run_id: str, events: Sequence[LoggedEvent]
) -> tuple[EarlierConcerns, KnownAgents]:
    """Return what earlier runs of the same job say of the concerns of a run, and of its agents (X11)."""
    record = fold(entry.event for entry in events[:1]).record
    if record is None:
        return NOTHING_EARLIER, NOTHING_KNOWN
    concerns = await journal.concerns(job=record.job, limit=MAX_EARLIER_CONCERNS)
    decided = await journal.autonomy_decided(record.job, run_id)
    earlier = [one for one in concerns if one.run_id != run_id]
    return earlier_of(earlier), known_agents(decided, earlier)


def context_of(
    spec: RunSpec,
    run_log: RunLog,
    settings: Settings,
    lease: Lease,
    options: RunOptions = DEFAULT_OPTIONS,
    breakers: BreakerRegistry | None = None,
    standing: StandingKeeper | None = None,
) -> RunContext:
    """Return a run that is ready to be carried out, from what is on record of it and what surrounds this process.

    `breakers` are those that it shares with others; None: with all runs of this process, or through Redis. `standing`
    keeps the standing budgets of its job; None where it has none.
    """
    redis, earlier, share = settings.redis_url, run_log.state, options.share
    account = account_of_job(spec.job.name, spec.job.budget, earlier.steps, share and share.account, standing)
    if share is not None and share.account is not None:
        share.account.charge(usage_beyond(spent_by(earlier.steps), share.paid))
    slots = RunSlots(spec.plan.limits, share and share.slots, tenant=spec.run_id)
    registry = breakers or BreakerRegistry.shared(redis.get_secret_value() if redis else None)
    for window in earlier.quotas.values():
        registry.quotas.close(window)  # what an earlier process found out holds for this one (F10)
    return RunContext(
        spec=spec,
        log=run_log,
        outputs=OutputStore(settings.outputs_url),
        guarding=Guarding(
            registry,
            account,
            slots,
            spec.expansion.graph.prices,
            provider_policies(spec.job),
            settings.quota_wait_seconds,
        ),
        accounts=Accounts(account, spec.plan, earlier.steps),
        intents=IntentLog(run_log, decision=options.decision, token=lease.session.token, now=spec.now),
        memo=StepMemo(earlier.finished_steps, earlier.retried),
        contracts=Contracts(),
        workspaces=Workspaces(spec.folder),
        transcripts_off=_transcripts_off(spec.job, settings),
        surround=partial(_surrounded, _enclosing(spec.run_id, run_log, slots, options)),
        lease=lease,
        ask=options.ask,
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
        channels=tuple(run_log.channels),
        slots=slots,
        fresh=run_log.state.fresh,
        retries={task: mark.times for task, mark in run_log.state.retried.items()},
        books=NestedBooks(run_log.state.steps, lambda: tuple(run_log.state.concerns.values())),
    )


@contextlib.contextmanager
def _surrounded(enclosing: EnclosingTask, task_id: str) -> Generator[None]:
    """Give an agent what it may ask its surroundings for: whose part it is, and Prefect's logger."""
    with within(replace(enclosing, task_id=task_id)), run_context_for(enclosing.flow_run_id, task_id):
        yield
