"""The questions asked of the journal. Each is one statement; what it answers is turned into records by `rows.py`."""

from typing import Any

from sqlalchemy import Executable, Select, select

from echelon.journal import schema
from echelon.model.run import RunStatus
from echelon.model.status import ENDED, Status

_RUNS = schema.runs.c
_STEPS = schema.steps.c

#: A list of runs is read without their plans, which are large.
_RUN_WITHOUT_PLAN = [column for column in schema.runs.columns if column.name != "plan"]

#: How many runs an ambiguous prefix is shown to match.
MAX_CANDIDATES = 6


def newest_runs(limit: int) -> Select[Any]:
    """Runs without plans, newest first."""
    return select(*_RUN_WITHOUT_PLAN).order_by(_RUNS.number.desc()).limit(limit)


def runs_like(prefix: str) -> Select[Any]:
    """Runs whose id begins with `prefix`, the exact one first."""
    begins = _RUNS.run_id.startswith(prefix, autoescape=True)
    return select(schema.runs).where(begins).order_by(_RUNS.run_id).limit(MAX_CANDIDATES)


#: Runs that can be compared with: what a partial one lacks, it lacks openly.
_WITH_OUTPUT = (RunStatus.COMPLETED.value, RunStatus.PARTIAL.value)


def last_completed_run(job: str, inputs_digest: str, before_run_id: str) -> Select[Any]:
    """The newest run of a job on the same inputs, begun before another run, that has an output, maybe a partial one."""
    before = select(_RUNS.number).where(_RUNS.run_id == before_run_id).scalar_subquery()
    same = (_RUNS.job == job, _RUNS.inputs_digest == inputs_digest, _RUNS.status.in_(_WITH_OUTPUT))
    return select(schema.runs).where(*same, _RUNS.number < before).order_by(_RUNS.number.desc()).limit(1)


def steps_of(run_id: str, phase: str | None) -> Select[Any]:
    """All attempts at the steps of a run, in the order of their commits."""
    query = select(_STEPS.record).where(_STEPS.run_id == run_id).order_by(_STEPS.number)
    return query if phase is None else query.where(_STEPS.phase == phase)


def completed_step(key: str, run_id: str | None) -> Select[Any]:
    """The newest completed step with a key."""
    query = select(_STEPS.record).where(_STEPS.key == key, _STEPS.status == Status.COMPLETED.value)
    query = query if run_id is None else query.where(_STEPS.run_id == run_id)
    return query.order_by(_STEPS.number.desc()).limit(1)


def ended_nodes(run_id: str, phase: str) -> Select[Any]:
    """Nodes whose step of a phase has ended, whatever way."""
    ended = _STEPS.status.in_(sorted(ENDED))
    return select(_STEPS.node).distinct().where(_STEPS.run_id == run_id, _STEPS.phase == phase, ended)


def concerns(run_id: str | None, *, open_only: bool) -> Executable:
    """Concerns with their dispositions, in the order they were raised."""
    raised, ends = schema.concerns, schema.dispositions
    query = select(raised.c.record, ends.c.record.label("end")).outerjoin(ends, ends.c.concern_id == raised.c.id)
    query = query if run_id is None else query.where(raised.c.run_id == run_id)
    query = query.where(ends.c.concern_id.is_(None)) if open_only else query
    return query.order_by(raised.c.number)


def exceptions_of(run_id: str) -> Select[Any]:
    """Exception reports of a run, in the order they came."""
    table = schema.exceptions.c
    return select(table.record).where(table.run_id == run_id).order_by(table.number)


def events_of(run_id: str, kind: str | None) -> Select[Any]:
    """Events of a run, in the order they happened."""
    table = schema.events
    query = select(table).where(table.c.run_id == run_id).order_by(table.c.number)
    return query if kind is None else query.where(table.c.kind == kind)


def run_of_flow_run(flow_run_id: str) -> Select[Any]:
    """The newest run that a flow run of Prefect started."""
    return select(schema.runs).where(_RUNS.flow_run_id == flow_run_id).order_by(_RUNS.number.desc()).limit(1)


def run_named(run_id: str) -> Select[Any]:
    """The run with exactly this id."""
    return select(schema.runs).where(_RUNS.run_id == run_id)


def sessions_of(run_id: str) -> Select[Any]:
    """Who worked on a run, in their order."""
    return select(schema.sessions).where(schema.sessions.c.run_id == run_id).order_by(schema.sessions.c.token)


def claims_of(run_id: str) -> Select[Any]:
    """What was begun in a run that changes the world, in its order."""
    return select(schema.claims).where(schema.claims.c.run_id == run_id).order_by(schema.claims.c.number)
