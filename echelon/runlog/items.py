"""What became of the items of a phase that may keep work of earlier runs, from what is on record. Pure."""

from collections.abc import Collection

from echelon.model.run import StepKind
from echelon.model.views.items import Changes
from echelon.runlog.state import RunState


def changes_of(state: RunState, phase: str, among: Collection[str] | None = None) -> Changes | None:
    """Return what became of the tasks of a phase, all or some of them; None where nothing of it may be kept."""
    stands = state.phases.get(phase)
    compared = stands.compared if stands else None
    if compared is None:
        return None
    ended = [
        step.handoff
        for name, step in state.latest.items()
        if name.kind is StepKind.TASK and name.phase == phase and (among is None or name.task_id in among)
    ]
    not_before = set(compared.new)
    worked_on = [handoff.task_id for handoff in ended if handoff.done and not handoff.kept_from]
    return Changes(
        since_run=compared.since_run,
        new=tuple(task for task in worked_on if task in not_before),
        gone=compared.gone,
        kept=tuple(handoff.task_id for handoff in ended if handoff.kept_from),
        done=tuple(task for task in worked_on if task not in not_before),
    )
