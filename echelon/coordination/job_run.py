"""All phases of a run, one behind the other, with a sync point behind each (D4, X2)."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from echelon.coordination.briefs import listed, strategic_summary
from echelon.coordination.context import RunContext
from echelon.coordination.delivery import Delivery, delivery_of
from echelon.coordination.phase_run import PhaseRun
from echelon.coordination.scheduler import Scheduler
from echelon.coordination.stage import stage_of
from echelon.journal.digest import digest_of
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.handoff import ErrorReport, Handoff, Missing
from echelon.model.plan import PhasePlan
from echelon.model.run import StepKind, StepRecord
from echelon.model.status import Status
from echelon.visibility.progress import Happening, ProgressEvent


async def run_phases(run: RunContext, scheduler: Scheduler) -> dict[str, Delivery]:
    """Carry out a plan; returns what each phase delivered."""
    delivered: dict[str, Delivery] = {}
    for phase in run.plan.phases:
        run.observe(_event(run, phase, Happening.PHASE_STARTED))
        starved = _starved(run, phase, delivered)
        if starved:
            delivered[phase.name] = await _blocked(run, phase, starved)
        else:
            delivered[phase.name] = await _synchronised(run, phase, await _worked(run, phase, scheduler, delivered))
        run.observe(_event(run, phase, Happening.PHASE_ENDED))
    return delivered


async def _worked(
    run: RunContext, phase: PhasePlan, scheduler: Scheduler, delivered: Mapping[str, Delivery]
) -> Delivery:
    definition = run.job.phases[phase.name]
    needed = {name: delivered.get(name, Delivery()) for name in definition.needs}
    sizes = {earlier.name: len(earlier.tasks) for earlier in run.plan.phases}
    phase_run = PhaseRun(
        run=run,
        phase=definition,
        scheduler=scheduler,
        upstream={name: run.received(name, delivery) for name, delivery in needed.items()},
        upstream_digest=digest_of([(name, delivery.versions) for name, delivery in needed.items()]),
        summary=strategic_summary((name, sizes[name], delivery) for name, delivery in delivered.items()),
        missing=listed((m.task_id, m.reason) for delivery in needed.values() for m in delivery.missing),
    )
    return await phase_run.coordinate(stage_of(run.plan, phase.tasks))


async def _synchronised(run: RunContext, phase: PhasePlan, delivery: Delivery) -> Delivery:
    """Ask the journal, which alone knows, who has ended; whoever has not is missing (F7)."""
    ended = await run.journal.ended(run.run_id, phase.name)
    known = {missing.task_id for missing in delivery.missing}
    lost = {task: run.plan.agent_of[task] for task in phase.tasks if run.plan.agent_of[task] not in ended}
    missing = tuple(
        Missing(task_id=task, producer=agent, reason="no handoff was recorded")
        for task, agent in lost.items()
        if task not in known
    )
    # What is not durable must not be seen.
    seen = tuple(handoff for handoff in delivery.handoffs if handoff.task_id not in lost)
    return Delivery(handoffs=seen, missing=delivery.missing + missing)


def _starved(run: RunContext, phase: PhasePlan, delivered: Mapping[str, Delivery]) -> str | None:
    """Name a needed phase that had work to do and delivered nothing at all; None when there is none."""
    for name in run.job.phases[phase.name].needs:
        delivery = delivered.get(name)
        if delivery is not None and delivery.missing and not delivery.handoffs:
            return name
    return None


async def _blocked(run: RunContext, phase: PhasePlan, needed: str) -> Delivery:
    """End every task of a phase that has nothing to work on, on record like any other; told as one incident (F6)."""
    reason = f"phase {needed!r} delivered nothing"
    now = run.now()
    message = f"phase {phase.name!r} is blocked, {len(phase.tasks)} tasks are not started: {reason}"
    report = ExceptionReport(
        trigger=Trigger.BLOCKED, level=Level.WARNING, path=(phase.sync.owner,), message=message, at=now
    )
    first, *others = [_unstarted(run, phase.name, task, reason, now) for task in phase.tasks]
    await asyncio.gather(run.record(first, report), *[run.record(step) for step in others])
    for step in (first, *others):
        run.observe(_ended(run, step))
    return delivery_of(step.handoff for step in (first, *others))


def _unstarted(run: RunContext, phase: str, task: str, reason: str, now: datetime) -> StepRecord:
    handoff = Handoff(
        task_id=task,
        status=Status.BLOCKED,
        summary=f"not started: {reason}",
        producer=run.plan.agent_of[task],
        assignment_id=f"{task}#1",
        confidence=0.0,
        error=ErrorReport(
            kind="Blocked", message=reason, can_pass=True, next_step="see why that phase failed, then resume the run"
        ),
        attempts=0,
    )
    return StepRecord(
        run_id=run.run_id,
        key=digest_of([run.run_id, task, reason]),
        phase=phase,
        node=handoff.producer,
        kind=StepKind.TASK,
        started=now,
        finished=now,
        handoff=handoff,
    )


def _ended(run: RunContext, step: StepRecord) -> ProgressEvent:
    return ProgressEvent(
        happening=Happening.TASK_ENDED,
        phase=step.phase,
        node=step.handoff.task_id,
        at=run.elapsed(),
        status=step.handoff.status,
    )


def _event(run: RunContext, phase: PhasePlan, happening: Happening) -> ProgressEvent:
    return ProgressEvent(
        happening=happening, phase=phase.name, node=phase.name, at=run.elapsed(), expected=len(phase.tasks)
    )
