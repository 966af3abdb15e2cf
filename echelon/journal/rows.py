"""Records as rows, and rows as records. Pure; times are ISO 8601 text, records JSON text."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from echelon.journal.digest import canonical_json, digest_of
from echelon.journal.event import EventRecord
from echelon.model.concern import ConcernRecord, Disposition
from echelon.model.exception_report import ExceptionReport
from echelon.model.plan import Plan
from echelon.model.run import RunRecord, StepRecord
from echelon.model.session import EffectIntent, Session


def run_row(record: RunRecord) -> dict[str, Any]:
    """Return the row of a run, with the digest of its inputs."""
    return {
        **record.model_dump(mode="json", exclude={"plan", "inputs"}),
        "inputs": canonical_json(record.inputs).decode(),
        "inputs_digest": digest_of(record.inputs),
        "plan": record.plan.model_dump_json() if record.plan else None,
    }


def run_record(row: Mapping[str, Any]) -> RunRecord:
    """Return the run of a row; without its plan when the row has none."""
    values = {name: value for name, value in row.items() if name in RunRecord.model_fields}
    plan = values.get("plan")
    return RunRecord.model_validate(
        {**values, "inputs": from_json(values["inputs"]), "plan": Plan.model_validate_json(plan) if plan else None}
    )


def step_row(record: StepRecord) -> dict[str, Any]:
    """Return the row of a step."""
    return {
        "run_id": record.run_id,
        "key": record.key,
        "phase": record.phase,
        "node": record.node,
        "status": record.handoff.status.value,
        "record": record.model_dump_json(),
    }


def step_record(record: str) -> StepRecord:
    """Return the step written as `record`."""
    return StepRecord.model_validate_json(record)


def exception_row(run_id: str, report: ExceptionReport) -> dict[str, Any]:
    """Return the row of an exception report."""
    return {"run_id": run_id, "record": report.model_dump_json()}


def exception_report(record: str) -> ExceptionReport:
    """Return the exception report written as `record`."""
    return ExceptionReport.model_validate_json(record)


def concern_row(record: ConcernRecord) -> dict[str, Any]:
    """Return the row of a concern; its disposition has a row of its own."""
    return {"id": record.id, "run_id": record.run_id, "record": record.model_dump_json(exclude={"disposition"})}


def concern_record(record: str, end: str | None) -> ConcernRecord:
    """Return the concern written as `record`, with its disposition written as `end`."""
    concern = ConcernRecord.model_validate_json(record)
    return concern if end is None else concern.model_copy(update={"disposition": disposition(end)})


def disposition_row(concern_id: str, end: Disposition) -> dict[str, Any]:
    """Return the row of a disposition."""
    return {"concern_id": concern_id, "record": end.model_dump_json()}


def disposition(record: str) -> Disposition:
    """Return the disposition written as `record`."""
    return Disposition.model_validate_json(record)


def event_row(run_id: str, kind: str, subject: str, payload: dict[str, Any], at: str) -> dict[str, Any]:
    """Return the row of an event."""
    return {"run_id": run_id, "kind": kind, "subject": subject, "payload": canonical_json(payload).decode(), "at": at}


def event_record(row: Mapping[str, Any]) -> EventRecord:
    """Return the event of a row."""
    return EventRecord.model_validate({**row, "payload": from_json(row["payload"])})


def session_row(session: Session) -> dict[str, Any]:
    """Return the row of a session, but for when its lease ends."""
    return {
        "run_id": session.run_id,
        "token": session.token,
        "seen": session.seen.isoformat(),
        "ended": session.ended and session.ended.isoformat(),
        "record": session.model_dump_json(exclude={"seen", "ended"}),
    }


def session_record(row: Mapping[str, Any]) -> Session:
    """Return the session of a row."""
    return Session.model_validate({**from_json(row["record"]), "seen": row["seen"], "ended": row["ended"]})


def claim_row(claim: EffectIntent) -> dict[str, Any]:
    """Return the row of a claim."""
    record = claim.model_dump_json(exclude={"settled"})
    return {
        "run_id": claim.run_id,
        "key": claim.key,
        "attempt": claim.attempt,
        "settled": claim.settled,
        "record": record,
    }


def claim_record(row: Mapping[str, Any]) -> EffectIntent:
    """Return the claim of a row."""
    return EffectIntent.model_validate({**from_json(row["record"]), "settled": row["settled"]})
