"""What the checklist rests on that the journal says: the newest runs and rehearsals of a job."""

from typing import NamedTuple

from echelon.cli.recorded import lacking, latest_of
from echelon.definition.graph_job import rehearsal_name
from echelon.definition.rehearsal import REHEARSAL_SOURCE
from echelon.journal.journal import Journal
from echelon.model.run import RunView
from echelon.model.session import pauses, seconds_without
from echelon.visibility.measures import measure

#: Runs of the job that are looked at, the newest; and runs of all jobs among which they are found.
RUNS_READ = 10
RUNS_SEARCHED = 1000


class Recorded(NamedTuple):
    """What the journal knows of a job."""

    runs: tuple[RunView, ...]
    rehearsals: tuple[RunView, ...]


async def read_runs(journal: Journal, job: str) -> Recorded:
    """Return the newest runs and rehearsals of a job by its name, newest first, without their outputs."""
    records, rehearsal = await journal.runs(RUNS_SEARCHED), rehearsal_name(job)
    runs = [one.run_id for one in records if one.job == job and one.source != REHEARSAL_SOURCE]
    rehearsals = [one.run_id for one in records if one.source == REHEARSAL_SOURCE and one.job == rehearsal]
    return Recorded(
        runs=tuple([await _view(journal, run_id) for run_id in runs[:RUNS_READ]]),
        rehearsals=tuple([await _view(journal, run_id) for run_id in rehearsals[:RUNS_READ]]),
    )


async def _view(journal: Journal, run_id: str) -> RunView:
    record = await journal.run(run_id)
    steps = await journal.steps(run_id)
    ended = record.finished or max((step.finished for step in steps), default=record.started)
    idle = pauses(await journal.sessions(run_id), [step.finished for step in steps])
    return RunView(
        record=record,
        steps=steps,
        missing=lacking(latest_of(steps), record.plan),
        concerns=await journal.concerns(run_id),
        exceptions=await journal.exceptions(run_id),
        measures=measure(steps, seconds_without(record.started, ended, idle), idle),
    )
