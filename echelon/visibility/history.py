"""Runs as the journal has them: each seen through the one view, whether it ended, is at work or its process died."""

from collections.abc import Iterable
from typing import NamedTuple

from echelon.journal.outputs import OutputStore
from echelon.journal.port import Journal
from echelon.model.run import RunRecord, RunStatus, RunView
from echelon.model.views.rest import Waiting
from echelon.runlog.state import fold
from echelon.runlog.view import Read, view_of, waiting_of

#: Runs among which those of one job are found.
RUNS_SEARCHED = 1000


class History(NamedTuple):
    """The newest runs and rehearsals of a job, newest first, without their outputs."""

    runs: tuple[RunView, ...]
    rehearsals: tuple[RunView, ...]


async def view_run(journal: Journal, outputs: OutputStore, run_id: str) -> RunView:
    """Return what is known about a run, by its id or the beginning of it; `InvalidInput` unless that is one run."""
    record = await journal.run(run_id)
    return await _view(journal, record.run_id, outputs.read_json)


async def runs_waiting(journal: Journal, records: Iterable[RunRecord]) -> dict[str, Waiting]:
    """Return what those of the runs wait for that wait; only of these the log is read."""
    found: dict[str, Waiting] = {}
    for record in records:
        if record.status is RunStatus.WAITING and record.damage is None:
            state = fold(entry.event for entry in await journal.events(record.run_id))
            waiting = waiting_of(state)
            found |= {record.run_id: waiting} if waiting else {}
    return found


async def view_runs(journal: Journal, job: str, rehearsal: str, rehearsal_source: str, limit: int) -> History:
    """Return the newest runs of a job by its name, and its rehearsals by theirs, so many of each."""
    records = await journal.runs(RUNS_SEARCHED)
    runs = [one.run_id for one in records if one.job == job and one.source != rehearsal_source]
    rehearsals = [one.run_id for one in records if one.source == rehearsal_source and one.job == rehearsal]
    return History(
        runs=tuple([await _view(journal, run_id, _unread) for run_id in runs[:limit]]),
        rehearsals=tuple([await _view(journal, run_id, _unread) for run_id in rehearsals[:limit]]),
    )


async def view_without_outputs(journal: Journal, run_id: str) -> RunView:
    """Return what is known about a run but for its outputs, which nobody reads."""
    return await _view(journal, run_id, _unread)


async def _view(journal: Journal, run_id: str, read: Read) -> RunView:
    entries = await journal.events(run_id)
    return view_of(fold(entry.event for entry in entries), read)


def _unread(_reference: object) -> None:
    """An output that nobody asks for."""
