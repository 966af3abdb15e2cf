"""Constraints of a job that are checked: on all that a phase hands on, before anybody gets it (D9).

A constraint that is broken is a finding: what was made is handed on with that said, and the run is not simply done.
"""

from echelon.agents.agent import Agent
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.readiness import waits_in
from echelon.coordination.rolling.beside import steps_beside
from echelon.coordination.rolling.steps import StepMaker
from echelon.coordination.step.layers import layers
from echelon.coordination.step.record import record_of, record_step
from echelon.coordination.step.step import Step
from echelon.coordination.success.answered import read_report
from echelon.coordination.success.rejecting import without_output
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.handoff import ErrorReport, Handoff, Missing
from echelon.model.integration import constraint_id
from echelon.model.status import Status
from echelon.model.verification.verification import CheckReport
from echelon.runlog.losses import missing_of

#: Kind of the error of a check that found a constraint broken, or could not tell.
BROKEN = "ConstraintBroken"


async def check_constraints(run: RunContext, order: StageOrder, output: PhaseOutput) -> PhaseOutput:
    """Let the constraints of the job be checked on what a phase hands on; what is broken stands with it."""
    checks = run.spec.job.constraint_checks
    if not checks or not output.handoffs or waits_in(output.missing):  # what comes later is a part of it (F10)
        return output
    steps = steps_beside(run, order)
    found = [await _find_broken(run, steps, check, order.phase, output) for check in checks]
    broken = tuple(one for one in found if one is not None)
    return output.model_copy(update={"replaced": (*output.replaced, *broken)}) if broken else output


async def _find_broken(
    run: RunContext, steps: StepMaker, check: Agent, phase: str, output: PhaseOutput
) -> Missing | None:
    step = steps.check_of_phases(check, constraint_id(phase, check.name), {phase: output})
    checked = await layers(run)(step)
    failpoint("constraint.checked")
    if not checked.done:
        return missing_of(checked)
    report = await read_report(run, check, checked)
    return None if report.result == "accepted" else missing_of(await _record(run, step, checked, phase, report))


async def _record(run: RunContext, step: Step, checked: Handoff, phase: str, report: CheckReport) -> Handoff:
    """Put it on record that a constraint does not hold, or that nobody can tell; nothing is counted twice."""
    said = "breaks the constraint" if report.result == "rejected" else "cannot be checked against the constraint"
    message = f"what phase {phase!r} hands on {said} {report.name}: {report.gap or 'it does not say why'}"
    error = ErrorReport(
        kind=BROKEN,
        message=message,
        can_pass=False,
        next_step=f"change the work of the phase, or the constraint, then: echelon retry {run.spec.run_id} TASK",
    )
    broken = without_output(checked, Status.FAILED, error).counting_nothing()
    record = record_of(run, step, broken, key=digest_of((step.key, report.result)))
    warning = ExceptionReport(
        trigger=Trigger.PARTIAL, level=Level.WARNING, path=step.path, message=message, at=record.finished
    )
    known = any(one.key == record.key for one in run.log.state.steps)  # in a run that is resumed: said already
    await record_step(run, record, None if known else warning)
    return broken
