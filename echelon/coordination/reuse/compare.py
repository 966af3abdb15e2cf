"""How the items of a phase differ from those of the run before it: known when the phase begins."""

from echelon.coordination.context import RunContext
from echelon.definition.inputs import written_inputs
from echelon.journal.digest import digest_of
from echelon.model.plan import PhasePlan
from echelon.model.run import RunRecord, StepKind
from echelon.model.views.items import ComparedItems


async def compare_items(run: RunContext, phase: PhasePlan) -> ComparedItems | None:
    """Return what is new and what is gone in a phase; None where nothing of earlier runs is kept in it.

    A run that is resumed goes by what it found when the phase began.
    """
    if run.spec.job.phases[phase.name].reuse is None:
        return None
    stands = run.log.state.phases.get(phase.name)
    if stands is not None and stands.compared is not None:
        return stands.compared
    before = await _run_before(run)
    if before is None:
        return ComparedItems(new=phase.tasks)
    steps = await run.log.journal.steps(before.run_id, phase.name)
    known = dict.fromkeys(step.handoff.task_id for step in steps if step.kind is StepKind.TASK)
    return ComparedItems(
        since_run=before.run_id,
        new=tuple(task for task in phase.tasks if task not in known),
        gone=tuple(task for task in known if task not in set(phase.tasks)),
    )


async def _run_before(run: RunContext) -> RunRecord | None:
    """Return the newest run with an output on the same inputs; where there is none, the newest on any."""
    journal, spec = run.log.journal, run.spec
    same = await journal.last_completed(spec.job.name, digest_of(written_inputs(spec.inputs)), spec.run_id)
    return same or await journal.last_completed(spec.job.name, None, spec.run_id)
