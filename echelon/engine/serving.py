"""Serving a job until it is stopped: each run in a process of its own, what becomes of it said, none left unended.

Prefect is imported when a job is served, and not before: it reads its settings then.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import httpx

from echelon.coordination.spec import utc_now
from echelon.engine.asking.flow_runs import AskingFlowRun
from echelon.engine.asking.tending import Caretaker
from echelon.engine.continuing import schedule_continuation, until_of
from echelon.engine.deploying import deployment_of, next_run
from echelon.engine.notify.couriers import delivering_later, runs_to_tell_of
from echelon.engine.picture.api import Refused, Unreachable
from echelon.engine.recording import end_dead_run
from echelon.engine.served_runs import RunNews, ServedRun, newest_of_each
from echelon.engine.server.handle import ServerHandle, ServerKind, resolve_server
from echelon.engine.server.kept import LocalServer
from echelon.engine.server.secret import secret_file
from echelon.journal.journal import SqlJournal
from echelon.journal.port import Journal
from echelon.model.errors import JournalError
from echelon.model.run import RunRecord, RunStatus
from echelon.model.views.rest import Waiting
from echelon.runlog.state import fold
from echelon.runlog.view import waiting_of
from echelon.settings import Settings

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun
    from prefect.runner import Runner
    from prefect.schedules import Schedule

log = logging.getLogger("echelon.engine")

#: How often the runs are looked at, in seconds.
GLANCE_SECONDS = 1.0

#: Runs looked at, the newest first.
MAX_RUNS = 100

#: How long the runs at work may take to end when serving is stopped, in seconds; then their processes are killed.
#: Prefect gives each of them 30.
STOP_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What is being served, reported when the server knows it."""

    deployment: str
    """Name of the deployment, as `flow/name`."""
    server: str
    """Address of the API."""
    ui: str
    """Address of the user interface."""
    secret: Path | None
    """Where the password of the user interface is kept; None for a server that somebody else runs."""
    server_started: bool
    """Was the server started for this, so that it ends with it?"""
    next_run: datetime
    """When the schedule fires next."""


async def serve_job(
    entrypoint: str,
    *,
    goal: str,
    root: Path,
    home: Path,
    parameters: Mapping[str, object],
    schedule: "Schedule",
    name: str,
    on_ready: Callable[[Serving], None],
    on_news: Callable[[ServedRun], None],
) -> None:
    """Serve a job until cancelled; then its schedule is paused, and the runs at work are ended and put on record.

    Uses the server that is configured or kept; where there is none, one with a scheduler is kept running meanwhile.
    `entrypoint` is `module:variable.flow`; `root` is the folder that the module is imported from, and becomes the
    working folder of this process and of every run. `on_news` gets each run as it begins and ends.
    """
    from prefect.runner import Runner

    await next_run(schedule)  # one that never fires needs no server
    _prepare_children(root, home)
    # Blocks on purpose: cancelled halfway, a server would be left that nobody ends.
    with scheduling_server(home) as (server, started), server.connected():
        deployment = deployment_of(
            entrypoint, goal=goal, root=root, parameters=parameters, schedule=schedule, name=name
        )
        runner = Runner(name=name)
        deployment_id = await runner.aadd_deployment(deployment)
        await _set_root(deployment_id, root)
        async with _watching(deployment_id, on_news):
            on_ready(
                Serving(
                    deployment=deployment.full_name,
                    server=server.url,
                    ui=server.url.removesuffix("/api"),
                    secret=None if server.kind is ServerKind.CONFIGURED else secret_file(home / "prefect"),
                    server_started=started,
                    next_run=await next_run(schedule),
                )
            )
            await _run_until_cancelled(runner)


async def _set_root(deployment_id: UUID, root: Path) -> None:
    """Let runs find the project here: a deployment that is known keeps its old folder, whose files Prefect copies."""
    from prefect import get_client
    from prefect.client.schemas.actions import DeploymentUpdate

    async with get_client() as client:
        await client.update_deployment(deployment_id, DeploymentUpdate(path=str(root)))


async def _run_until_cancelled(runner: "Runner") -> None:
    """Let the runner start what is due; cancelled, it ends the runs at work first, which Prefect would kill."""
    running = asyncio.create_task(runner.start(), name="echelon-runner")
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await _end_runs(runner, running)
        running.cancel()
        await asyncio.wait([running])
        raise


async def _end_runs(runner: "Runner", running: "asyncio.Task[None]") -> None:
    if runner.started:
        await runner.astop()
        while not (await asyncio.wait([running], timeout=GLANCE_SECONDS))[0]:
            await runner.cancel_all()  # what was being started when the others were ended


@contextlib.asynccontextmanager
async def _watching(deployment_id: UUID, on_news: Callable[[ServedRun], None]) -> AsyncGenerator[None]:
    """Report the runs of a deployment during the block, and at its end how the last ones ended."""
    from prefect import get_client

    async with SqlJournal.open(Settings()) as journal, get_client() as client:
        watch = RunWatch(client, journal, deployment_id, on_news)
        await watch.end_stale()
        watching = asyncio.create_task(watch.follow(), name="echelon-watch")
        try:
            async with delivering_later(journal, Settings(), partial(runs_to_tell_of, journal)):
                yield
        finally:
            watching.cancel()
            await asyncio.wait([watching])
            await watch.look()


class RunWatch:
    """Looks at the runs of one deployment, in Prefect and in the journal."""

    def __init__(
        self, client: "PrefectClient", journal: Journal, deployment_id: UUID, on_news: Callable[[ServedRun], None]
    ) -> None:
        self._client = client
        self._journal = journal
        self._deployment_id = deployment_id
        self._on_news = on_news
        self._caretaker = Caretaker(client, journal)
        self._news = RunNews(())
        self._in_trouble = False
        self._brought_back: set[str] = set()
        self._waits: dict[tuple[str, datetime | None], Waiting | None] = {}

    async def end_stale(self) -> None:
        """End what an earlier process left behind: it would keep the place of every later run."""
        from prefect.states import Crashed

        earlier = await self._runs()
        self._news = RunNews(earlier)
        for run in earlier:
            if not run.is_final and (run.died or run.is_stale(utc_now())):
                state = Crashed(message="the process of this run died without a word")
                await self._client.set_flow_run_state(UUID(run.flow_run_id), state)
        await self.look()

    async def follow(self) -> None:
        """Report what is new, again and again; trouble is said once and waited out."""
        while True:
            await self.look()
            await asyncio.sleep(GLANCE_SECONDS)

    async def look(self) -> None:
        """Report what is new; a run whose process died without a word is put on record as ended."""
        try:
            runs = await self._runs()
            found = [await self._end_dead(run) for run in newest_of_each(runs)]
            for run in found:
                await self._bring_back(run)
            for run in runs:
                if run.needs_care:
                    await self._caretaker.tend_one(run.flow_run_id)
        except (httpx.HTTPError, JournalError, Unreachable, Refused) as error:
            if not self._in_trouble:
                log.warning("what becomes of the runs cannot be seen at the moment: %s", error)
            self._in_trouble = True
            return
        self._in_trouble = False
        for run in self._news.of(found):
            self._on_news(run)

    async def _runs(self) -> list[ServedRun]:
        """Return the newest runs that are not still to come, the oldest of them first."""
        from prefect.client.schemas import filters, sorting
        from prefect.client.schemas.objects import StateType

        to_come = filters.FlowRunFilterStateType(not_any_=[StateType.SCHEDULED])
        found = await self._client.read_flow_runs(
            flow_run_filter=filters.FlowRunFilter(state=filters.FlowRunFilterState(type=to_come)),
            deployment_filter=filters.DeploymentFilter(id=filters.DeploymentFilterId(any_=[self._deployment_id])),
            sort=sorting.FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=MAX_RUNS,
        )
        return [await self._look_up(run) for run in reversed(found)]

    async def _look_up(self, flow_run: "FlowRun") -> ServedRun:
        state, asking = flow_run.state, AskingFlowRun.model_validate(flow_run)
        record = await self._journal.known_run(**asking.run_key)
        waiting = await self._waiting(record) if record is not None else None
        return ServedRun(
            flow_run_id=str(flow_run.id),
            name=flow_run.name,
            due=flow_run.expected_start_time,
            state=(state and state.name) or "",
            is_final=state is not None and state.is_final(),
            since=state.timestamp if state else utc_now(),
            message=(state and state.message) or "",
            record=record,
            held=record is not None and await self._journal.is_held(record.run_id),
            resumes=asking.resumed is not None or bool(asking.keys),
            suspended=asking.asks is not None,
            was_cut_short=asking.was_cut_short,
            waiting=waiting,
            until=until_of(waiting),
        )

    async def _waiting(self, record: RunRecord) -> Waiting | None:
        """Return what a run waits for; what its log says of that is read once."""
        if record.status is not RunStatus.WAITING:
            return None
        key = record.run_id, record.finished
        if key not in self._waits:
            state = fold(entry.event for entry in await self._journal.events(record.run_id))
            self._waits[key] = waiting_of(state)
        return self._waits[key]

    async def _bring_back(self, run: ServedRun) -> None:
        """Have a run that waits for a quota gone on with in time: its own process may not have come to that (F10)."""
        if run.until is None or run.record is None or not run.is_final or run.flow_run_id in self._brought_back:
            return
        ended = await self._client.read_flow_run(UUID(run.flow_run_id))
        await schedule_continuation(self._client, ended, run.record.run_id, run.until)
        self._brought_back.add(run.flow_run_id)

    async def _end_dead(self, run: ServedRun) -> ServedRun:
        if not run.died or run.record is None:
            return run
        return replace(run, record=await end_dead_run(self._journal, run.record))


@contextlib.contextmanager
def scheduling_server(home: Path) -> Generator[tuple[ServerHandle, bool]]:
    """Give a server that fires schedules, and whether it was started here; then it ends with the block."""
    local = LocalServer(home)
    started = resolve_server(home).kind is ServerKind.EMBEDDED and local.up()[1]
    try:
        with resolve_server(home) as server:
            server.wait_ready()
            yield server, started
    finally:
        if started:
            local.down()


def _prepare_children(root: Path, home: Path) -> None:
    """Let the processes of the runs find the project and the home, wherever this one was started."""
    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root), inherited] if inherited else [str(root)])
    os.environ["ECHELON_HOME"] = str(home.absolute())
    os.chdir(root)
