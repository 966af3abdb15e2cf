"""A run is looked at together with the runs inside it: what holds one of them holds all of it."""

from echelon.journal.port import Journal
from echelon.model.oversight.gate import GateRecord
from echelon.model.run import RunRecord

#: Runs inside a run that are looked at.
MAX_INSIDE = 1_000


async def runs_inside(journal: Journal, run_id: str) -> list[str]:
    """Return the ids of the runs inside a run, at all depths."""
    found: list[str] = []
    for inner in await journal.runs(MAX_INSIDE, inside=run_id):
        found += [inner.run_id, *await runs_inside(journal, inner.run_id)]
    return found


async def outermost(journal: Journal, run_id: str) -> RunRecord | None:
    """Return a run, or the one that all of it happens in; None where there is no such run."""
    record = await journal.known_run(run_id=run_id)
    while record is not None and record.parent_run_id is not None:
        record = await journal.known_run(run_id=record.parent_run_id)
    return record


async def run_around(journal: Journal, run_id: str) -> str:
    """Return the run to go on with when one was answered: itself, or the one that all of it happens in."""
    record = await outermost(journal, run_id)
    return record.run_id if record is not None else run_id


async def gates_of_run(journal: Journal, run_id: str, *, open_only: bool = False) -> list[GateRecord]:
    """Return the gates of a run and of all runs inside it, in the order they were raised."""
    found: list[GateRecord] = []
    for one in [run_id, *await runs_inside(journal, run_id)]:
        found += await journal.gates(one, open_only=open_only)
    return sorted(found, key=lambda gate: gate.at)
