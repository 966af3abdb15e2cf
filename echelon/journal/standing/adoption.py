"""Runs that began before anybody asked what their job spends are counted from the log, once (F10).

From then on each of their steps is counted in the transaction that puts it on record. The rows of the runs are locked
meanwhile, so that no step ends in between.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, exists, select, update

from echelon.journal import schema
from echelon.journal.dialects import now_seconds
from echelon.journal.failpoints import failpoint
from echelon.journal.rows import step_record
from echelon.journal.standing.spending import StepSums

_RUNS = schema.runs.c
_EVENTS = schema.events.c
_CLAIMS = schema.standing_claims.c
_SESSIONS = schema.sessions.c

#: What ended longer ago is in no day or month that is still open, in any time zone.
LONGEST_WINDOW = timedelta(days=33)

#: What was used before anybody asked is no part of what a session claims.
_NO_SESSION = -1


def adopt(connection: Connection, job: str) -> None:
    """Count all runs of a job that are not counted yet, and drop what sessions claim that have ended."""
    began = (datetime.now(UTC) - LONGEST_WINDOW).isoformat()
    found = select(_RUNS.run_id, _RUNS.parent_run_id, _RUNS.finished)
    found = found.where(_RUNS.job == job, _RUNS.counted.is_(None)).order_by(_RUNS.run_id).with_for_update()
    spent = StepSums()
    for run_id, parent, finished in connection.execute(found).all():
        counts = not _is_inside(connection, job, parent)
        if counts and (finished is None or finished >= began):
            _count(connection, spent, job, run_id, began)
        connection.execute(update(schema.runs).where(_RUNS.run_id == run_id).values(counted=int(counts)))
    spent.add_to(connection)
    _drop_ended_claims(connection, job)
    failpoint("standing.adopted")


def _count(connection: Connection, spent: StepSums, job: str, run_id: str, began: str) -> None:
    of_run = _EVENTS.run_id == run_id, _EVENTS.kind == "step_ended", _EVENTS.at >= began
    for row in connection.execute(select(_EVENTS.payload).where(*of_run)).mappings():
        spent.note(job, _NO_SESSION, step_record(row))


def _is_inside(connection: Connection, job: str, parent: str | None) -> bool:
    """Say whether a run is a part of another one of the same job, whose steps have all that it uses."""
    while parent is not None:
        found = connection.execute(select(_RUNS.job, _RUNS.parent_run_id).where(_RUNS.run_id == parent)).first()
        if found is None or found.job == job:
            return found is not None
        parent = found.parent_run_id
    return False


def _drop_ended_claims(connection: Connection, job: str) -> None:
    held = exists().where(
        _SESSIONS.run_id == _CLAIMS.run_id,
        _SESSIONS.part == "",
        _SESSIONS.token == _CLAIMS.under,
        _SESSIONS.ended.is_(None),
        _SESSIONS.expires > now_seconds(connection.dialect.name),
    )
    connection.execute(delete(schema.standing_claims).where(_CLAIMS.job == job, ~held))
