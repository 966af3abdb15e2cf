"""Couriers for real: through real channels, with the address where Prefect asks; beside a run, or for one later."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

from echelon.coordination.run_log import RunLog
from echelon.definition.definition import JobDefinition
from echelon.engine.contexts import following
from echelon.engine.nesting import enclosing_task
from echelon.engine.notify.courier import ATTEMPTS, Courier, delivering
from echelon.engine.notify.sending import send
from echelon.engine.server.handle import ServerKind, resolve_server
from echelon.journal.port import Journal
from echelon.model.concern import CRITICAL
from echelon.model.errors import JournalError, LeaseLost, RunHeld
from echelon.model.oversight.channel import NotifyChannel
from echelon.model.oversight.notification import NotificationRecord
from echelon.model.run import RunRecord
from echelon.oversight.notify.letters import unsent
from echelon.oversight.notify.message import PersonMessage
from echelon.runlog.state import RunState
from echelon.settings import Settings

#: Attempts at one message, and how long all of a run may take, where somebody asks for them to be sent.
LATER_ATTEMPTS, LATER_SECONDS = 3, 60.0

#: The part of a run that is held by who delivers its messages while nobody works on it.
PART = "outbox"


#: Between two rounds of who delivers again and again, in seconds; and the longest, where something is left each time.
ROUND_SECONDS, LONGEST_ROUND_SECONDS = 60.0, 3600.0

Runs = Callable[[], Awaitable[Iterable[str]]]
"""Returns the runs to look after."""

log = logging.getLogger("echelon.engine")


class OutboxOutcome(NamedTuple):
    """What became of the outbox of a run."""

    run_id: str
    """The run."""
    sent: int = 0
    """Messages that were delivered, counted by whom they tell of what."""
    left: tuple[NotificationRecord, ...] = ()
    """What was not delivered."""
    elsewhere: str = ""
    """Why another process delivers it; empty where this one tried."""


def courier_of(run_log: RunLog, settings: Settings, api_url: str, *, attempts: int = ATTEMPTS) -> Courier:
    """Return the courier of a run; `api_url` is the Prefect API that shows it, empty where none is configured."""
    record = run_log.state.record
    address = form_address(record, api_url) if record is not None else ""
    return Courier(run_log, partial(_deliver, settings), address=address, attempts=attempts)


@asynccontextmanager
async def telling(run_log: RunLog, settings: Settings, api_url: str) -> AsyncGenerator[None]:
    """Deliver the messages of a run beside the block, where there may be any."""
    if not run_log.channels and not unsent_of(run_log.state):
        yield
        return
    async with delivering(courier_of(run_log, settings, api_url)):
        yield


def channels_of(job: JobDefinition, settings: Settings) -> tuple[NotifyChannel, ...]:
    """Return how people are told of a run: what its job says, or the run that it is a part of, or this machine."""
    if job.notify is not None:
        return job.notify
    outer = enclosing_task()
    return settings.notify if outer is None else outer.channels


async def deliver_outbox(journal: Journal, run_id: str, settings: Settings) -> OutboxOutcome:
    """Deliver what is in the outbox of a run that nobody is at work on."""
    async with following(journal, run_id) as run_log:
        before = unsent_of(run_log.state)
        if not before:
            return OutboxOutcome(run_id)
        if await journal.is_held(run_id):
            return OutboxOutcome(run_id, left=before, elsewhere="the process that is at work on the run delivers them")
        try:
            async with journal.holding(run_id, settings.lease_seconds, part=PART, under=run_log.state.token):
                api_url = await asyncio.to_thread(_api_url, settings)
                await courier_of(run_log, settings, api_url, attempts=LATER_ATTEMPTS).finish(LATER_SECONDS)
        except (RunHeld, LeaseLost) as held:
            return OutboxOutcome(run_id, left=before, elsewhere=f"another process delivers them: {held}")
        left = unsent_of(await run_log.refresh())
    return OutboxOutcome(run_id, len(before) - len(left), left)


async def runs_to_tell_of(journal: Journal) -> tuple[str, ...]:
    """Return the runs that people may have to be told of: those with an open gate, or an open urgent concern."""
    gates = await journal.gates(open_only=True)
    concerns = await journal.concerns(open_only=True)
    urgent = [one.run_id for one in concerns if one.route in CRITICAL]
    return tuple(dict.fromkeys([*(gate.run_id for gate in gates), *urgent]))


async def deliver_all(journal: Journal, settings: Settings) -> tuple[OutboxOutcome, ...]:
    """Deliver what is in the outbox of any run; runs with nothing in it are left out."""
    outcomes = [await deliver_outbox(journal, run_id, settings) for run_id in await runs_to_tell_of(journal)]
    return tuple(one for one in outcomes if one.sent or one.left)


@asynccontextmanager
async def delivering_later(journal: Journal, settings: Settings, runs: Runs) -> AsyncGenerator[None]:
    """Deliver what is in the outbox of some runs again and again during the block, less often while that fails."""

    async def rounds() -> None:
        seconds = ROUND_SECONDS
        while True:
            try:
                outcomes = [await deliver_outbox(journal, run_id, settings) for run_id in await runs()]
                is_left = any(one.left for one in outcomes)
                seconds = min(2 * seconds, LONGEST_ROUND_SECONDS) if is_left else ROUND_SECONDS
            except JournalError as error:
                log.warning("messages to people wait until the journal can be read: %s", error)
            await asyncio.sleep(seconds)

    task = asyncio.create_task(rounds(), name="echelon-outboxes")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def unsent_of(state: RunState) -> tuple[NotificationRecord, ...]:
    """Return what of a run somebody is still to be told."""
    return unsent(state.notifications, state.gates, state.concerns)


def form_address(record: RunRecord, api_url: str) -> str:
    """Return where Prefect asks people about a run: the page of its flow run; empty where it has none."""
    pages = os.environ.get("PREFECT_UI_URL", "") or (api_url.removesuffix("/api") if api_url.endswith("/api") else "")
    return f"{pages.rstrip('/')}/runs/flow-run/{record.flow_run_id}" if pages and record.flow_run_id else ""


def _api_url(settings: Settings) -> str:
    server = resolve_server(settings.home)
    return "" if server.kind is ServerKind.EMBEDDED else server.url


async def _deliver(settings: Settings, channel: NotifyChannel, message: PersonMessage) -> None:
    await send(channel, message, settings.home)
