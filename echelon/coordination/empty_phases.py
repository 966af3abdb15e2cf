"""Phases that had nothing to do: a mistyped path looks just like success, so it is always said (D4)."""

from echelon.coordination.context import RunContext
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.run import StepKind


async def report_empty_phases(run: RunContext) -> None:
    """Report each phase of the job that found no items, once; not one that says that it may find none."""
    busy = {phase.name for phase in run.spec.plan.phases}
    skipped = {name for name, stands in run.log.state.phases.items() if stands.skipped}
    refused = {
        step.phase for step in run.log.state.latest.values() if step.kind is StepKind.PLANNING and not step.handoff.done
    }
    held = run.log.state.sample.held.keys() if run.log.state.sample else set[str]()
    said = {report.path[-1] for report in run.log.state.exceptions if report.trigger is Trigger.EMPTY}
    owner, at = run.spec.plan.primary.id, run.now()
    reports = [
        ExceptionReport(
            trigger=Trigger.EMPTY,
            level=Level.WARNING,
            path=(owner, phase),
            message=f"phase {phase!r} had nothing to do: it found no items",
            at=at,
        )
        for phase, definition in run.spec.job.phases.items()
        if phase not in busy | said | skipped | refused | held and (definition.items is None or definition.items[0] > 0)
    ]
    if reports:
        await run.log.append(*map(run.log.pushed, reports))
