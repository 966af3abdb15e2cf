"""The questions asked of the journal. Each is one statement; what it answers is turned into records by `rows.py`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from echelon.journal import schema
from echelon.journal.admission import MAX_CANDIDATES
from echelon.model.run import RunStatus
from echelon.model.status import Status

Query = Select[*tuple[Any, ...]]
"""A question, whatever columns it asks for."""

_EVENTS = schema.events.c
_RUNS = schema.runs.c
_STEPS = schema.steps.c


def events_of(run_id: str, after: int, kinds: Sequence[str], subject: str | None) -> Query:
    """Events of a run behind a place, of all kinds or some, in the order of the log."""
    query = select(_EVENTS.seq, _EVENTS.payload).where(_EVENTS.run_id == run_id, _EVENTS.seq > after)
    query = query.where(_EVENTS.kind.in_(kinds)) if kinds else query
    query = query if subject is None else query.where(_EVENTS.subject == subject)
    return query.order_by(_EVENTS.seq)


def newest_runs(limit: int, inside: str | None = None) -> Query:
    """Runs, newest first; all, or those that were begun inside another one."""
    query = select(schema.runs).order_by(_RUNS.number.desc()).limit(limit)
    return query if inside is None else query.where(_RUNS.parent_run_id == inside)


def run_ids_like(prefix: str) -> Query:
    """Ids of runs that begin with `prefix`, the exact one first."""
    begins = _RUNS.run_id.startswith(prefix, autoescape=True)
    return select(_RUNS.run_id).where(begins).order_by(_RUNS.run_id).limit(MAX_CANDIDATES)


def with_plan(runs: Query) -> Query:
    """The same runs, each with the event that holds its newest plan."""
    at_plan = (_EVENTS.run_id == _RUNS.run_id) & (_EVENTS.seq == _RUNS.plan_seq)
    return runs.outerjoin(schema.events, at_plan).add_columns(_EVENTS.payload.label("plan"))


def run_of_flow_run(flow_run_id: str) -> Query:
    """The newest run that a flow run of Prefect started."""
    return select(schema.runs).where(_RUNS.flow_run_id == flow_run_id).order_by(_RUNS.number.desc()).limit(1)


def run_named(run_id: str) -> Query:
    """The run with exactly this id."""
    return select(schema.runs).where(_RUNS.run_id == run_id)


#: Runs that can be compared with: what a partial one lacks, it lacks openly.
WITH_OUTPUT = (RunStatus.COMPLETED, RunStatus.PARTIAL)


def last_completed_run(job: str, inputs_digest: str, before_run_id: str) -> Query:
    """The newest run of a job on the same inputs, begun before another run, that has an output, maybe a partial one."""
    before = select(_RUNS.number).where(_RUNS.run_id == before_run_id).scalar_subquery()
    same = (_RUNS.job == job, _RUNS.inputs_digest == inputs_digest, _RUNS.status.in_(WITH_OUTPUT))
    return select(schema.runs).where(*same, _RUNS.number < before).order_by(_RUNS.number.desc()).limit(1)


def steps_of(run_id: str, phase: str | None) -> Query:
    """All attempts at the steps of a run, in the order of the log."""
    query = select(_EVENTS.payload).join(schema.steps, at_place_of(_STEPS)).where(_STEPS.run_id == run_id)
    query = query if phase is None else query.where(_STEPS.phase == phase)
    return query.order_by(_STEPS.seq)


def find_completed_step(key: str, run_id: str | None) -> Query:
    """The completed step with a key; of several runs, that of the newest one."""
    query = select(_EVENTS.payload).join(schema.steps, at_place_of(_STEPS))
    query = query.where(_STEPS.key == key, _STEPS.status == Status.COMPLETED.value)
    if run_id is not None:
        return query.where(_STEPS.run_id == run_id)
    return query.join(schema.runs, _RUNS.run_id == _STEPS.run_id).order_by(_RUNS.number.desc()).limit(1)


def concerns(run_id: str | None, *, open_only: bool) -> Query:
    """Concerns with their dispositions, in the order they were raised."""
    raised, ends = schema.concerns, schema.dispositions
    end = schema.events.alias("end")
    query = (
        select(_EVENTS.run_id, _EVENTS.payload, end.c.payload.label("end"))
        .select_from(raised)
        .join(schema.events, at_place_of(raised.c))
        .outerjoin(ends, ends.c.concern_id == raised.c.id)
        .outerjoin(end, (end.c.run_id == ends.c.run_id) & (end.c.seq == ends.c.seq))
    )
    query = query if run_id is None else query.where(raised.c.run_id == run_id)
    query = query.where(ends.c.concern_id.is_(None)) if open_only else query
    return query.order_by(raised.c.number)


def at_place_of(index: Any) -> Any:
    """Say which events the rows of an index point to."""
    return (_EVENTS.run_id == index.run_id) & (_EVENTS.seq == index.seq)
