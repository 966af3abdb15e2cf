"""The questions asked of the journal. Each is one statement; what it answers is turned into records by `rows.py`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, exists, func, select

from echelon.journal import schema
from echelon.journal.admission import MAX_CANDIDATES
from echelon.model.run import RunStatus
from echelon.model.status import Status
from echelon.runlog.gates import GATE_KINDS

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


#: So many of the newest runs of a job say what its agents are trusted with (X11).
MAX_AUTONOMY_RUNS = 50

#: So many of the newest runs of a job are learnt from (X10).
MAX_REVIEWED_RUNS = 20

#: So many records of a step are looked at to keep it: of the newest one the output may be lost.
MAX_KEPT_CANDIDATES = 5


def last_completed_run(job: str, inputs_digest: str | None, before_run_id: str | None) -> Query:
    """The newest run of a job on the same inputs, begun before another run, that has an output, maybe a partial one."""
    query = select(schema.runs).where(_RUNS.job == job, _RUNS.status.in_(WITH_OUTPUT))
    if inputs_digest is not None:
        query = query.where(_RUNS.inputs_digest == inputs_digest)
    if before_run_id is not None:
        query = query.where(_RUNS.number < select(_RUNS.number).where(_RUNS.run_id == before_run_id).scalar_subquery())
    return query.order_by(_RUNS.number.desc()).limit(1)


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


def steps_made_from(bases: Sequence[str], job: str, before_run_id: str) -> Query:
    """Steps of earlier runs of a job that were made from any of these, newest first; of each a few at most."""
    before = select(_RUNS.number).where(_RUNS.run_id == before_run_id).scalar_subquery()
    newest = func.row_number().over(partition_by=_STEPS.basis, order_by=(_RUNS.number.desc(), _STEPS.seq.desc()))
    found = (
        select(_STEPS.run_id, _STEPS.seq, newest.label("place"))
        .join(schema.runs, _RUNS.run_id == _STEPS.run_id)
        .where(_STEPS.basis.in_(bases), _RUNS.job == job, _RUNS.number < before)
        .subquery()
    )
    query = select(_EVENTS.payload).join(found, at_place_of(found.c))
    return query.where(found.c.place <= MAX_KEPT_CANDIDATES).order_by(found.c.place)


def concerns() -> Query:
    """All concerns, each with the disposition that ends it now."""
    raised, ends = schema.concerns, schema.dispositions
    end = schema.events.alias("end")
    return (
        select(_EVENTS.run_id, _EVENTS.payload, end.c.payload.label("end"))
        .select_from(raised)
        .join(schema.events, at_place_of(raised.c))
        .outerjoin(ends, ends.c.concern_id == raised.c.id)
        .outerjoin(end, (end.c.run_id == ends.c.run_id) & (end.c.seq == ends.c.seq))
    )


def newest_concerns(run_id: str | None, job: str | None, limit: int | None, *, open_only: bool) -> Query:
    """Concerns of a run, of all runs of a job, or of all, the newest first."""
    raised, ends = schema.concerns.c, schema.dispositions.c
    query = concerns()
    query = query if run_id is None else query.where(raised.run_id == run_id)
    if job is not None:
        query = query.join(schema.runs, _RUNS.run_id == raised.run_id).where(_RUNS.job == job)
    query = query.where(ends.concern_id.is_(None)) if open_only else query
    return query.order_by(raised.number.desc()).limit(limit)


def reopenings(run_id: str | None) -> Query:
    """Each time that the end of a concern was taken back, with what had ended it, in that order."""
    taken_back, ended = schema.reopenings, schema.events.alias("ended")
    query = (
        select(_EVENTS.run_id, _EVENTS.payload, ended.c.payload.label("ended"))
        .select_from(taken_back)
        .join(schema.events, at_place_of(taken_back.c))
        .join(ended, (ended.c.run_id == taken_back.c.run_id) & (ended.c.seq == taken_back.c.disposed_seq))
    )
    query = query if run_id is None else query.where(taken_back.c.run_id == run_id)
    return query.order_by(taken_back.c.number)


def gate_ids(run_id: str | None, *, open_only: bool) -> Query:
    """Gates and their runs, in the order they were raised."""
    gates = schema.gates.c
    query = select(gates.id, gates.run_id)
    query = query if run_id is None else query.where(gates.run_id == run_id)
    query = query.where(gates.open == 1) if open_only else query
    return query.order_by(gates.number)


def gate_events(ids: Sequence[str]) -> Query:
    """Everything that was said of gates, in the order of each log."""
    gates = schema.gates.c
    return (
        select(_EVENTS.run_id, _EVENTS.payload)
        .join(schema.gates, (gates.run_id == _EVENTS.run_id) & (gates.id == _EVENTS.subject))
        .where(gates.id.in_(ids), _EVENTS.kind.in_(GATE_KINDS))
        .order_by(_EVENTS.run_id, _EVENTS.seq)
    )


def autonomy_decided(job: str, before_run_id: str | None, limit: int) -> Query:
    """What was decided about results in the newest runs of a job in which anything was, in the order of their logs."""
    found = schema.autonomy.c
    runs = select(_RUNS.run_id, _RUNS.number).where(_RUNS.job == job, exists().where(found.run_id == _RUNS.run_id))
    if before_run_id is not None:
        runs = runs.where(_RUNS.number < select(_RUNS.number).where(_RUNS.run_id == before_run_id).scalar_subquery())
    newest = runs.order_by(_RUNS.number.desc()).limit(limit).subquery()
    query = select(_EVENTS.run_id, _EVENTS.payload).join(schema.autonomy, at_place_of(found))
    return query.join(newest, newest.c.run_id == _EVENTS.run_id).order_by(newest.c.number, _EVENTS.seq)


def reviews(job: str, before_run_id: str | None, limit: int) -> Query:
    """What the newest runs of a job taught that have an output, the last word of each, the newest run first."""
    found = schema.reviews.c
    last = select(found.run_id, func.max(found.seq).label("seq")).group_by(found.run_id).subquery()
    runs = select(_RUNS.run_id, _RUNS.number).where(
        _RUNS.job == job, _RUNS.status.in_(WITH_OUTPUT), exists().where(found.run_id == _RUNS.run_id)
    )
    if before_run_id is not None:
        runs = runs.where(_RUNS.number < select(_RUNS.number).where(_RUNS.run_id == before_run_id).scalar_subquery())
    newest = runs.order_by(_RUNS.number.desc()).limit(limit).subquery()
    query = select(_EVENTS.run_id, _EVENTS.payload).join(last, at_place_of(last.c))
    return query.join(newest, newest.c.run_id == _EVENTS.run_id).order_by(newest.c.number.desc())


def adjustments(job: str) -> Query:
    """What was changed of a job behind diagnoses of its runs, or taken back: the last word of each, in that order."""
    found = schema.adjustments.c
    last = select(found.run_id, func.max(found.seq).label("seq")).group_by(found.run_id).subquery()
    query = select(_EVENTS.run_id, _EVENTS.payload).join(last, at_place_of(last.c))
    return (
        query.join(schema.runs, _RUNS.run_id == _EVENTS.run_id)
        .where(_RUNS.job == job)
        .order_by(_EVENTS.at, _RUNS.number)
    )


def at_place_of(index: Any) -> Any:
    """Say which events the rows of an index point to."""
    return (_EVENTS.run_id == index.run_id) & (_EVENTS.seq == index.seq)
