"""A step is put on record with all it raised, in one transaction: no crash keeps one and loses the other (O1)."""

import secrets
from datetime import datetime

from echelon.coordination.context import RunContext
from echelon.coordination.step.step import Step
from echelon.model.concern import Concern, ConcernRecord
from echelon.model.exception_report import ExceptionReport
from echelon.model.handoff import Handoff
from echelon.model.run import StepRecord
from echelon.runlog.events import ConcernRaised, StepEnded

#: Digits and letters that are not mistaken for one another; ten of them hardly ever meet twice (50 bits).
_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 10


async def record_step(run: RunContext, step: StepRecord, report: ExceptionReport | None = None) -> None:
    """Put a step on record, with its concerns and what there is to report; durable when this returns."""
    reports = [run.log.pushed(report)] if report else []
    ended = StepEnded(run_id=step.run_id, at=step.finished, record=step)
    await run.log.append(*_raised(run, step), *reports, ended)


def record_of(
    run: RunContext,
    step: Step | StepRecord,
    handoff: Handoff,
    *,
    key: str = "",
    began: datetime | None = None,
    code: str = "",
    model: str | None = None,
) -> StepRecord:
    """Return the record of a step that ends now, under its own key or another one; it began now unless it is said."""
    now = run.now()
    return StepRecord(
        run_id=run.spec.run_id,
        key=key or step.key,
        phase=step.phase,
        node=step.node,
        kind=step.kind,
        started=began or now,
        finished=now,
        handoff=handoff,
        code=code,
        model=model,
        round=step.round,
        interim=step.interim and handoff.done and not key,
    )


def raised(run_id: str, source: str, step: str, concern: Concern, at: datetime) -> ConcernRaised:
    """Return the event that puts a concern on record; `step` is the key of the step that raised it, if one did."""
    record = ConcernRecord(id=_new_id(), run_id=run_id, source=source, step=step, concern=concern, at=at)
    return ConcernRaised(run_id=run_id, at=at, record=record)


def _raised(run: RunContext, step: StepRecord) -> list[ConcernRaised]:
    at = run.now()
    return [raised(step.run_id, step.node, step.key, concern, at) for concern in step.handoff.concerns]


def _new_id() -> str:
    return "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))
