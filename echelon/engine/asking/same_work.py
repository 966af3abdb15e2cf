"""Which runs do the same work as another one, and wait; which of them wait for a person. Pure."""

from collections.abc import Iterable, Sequence

from echelon.model.oversight.gate import GateRecord
from echelon.model.run import RunRecord, RunStatus

#: Begins the reason for which the gates of a run are closed that gives way to another one.
SUPERSEDED = "superseded by run "


def same_work(runs: Iterable[RunRecord], record: RunRecord, series: Sequence[str] | None) -> list[RunRecord]:
    """Return those of the runs that began before one and wait, on the same inputs or in the same series."""
    names = record.inputs.keys() if series is None else series
    return [
        one
        for one in runs
        if (one.job, one.status, one.parent_run_id, one.damage) == (record.job, RunStatus.WAITING, None, None)
        and one.run_id != record.run_id
        and one.started <= record.started
        and one.has_inputs_of(record, names)
    ]


def waits_for_people(gates: Iterable[GateRecord]) -> bool:
    """Say whether a run that waits does so for a person, given its gates in the order they were raised.

    So does one whose gates were closed for a run that was killed before it had taken its place: nobody is asked, and
    nobody else ends it.
    """
    last = {(gate.run_id, gate.action.task_id): gate for gate in gates}
    return any(gate.is_open or gate.closed.startswith(SUPERSEDED) for gate in last.values())
