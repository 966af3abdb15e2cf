"""Who answered outside of Prefect lets the flow run go on that is suspended for it, where there is a server (O8)."""

import contextlib
import logging
from collections.abc import AsyncGenerator

from echelon.coordination.spec import utc_now
from echelon.engine.asking.flow_runs import FlowRuns
from echelon.engine.asking.inside import outermost
from echelon.engine.picture.api import Refused, Unreachable, open_configured, open_own
from echelon.engine.server.handle import ServerKind, resolve_server
from echelon.engine.server.secret import read_credentials
from echelon.journal.port import Journal
from echelon.model.errors import ServerError
from echelon.model.run import RunRecord, RunStatus
from echelon.settings import Settings

log = logging.getLogger("echelon.engine")


async def wake_flow_runs(journal: Journal, run_id: str, settings: Settings) -> list[str]:
    """Let the flow runs go on that are suspended for a run, or for the one around it, and return what they are called.

    Nothing is done where Prefect cannot be reached: who serves the run sees the answer, or the next run of its
    deployment.
    """
    record = await outermost(journal, run_id)
    if record is None or record.flow_run_id is None or record.status is RunStatus.RUNNING:
        return []
    try:
        async with _connect(settings) as flow_runs:
            return await _wake(flow_runs, record) if flow_runs else []
    except (Unreachable, Refused, ServerError) as error:
        log.warning("the flow run of %s is suspended in Prefect, and could not be resumed: %s", record.run_id, error)
        return []


async def end_flow_runs(record: RunRecord, why: str, settings: Settings) -> list[str]:
    """Cancel the flow runs that are suspended for a run which has ended, and return what they are called."""
    if record.flow_run_id is None:
        return []
    try:
        async with _connect(settings) as flow_runs:
            found = await flow_runs.find_suspended(record) if flow_runs else []
            for one in found:
                assert flow_runs is not None, "it was asked"
                await flow_runs.end(one, RunStatus.INTERRUPTED, why)
            return [one.name for one in found]
    except (Unreachable, Refused, ServerError) as error:
        log.warning("the flow run of %s is suspended in Prefect, and could not be ended: %s", record.run_id, error)
        return []


async def _wake(flow_runs: FlowRuns, record: RunRecord) -> list[str]:
    found = await flow_runs.find_suspended(record)
    for one in found:
        await flow_runs.wake(one, f"run {record.run_id}: a gate was answered elsewhere", utc_now())
    return [one.name for one in found]


@contextlib.asynccontextmanager
async def _connect(settings: Settings) -> AsyncGenerator[FlowRuns | None]:
    """Give the flow runs of the server that there is; None where there is none to be asked."""
    server = resolve_server(settings.home)
    if server.kind is ServerKind.EMBEDDED:
        yield None
    elif server.kind is ServerKind.KEPT:
        async with open_own(server.url, read_credentials(settings.home / "prefect")) as api:
            yield FlowRuns(api)
    else:
        async with open_configured(server.url) as api:
            yield FlowRuns(api)
