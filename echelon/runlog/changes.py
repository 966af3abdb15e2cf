"""What single events change in what is known of their run: its record, and how its plan has grown. Pure."""

from typing import Any

from echelon.model.run import PlanExtension, RunStatus
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent


def record_changes(event: RunEvent) -> dict[str, Any]:
    """Return what an event changes in the record of its run: the index of runs in a journal changes by the same law."""
    if isinstance(event, happened.RunEnded):
        return {"status": event.status, "finished": event.finished, "report": event.report}
    if isinstance(event, happened.RunReopened):
        # The end of a run that was completed stays: looking at it again is no work.
        stays = event.before in (RunStatus.COMPLETED, RunStatus.RUNNING)
        return {"status": RunStatus.RUNNING, "finished": event.finished if stays else None}
    if isinstance(event, happened.TasksRetried):
        return {"status": RunStatus.RUNNING, "finished": None}  # there is work, even in a run that was completed
    return {"plan": event.plan} if isinstance(event, happened.PlanExtended) else {}


def extension_of(event: happened.PlanExtended) -> PlanExtension:
    """Return what became known with a phase that was planned on the way (X12)."""
    plan = event.plan
    return PlanExtension(
        phase=event.phase,
        at=event.at,
        tasks=sum(task.phase == event.phase for task in plan.tasks),
        reason=event.reason,
        structure=plan.structure,
        n_agents=plan.n_agents,
        levels=plan.levels,
        predicted_seconds=plan.makespan.predicted,
        findings=event.findings,
    )
