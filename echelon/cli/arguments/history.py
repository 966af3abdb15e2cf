"""The runs of a job that one is compared with, as the journal has them."""

from collections.abc import Sequence

from echelon.definition.rehearsal import REHEARSAL_SOURCE
from echelon.journal.outputs import OutputStore
from echelon.journal.port import Journal
from echelon.model.run import RunRecord, RunView
from echelon.visibility.history import RUNS_SEARCHED, view_run, view_without_outputs

#: Runs of a job that are read where nobody says how many.
NEWEST = 10


async def job_history(journal: Journal, job: str, most: int) -> tuple[RunView, ...]:
    """Return the newest runs of a job, newest first, and behind them the newest one with a single agent (M10)."""
    return await _views(journal, [one for one in await journal.runs(RUNS_SEARCHED) if _is_of(one, job)], most)


async def run_with_earlier(journal: Journal, outputs: OutputStore, run_id: str) -> tuple[RunView, tuple[RunView, ...]]:
    """Return a run, and the newest of its job that began before it, newest first."""
    view = await view_run(journal, outputs, run_id)
    record = view.record
    others = [
        one
        for one in await journal.runs(RUNS_SEARCHED)
        if _is_of(one, record.job, record.source) and one.started < record.started and one.run_id != record.run_id
    ]
    return view, await _views(journal, others, NEWEST)


async def _views(journal: Journal, records: Sequence[RunRecord], most: int) -> tuple[RunView, ...]:
    newest = [await view_without_outputs(journal, one.run_id) for one in records[:most]]
    if any(view.single for view in newest):
        return tuple(newest)
    for one in records[most:]:
        if await is_single(journal, one.run_id):
            return (*newest, await view_without_outputs(journal, one.run_id))
    return tuple(newest)


def _is_of(record: RunRecord, job: str, source: str = "") -> bool:
    """Say whether a run is one of a job; rehearsals are compared with rehearsals only."""
    rehearsed = (record.source == REHEARSAL_SOURCE) == (source == REHEARSAL_SOURCE)
    return record.damage is None and record.job == job and rehearsed


async def is_single(journal: Journal, run_id: str) -> bool:
    """Say whether a run has one agent at work at a time, by how it began."""
    async for entries in journal.tail(run_id, kinds=("run_started",)):
        return any(getattr(entry.event, "single", False) for entry in entries)
    return False
