"""A step is put on record with all it raised, in one transaction: no crash keeps one and loses the other (O1)."""

import secrets
from collections.abc import Iterator
from datetime import datetime

from echelon.coordination.context import RunContext
from echelon.coordination.step.envelope import deviation
from echelon.coordination.step.step import Step
from echelon.coordination.sync.told import versions_told
from echelon.coordination.voice.statements import ID_ALPHABET, ID_LENGTH, said_id
from echelon.definition.facts import kind_of
from echelon.model.concern import Concern
from echelon.model.exception_report import ExceptionReport
from echelon.model.handoff import Handoff
from echelon.model.run import StepRecord
from echelon.runlog.causes import cause_of
from echelon.runlog.events import ConcernRaised, StepEnded


async def record_step(run: RunContext, step: StepRecord, report: ExceptionReport | None = None) -> None:
    """Put a step on record, with its concerns and what there is to report; durable when this returns."""
    reports = [run.log.pushed(report)] if report else []
    ended = StepEnded(run_id=step.run_id, at=step.finished, record=step)
    await run.log.append(*_raised(run, step), *reports, ended)


async def record_with_news(run: RunContext, step: Step, record: StepRecord) -> None:
    """Put a step on record, and report how it ended where that is news (V1)."""
    handoff = record.handoff
    news = deviation(handoff, record.replica)
    # The first failure of a cause is reported at once; the others by the incident at the sync point (F6).
    cause = cause_of(handoff.error) if handoff.error is not None else ""
    known = f"{cause} (replica)" if cause and record.replica else cause
    if run.log.waits_still(record) or news is None or (handoff.error is not None and not run.causes.is_first(known)):
        await record_step(run, record)
        return
    trigger, level, message = news
    report = ExceptionReport(trigger=trigger, level=level, path=step.path, message=message, at=record.finished)
    await record_step(run, record, report)


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
        basis=step.basis,
        replica=step.replica,
        told=step.told if isinstance(step, StepRecord) else versions_told(step),
        interim=step.interim and handoff.done and not key,
        worker=step.worker if isinstance(step, StepRecord) else kind_of(step.agent).value,
    )


def raised(run: RunContext, source: str, concern: Concern, at: datetime) -> ConcernRaised:
    """Return the event that puts a concern on record that no step raised; each time it is another one."""
    return run.raising.event(_new_id(), source, concern, at)


def _raised(run: RunContext, step: StepRecord) -> Iterator[ConcernRaised]:
    """Yield what a step raised, without what is on record already since it was said while the step was done (X15)."""
    at, handoff = run.now(), step.handoff
    for concern in handoff.concerns:
        identity = said_id(step.run_id, step.key, concern)
        if run.once.is_new(identity, run.log.state):
            yield run.raising.event(
                identity, step.node, concern, at, step=step.key, task_id=handoff.task_id, phase=step.phase
            )


def _new_id() -> str:
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))
