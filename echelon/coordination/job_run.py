"""All phases of a run, one behind the other, with a sync point behind each (D4, X2)."""

from collections.abc import Mapping

from echelon.coordination.blocking import block
from echelon.coordination.breaker_watch import breakers_on_record
from echelon.coordination.briefs import missing_lines, strategic_summary
from echelon.coordination.context import RunContext
from echelon.coordination.empty_phases import report_empty_phases
from echelon.coordination.fallbacks import FallbackChain
from echelon.coordination.incidents import report_growth, report_incidents
from echelon.coordination.local_placement import LocalPlacement
from echelon.coordination.loss import Loss, OpenLoss
from echelon.coordination.overruns import report_overruns
from echelon.coordination.phase_output import PhaseOutput, output_of
from echelon.coordination.placement import Placement, StageOrder
from echelon.coordination.previous_runs import PreviousRuns
from echelon.coordination.readiness import deadline_seconds, filled, losses_in, note_of, skipped, unmet_need
from echelon.definition.need import Need
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.graph import Coupling
from echelon.model.handoff import Missing
from echelon.model.phrasing import count
from echelon.model.plan import PhasePlan
from echelon.runlog.events import PhaseEnded, PhaseStarted


async def run_phases(run: RunContext, parts: Placement | None = None) -> dict[str, PhaseOutput]:
    """Carry out a plan; returns what each phase handed on. `parts` places the parts below the primary; None is here."""
    async with breakers_on_record(run):
        here = LocalPlacement(run, parts)
        outputs: dict[str, PhaseOutput] = {}
        for phase in run.spec.plan.phases:
            outputs[phase.name] = await _run_phase(run, phase, here, outputs)
        await report_empty_phases(run)
        await report_growth(run)
        await report_overruns(run)
        return outputs


async def _run_phase(
    run: RunContext, phase: PhasePlan, here: Placement, outputs: Mapping[str, PhaseOutput]
) -> PhaseOutput:
    failpoint("phase.begun")
    run_id, tasks = run.spec.run_id, len(phase.tasks)
    run.log.enqueue(PhaseStarted(run_id=run_id, at=run.now(), phase=phase.name, expected=tasks))
    received = await _receive(run, phase, outputs)
    unmet = _unmet_needs(run, phase, received)
    if unmet:
        output = await _block(run, phase, unmet)
    else:
        output = await _synchronise(run, phase, await here.run(_order(run, phase, outputs, received)))
    await report_incidents(run)
    failpoint("phase.ended")
    await run.log.append(PhaseEnded(run_id=run_id, at=run.now(), phase=phase.name))
    return output


async def _receive(run: RunContext, phase: PhasePlan, outputs: Mapping[str, PhaseOutput]) -> dict[str, PhaseOutput]:
    """Return what a phase gets of each phase it needs: what was delivered, and fallbacks for what was not (F2)."""
    definition = run.spec.job.phases[phase.name]
    needs = [definition.need(name) for name in definition.needs]
    return {need.phase: await _with_fallbacks(run, phase, need, outputs.get(need.phase)) for need in needs}


async def _with_fallbacks(run: RunContext, phase: PhasePlan, need: Need, output: PhaseOutput | None) -> PhaseOutput:
    if output is None:
        return PhaseOutput()
    needed, plan = run.spec.job.phases[need.phase], run.spec.plan
    planned = next(one for one in plan.phases if one.name == need.phase)
    losses = losses_in(needed, planned, output) if need.fallbacks else ()
    chain = FallbackChain(run, PreviousRuns(run))
    found = [await chain.fill(_open(run, phase, need, loss), need.fallbacks) for loss in losses]
    there = [handoff for handoff in found if handoff is not None]
    return skipped(filled(output, there, integrated=needed.integrator is not None), note_of(need))


def _open(run: RunContext, phase: PhasePlan, need: Need, loss: Loss) -> OpenLoss:
    return OpenLoss(
        loss=loss,
        key=digest_of([run.spec.run_id, phase.name, loss.task_id]),
        phase=need.phase,
        output_type=run.contract_of(need.phase, loss.task_id),
    )


def _order(
    run: RunContext, phase: PhasePlan, outputs: Mapping[str, PhaseOutput], received: Mapping[str, PhaseOutput]
) -> StageOrder:
    """Return the order for a whole phase."""
    spec = run.spec
    definition = spec.job.phases[phase.name]
    needed = {name: got for name, got in received.items() if definition.need(name).coupling is not Coupling.NONE}
    sizes = {earlier.name: len(earlier.tasks) for earlier in spec.plan.phases}
    return StageOrder(
        run_id=spec.run_id,
        source=spec.job.source,
        phase=phase.name,
        node=spec.plan.primary.id,
        tasks=phase.tasks,
        plan_digest=spec.plan.digest,
        inputs_digest=spec.inputs_digest,
        upstream=needed,
        summary=strategic_summary((name, sizes[name], output) for name, output in outputs.items()),
        missing=missing_lines(one for output in needed.values() for one in output.lacks),
        lost={one.task_id: one.reason for output in outputs.values() for one in output.missing},
        deadline_seconds=deadline_seconds(phase.name, _all_needs(run)),
        budget=spec.job.budget,
        token=run.lease.session.token,
    )


def _all_needs(run: RunContext) -> list[Need]:
    return [phase.need(name) for phase in run.spec.job.phases.values() for name in phase.needs]


async def _synchronise(run: RunContext, phase: PhasePlan, output: PhaseOutput) -> PhaseOutput:
    """Ask the journal, which alone knows, who has ended; whoever has not is missing (F7)."""
    failpoint("sync.reached")
    agent_of = run.spec.plan.agent_of
    state = await run.log.refresh()  # what is known from here on is known of parts that were done elsewhere, too
    # An agent that holds several tasks has ended with some of them only when it dies (D1).
    ended = {step.handoff.task_id for step in state.latest.values() if step.phase == phase.name}
    known = {missing.task_id for missing in output.missing}
    lost = {task: agent_of[task] for task in phase.tasks if task not in ended}
    missing = tuple(
        Missing(task_id=task, producer=agent, reason="no handoff was recorded")
        for task, agent in lost.items()
        if task not in known
    )
    # What is not durable must not be seen.
    seen = tuple(handoff for handoff in output.handoffs if handoff.task_id not in lost)
    return output.model_copy(update={"handoffs": seen, "missing": output.missing + missing})


def _unmet_needs(run: RunContext, phase: PhasePlan, received: Mapping[str, PhaseOutput]) -> dict[str, str]:
    """Return the needed phases that did not deliver enough to start on, each with what it lacks (D3)."""
    definition = run.spec.job.phases[phase.name]
    found = {name: unmet_need(definition.need(name), output) for name, output in received.items()}
    return {name: why for name, why in found.items() if why}


async def _block(run: RunContext, phase: PhasePlan, unmet: Mapping[str, str]) -> PhaseOutput:
    """End every task of a phase that has nothing to work on; reported once, however many they are (F6)."""
    reason, agent_of = next(iter(unmet.values())), run.spec.plan.agent_of
    message = f"phase {phase.name!r} is blocked, {count(len(phase.tasks), 'task')} not started: {reason}"
    report = ExceptionReport(
        trigger=Trigger.BLOCKED, level=Level.WARNING, path=(phase.sync.owner,), message=message, at=run.now()
    )
    losses = [Loss(task_id=task, producer=agent_of[task], reason=reason, causes=tuple(unmet)) for task in phase.tasks]
    return output_of(await block(run, phase.name, losses, report))
