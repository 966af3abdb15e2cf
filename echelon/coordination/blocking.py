"""Steps that are not started, since what they cannot do without was not delivered; on record all the same (D3, F2)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from echelon.coordination.context import RunContext
from echelon.journal.digest import digest_of
from echelon.model.exception_report import ExceptionReport
from echelon.model.graph import Coupling, TaskSpec
from echelon.model.handoff import ErrorReport, Handoff
from echelon.model.run import StepKind, StepRecord
from echelon.model.status import Status
from echelon.runlog.incidents import BLOCKED
from echelon.visibility.progress import Happening, ProgressEvent


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """A task that cannot start."""

    task_id: str
    """The task."""
    reason: str
    """What it waits for in vain."""
    causes: tuple[str, ...]
    """Tasks or phases that were not delivered."""


def blocked_by(task: TaskSpec, lost: Mapping[str, str]) -> Blocked | None:
    """Say what a task cannot do without and does not get, given why each lost task is; None when it can start."""
    needed = [used.task for used in task.depends_on if used.coupling is Coupling.TIGHT and used.task in lost]
    if not needed:
        return None
    more = f" and {len(needed) - 1:,} more" if len(needed) > 1 else ""
    return Blocked(task_id=task.id, reason=f"cannot run without {needed[0]}{more}", causes=tuple(needed))


async def block(
    run: RunContext, phase: str, blocked: Sequence[Blocked], report: ExceptionReport | None = None
) -> tuple[Handoff, ...]:
    """End tasks that cannot start, and tell once why."""
    steps = [_unstarted(run, phase, one) for one in blocked]
    reports = (report, *[None] * (len(steps) - 1))
    await asyncio.gather(*[run.record(step, news) for step, news in zip(steps, reports, strict=True)])
    for step in steps:
        run.observe(_ended(run, step))
    return tuple(step.handoff for step in steps)


def _unstarted(run: RunContext, phase: str, blocked: Blocked) -> StepRecord:
    now = run.now()
    handoff = Handoff(
        task_id=blocked.task_id,
        status=Status.BLOCKED,
        summary=f"not started: {blocked.reason}",
        producer=run.plan.agent_of[blocked.task_id],
        assignment_id=f"{blocked.task_id}#1",
        confidence=0.0,
        error=ErrorReport(
            kind=BLOCKED,
            message=blocked.reason,
            can_pass=True,
            next_step="see why that failed, then resume the run",
            causes=blocked.causes,
        ),
        attempts=0,
    )
    return StepRecord(
        run_id=run.run_id,
        key=digest_of([run.run_id, blocked.task_id, blocked.reason]),
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
        domain=run.plan.part_of(step.node),
        at=run.elapsed(),
        status=step.handoff.status,
    )
