"""Events as rows of the log and of its indexes, and rows as records. Pure; times are ISO 8601, payloads JSON."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic_core import from_json, to_jsonable_python
from sqlalchemy import RowMapping

from echelon.journal.digest import canonical_json, digest_of
from echelon.model.concern import ConcernRecord, Disposition, Reopening
from echelon.model.errors import InvalidInput, JournalError
from echelon.model.phrasing import one_line, truncate
from echelon.model.plan import Plan
from echelon.model.run import RunRecord, RunStatus, StepRecord
from echelon.model.session import Session
from echelon.runlog.changes import record_changes
from echelon.runlog.events import (
    ConcernDisposed,
    ConcernRaised,
    ConcernReopened,
    LoggedEvent,
    PlanExtended,
    RunEvent,
    RunStarted,
    StepEnded,
    read_event,
)

Row = RowMapping

#: Columns of a run that are fields of its record.
_RUN_FIELDS = RunRecord.model_fields.keys() - {"plan", "damage"}
#: When a run began whose row does not say so any more.
_UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)

T = TypeVar("T")

log = logging.getLogger("echelon.journal")


def read_row(row: Row, read: Callable[[Row], T]) -> T:
    """Return what a row holds; `JournalError` names its run when it cannot be read."""
    try:
        return read(row)
    except ValueError as error:
        whose = f" of run {row['run_id']!r}" if "run_id" in row else ""
        raise JournalError(
            f"a row{whose} in the journal cannot be read, it is damaged or was written by another version "
            f"({_why(error)}); other runs can: `echelon runs`"
        ) from error


def concern_or_none(row: Row) -> ConcernRecord | None:
    """Return the concern of a row; None when it cannot be read, which is logged: it must hide no other."""
    try:
        return concern_record(row)
    except ValueError as error:
        log.warning("a concern of run %r cannot be read: %s", row["run_id"], _why(error))
        return None


def _why(error: Exception) -> str:
    return truncate(one_line(str(error)), 200)


def payloads(events: Sequence[RunEvent]) -> list[str]:
    """Return events as JSON; raise `InvalidInput` when one has no such form."""
    try:
        return [event.model_dump_json() for event in events]
    except ValueError as error:  # also what pydantic raises
        raise InvalidInput(
            f"event {events[0].kind!r} of run {events[0].run_id!r} cannot be written as JSON ({error}); "
            "use models, text, numbers, lists, dicts"
        ) from error


def event_row(seq: int, event: RunEvent, payload: str) -> dict[str, Any]:
    """Return the row of an event at a place of the log."""
    return {
        "run_id": event.run_id,
        "seq": seq,
        "kind": event.kind,
        "subject": event.subject,
        "at": event.at.isoformat(),
        "payload": payload,
    }


def event_of(row: Row) -> RunEvent:
    """Return the event of a row."""
    return read_event(row["payload"])


def logged_event(row: Row) -> LoggedEvent:
    """Return the event of a row, with its place in the log."""
    return LoggedEvent(seq=row["seq"], event=read_event(row["payload"]))


def run_row(record: RunRecord) -> dict[str, Any]:
    """Return the row of a run, with the digest of its inputs; its plan stays in the log."""
    return {
        **record.model_dump(mode="json", exclude={"plan", "inputs", "damage"}),
        "inputs": canonical_json(record.inputs).decode(),
        "inputs_digest": digest_of(record.inputs),
    }


def run_record(row: Row) -> RunRecord:
    """Return the run of a row, without its plan."""
    values = {name: row[name] for name in _RUN_FIELDS}
    return RunRecord.model_validate({**values, "inputs": from_json(values["inputs"])})


def run_record_or_damage(row: Row) -> RunRecord:
    """Return the run of a row; of one that cannot be read, what is left of it, so that it hides no other."""
    try:
        return run_record(row)
    except ValueError as error:
        return RunRecord.model_construct(
            run_id=str(row["run_id"]),
            job=str(row["job"]),
            source=str(row["source"]),
            inputs={},
            status=_or(RunStatus, row["status"], RunStatus.FAILED),
            started=_or(datetime.fromisoformat, row["started"], _UNKNOWN_TIME),
            damage=_why(error),
        )


def _or(read: Callable[[Any], T], value: object, instead: T) -> T:
    try:
        return read(value)
    except (ValueError, TypeError):
        return instead


def run_record_with_plan(row: Row) -> RunRecord:
    """Return the run of a row that holds the event with its newest plan, if there is one."""
    return run_record(row).model_copy(update={"plan": row["plan"] and _plan(row["plan"])})


def run_changes(event: RunEvent) -> dict[str, Any]:
    """Return what an event changes in the row of its run."""
    return to_jsonable_python(record_changes(event))


def step_row(seq: int, record: StepRecord) -> dict[str, Any]:
    """Return the row of a step that ended."""
    return {
        "run_id": record.run_id,
        "seq": seq,
        "key": record.key,
        "phase": record.phase,
        "node": record.node,
        "status": record.handoff.status.value,
        "basis": record.basis if record.can_be_kept else None,
    }


def step_record(row: Row) -> StepRecord:
    """Return the step of the event of a row."""
    return StepEnded.model_validate_json(row["payload"]).record


def concern_record(row: Row) -> ConcernRecord:
    """Return the concern of the event of a row, with the disposition of the event that ended it, if there is one."""
    raised = ConcernRaised.model_validate_json(row["payload"]).record
    return raised if row["end"] is None else raised.disposed(_disposition(row["end"]))


def reopening(row: Row) -> tuple[str, Reopening]:
    """Return which concern was opened again, and what that took back."""
    event, ended = ConcernReopened.model_validate_json(row["payload"]), _disposition(row["ended"])
    taken_back = Reopening(disposition=ended, by=event.by, reason=event.reason, evidence=event.evidence, at=event.at)
    return event.concern_id, taken_back


def reopening_or_none(row: Row) -> tuple[str, Reopening] | None:
    """Return the same; None when it cannot be read, which is logged: it must hide no concern."""
    try:
        return reopening(row)
    except ValueError as error:
        log.warning("what reopened a concern of run %r cannot be read: %s", row["run_id"], _why(error))
        return None


def with_reopenings(
    records: Iterable[ConcernRecord], taken_back: Iterable[tuple[str, Reopening]]
) -> tuple[ConcernRecord, ...]:
    """Return concerns, each with what was taken back of its ends."""
    found: dict[str, tuple[Reopening, ...]] = {}
    for identity, one in taken_back:
        found[identity] = (*found.get(identity, ()), one)
    return tuple(
        record.model_copy(update={"reopened": found[record.id]}) if record.id in found else record for record in records
    )


def _disposition(payload: str) -> Disposition:
    return ConcernDisposed.model_validate_json(payload).disposition


def session_row(session: Session) -> dict[str, Any]:
    """Return the row of a session, but for when its lease ends."""
    return {
        "run_id": session.run_id,
        "part": session.part,
        "token": session.token,
        "seen": session.seen.isoformat(),
        "ended": session.ended and session.ended.isoformat(),
        "record": session.model_dump_json(exclude={"seen", "ended"}),
    }


def session_record(row: Row) -> Session:
    """Return the session of a row."""
    return Session.model_validate({**from_json(row["record"]), "seen": row["seen"], "ended": row["ended"]})


def _plan(payload: str) -> Plan | None:
    event = read_event(payload)
    if isinstance(event, RunStarted):
        return event.record.plan
    return event.plan if isinstance(event, PlanExtended) else None
