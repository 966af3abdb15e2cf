"""Earlier runs of a job that wait for a person when a new one begins: both are kept, one gives way, or none begins.

What a job says of that is `when_waiting`. A run that waits never blocks the next one.
"""

import contextlib
import logging
from collections.abc import Sequence

from echelon.coordination.spec import utc_now
from echelon.definition.definition import JobDefinition
from echelon.engine.asking.inside import gates_of_run
from echelon.engine.asking.same_work import SUPERSEDED, same_work, waits_for_people
from echelon.engine.asking.waking import end_flow_runs
from echelon.engine.recording import MAX_LOOKED_AT, End, end_of_stopped
from echelon.journal.failpoints import failpoint
from echelon.journal.port import Journal
from echelon.model.errors import RunHeld, RunSkipped
from echelon.model.oversight.gate import GateRecord
from echelon.model.run import RunRecord, RunStatus
from echelon.runlog.gate_events import GateClosed
from echelon.settings import Settings

log = logging.getLogger("echelon.engine")


async def check_waiting(journal: Journal, job: JobDefinition, record: RunRecord) -> None:
    """Raise `RunSkipped` where the job says that no run begins while an earlier one waits for a person."""
    if job.when_waiting != "skip" or record.parent_run_id is not None:
        return
    for earlier in await _earlier(journal, job, record):
        waiting = await gates_of_run(journal, earlier.run_id, open_only=True)
        if waiting:
            raise RunSkipped(job.name, earlier.run_id, [gate.id for gate in waiting])


async def supersede_earlier(journal: Journal, job: JobDefinition, record: RunRecord, settings: Settings) -> None:
    """End the earlier runs that wait for a person, where the job says that a new one takes their place."""
    if job.when_waiting != "supersede" or record.parent_run_id is not None:
        return
    reason = f"{SUPERSEDED}{record.run_id}"
    for earlier in await _earlier(journal, job, record):
        gates = await gates_of_run(journal, earlier.run_id)
        if waits_for_people(gates) and await _end(journal, earlier, gates, reason):
            log.warning("this run takes the place of run %s, which waited for a person and is ended", earlier.run_id)
            await end_flow_runs(earlier, reason, settings)


async def _earlier(journal: Journal, job: JobDefinition, record: RunRecord) -> list[RunRecord]:
    return same_work(await journal.runs(MAX_LOOKED_AT), record, job.series)


async def _end(journal: Journal, earlier: RunRecord, gates: Sequence[GateRecord], reason: str) -> bool:
    """Close the open gates of a run and put its end on record; False where another process has taken it meanwhile."""
    steps = [step.finished for step in await journal.steps(earlier.run_id)]
    with contextlib.suppress(RunHeld):
        async with journal.holding(earlier.run_id) as lease:
            if (await journal.run(earlier.run_id)).status is not RunStatus.WAITING:
                return False
            for gate in (one for one in gates if one.is_open):
                await journal.append(GateClosed(run_id=gate.run_id, at=utc_now(), gate_id=gate.id, reason=reason))
            failpoint("gates.superseded")
            end = end_of_stopped(earlier, steps, End(RunStatus.INTERRUPTED, utc_now(), earlier.report))
            await lease.give_back(end.of_run(earlier.run_id))
            return True
    return False
