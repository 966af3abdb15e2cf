"""All phases of a run, one behind the other, with a sync point behind each (D4, X2)."""

from collections.abc import Mapping
from dataclasses import replace

from echelon.coordination.blocking import Blocked, block
from echelon.coordination.breaker_watch import breakers_on_record
from echelon.coordination.briefs import listed, strategic_summary
from echelon.coordination.context import RunContext
from echelon.coordination.delivery import Delivery, delivery_of
from echelon.coordination.earlier import Earlier
from echelon.coordination.fallbacks import Place, StandIns
from echelon.coordination.incidents import tell_growth, tell_incidents
from echelon.coordination.phase_run import PhaseRun
from echelon.coordination.scheduler import Scheduler
from echelon.coordination.stage import stage_of
from echelon.coordination.supply import Gap, filled, gaps_in, note_of, patience_seconds, skipped, why_starved
from echelon.definition.need import Need
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.graph import Coupling
from echelon.model.handoff import Missing
from echelon.model.plan import PhasePlan
from echelon.model.run import StepKind
from echelon.visibility.progress import Happening, ProgressEvent


async def run_phases(run: RunContext, scheduler: Scheduler) -> dict[str, Delivery]:
    """Carry out a plan; returns what each phase delivered."""
    async with breakers_on_record(run):
        return await _in_turn(run, scheduler)


async def _in_turn(run: RunContext, scheduler: Scheduler) -> dict[str, Delivery]:
    delivered: dict[str, Delivery] = {}
    for phase in run.plan.phases:
        failpoint("phase.begun")
        run.observe(_event(run, phase, Happening.PHASE_STARTED))
        received = await _supplied(run, phase, delivered)
        starved = _starved(run, phase, received)
        if starved:
            delivered[phase.name] = await _blocked(run, phase, starved)
        else:
            worked = await _worked(run, phase, scheduler, delivered, received)
            delivered[phase.name] = await _synchronised(run, phase, worked)
        await tell_incidents(run)
        failpoint("phase.ended")
        run.observe(_event(run, phase, Happening.PHASE_ENDED))
    await tell_growth(run)
    return delivered


async def _supplied(run: RunContext, phase: PhasePlan, delivered: Mapping[str, Delivery]) -> dict[str, Delivery]:
    """Return what a phase gets of each phase it needs: what was delivered, and fallbacks for what was not (F2)."""
    definition = run.job.phases[phase.name]
    needs = [definition.need(name) for name in definition.needs]
    return {need.phase: await _with_fallbacks(run, phase, need, delivered.get(need.phase)) for need in needs}


async def _with_fallbacks(run: RunContext, phase: PhasePlan, need: Need, delivery: Delivery | None) -> Delivery:
    if delivery is None:
        return Delivery()
    needed, planned = run.job.phases[need.phase], next(one for one in run.plan.phases if one.name == need.phase)
    gaps = gaps_in(needed, planned, delivery) if need.fallbacks else ()
    stand_ins = StandIns(run, Earlier(run))
    places = [_place(run, phase, need, gap) for gap in gaps]
    found = [await stand_ins.fill(place, need.fallbacks) for place in places]
    there = [handoff for handoff in found if handoff is not None]
    return skipped(filled(delivery, there, integrated=needed.integrator is not None), note_of(need))


def _place(run: RunContext, phase: PhasePlan, need: Need, gap: Gap) -> Place:
    integration = gap.task_id not in run.tasks
    return Place(
        key=digest_of([run.run_id, phase.name, gap.task_id]),
        phase=need.phase,
        task_id=gap.task_id,
        node=gap.producer,
        kind=StepKind.INTEGRATION if integration else StepKind.TASK,
        output_type=run.contract_of(need.phase, gap.task_id),
        reason=gap.reason,
    )


async def _worked(
    run: RunContext,
    phase: PhasePlan,
    scheduler: Scheduler,
    delivered: Mapping[str, Delivery],
    received: Mapping[str, Delivery],
) -> Delivery:
    definition = run.job.phases[phase.name]
    needed = {name: got for name, got in received.items() if definition.need(name).coupling is not Coupling.NONE}
    sizes = {earlier.name: len(earlier.tasks) for earlier in run.plan.phases}
    lacks = [one for delivery in needed.values() for one in delivery.lacks]
    phase_run = PhaseRun(
        run=run,
        phase=definition,
        scheduler=scheduler,
        upstream={name: run.received(name, delivery) for name, delivery in needed.items()},
        upstream_digest=digest_of([(name, delivery.versions) for name, delivery in needed.items()]),
        summary=strategic_summary((name, sizes[name], delivery) for name, delivery in delivered.items()),
        missing=listed((one.task_id, _told(one)) for one in lacks),
        lost={one.task_id: one.reason for delivery in delivered.values() for one in delivery.missing},
        patience_seconds=patience_seconds(phase.name, _all_needs(run)),
    )
    return await phase_run.carry_out(stage_of(run.plan, phase.tasks))


def _told(missing: Missing) -> str:
    return f"{missing.reason} (instead: {missing.instead})" if missing.instead else missing.reason


def _all_needs(run: RunContext) -> list[Need]:
    return [phase.need(name) for phase in run.job.phases.values() for name in phase.needs]


async def _synchronised(run: RunContext, phase: PhasePlan, delivery: Delivery) -> Delivery:
    """Ask the journal, which alone knows, who has ended; whoever has not is missing (F7)."""
    failpoint("sync.reached")
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
    return replace(delivery, handoffs=seen, missing=delivery.missing + missing)


def _starved(run: RunContext, phase: PhasePlan, received: Mapping[str, Delivery]) -> dict[str, str]:
    """Return the needed phases that did not deliver enough to start on, each with what it lacks (D3)."""
    definition = run.job.phases[phase.name]
    found = {name: why_starved(definition.need(name), delivery) for name, delivery in received.items()}
    return {name: why for name, why in found.items() if why}


async def _blocked(run: RunContext, phase: PhasePlan, starved: Mapping[str, str]) -> Delivery:
    """End every task of a phase that has nothing to work on; told once, however many they are (F6)."""
    reason = next(iter(starved.values()))
    message = f"phase {phase.name!r} is blocked, {len(phase.tasks)} tasks are not started: {reason}"
    report = ExceptionReport(
        trigger=Trigger.BLOCKED, level=Level.WARNING, path=(phase.sync.owner,), message=message, at=run.now()
    )
    blocked = [Blocked(task_id=task, reason=reason, causes=tuple(starved)) for task in phase.tasks]
    return delivery_of(await block(run, phase.name, blocked, report))


def _event(run: RunContext, phase: PhasePlan, happening: Happening) -> ProgressEvent:
    return ProgressEvent(
        happening=happening, phase=phase.name, node=phase.name, at=run.elapsed(), expected=len(phase.tasks)
    )
