"""Steps that are not started, since what they cannot do without was not delivered; on record all the same (D3, F2)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from echelon.coordination.context import RunContext
from echelon.coordination.loss import Loss
from echelon.journal.digest import digest_of
from echelon.model.exception_report import ExceptionReport
from echelon.model.graph import Coupling, TaskSpec
from echelon.model.handoff import OVER_LIMIT, ErrorReport, Handoff
from echelon.model.run import StepRecord
from echelon.model.status import Status
from echelon.runlog.events import StepEnded
from echelon.runlog.incidents import BLOCKED

#: What is needed of a single task: all of it is there or nothing is. The fallback of a medium one stood in by now (F2).
_NEEDED = (Coupling.TIGHT, Coupling.MEDIUM)


def blocked_by(
    task: TaskSpec,
    agent: str,
    lost: Mapping[str, str],
    until: Mapping[str, datetime] = MappingProxyType({}),
    asks: Mapping[str, str] = MappingProxyType({}),
) -> Loss | None:
    """Say what a task cannot do without and does not get, given why each lost task is; None when it can start.

    What comes when a quota has reset (`until`), or a person has answered (`asks`), is waited for, however little it is
    needed (F10, O5).
    """
    needed = [
        used.task
        for used in task.depends_on
        if used.task in lost
        and (used.coupling in _NEEDED or (used.task in {*until, *asks} and used.coupling is not Coupling.NONE))
    ]
    if not needed:
        return None
    more = f" and {len(needed) - 1:,} more" if len(needed) > 1 else ""
    reason = f"cannot run without {needed[0]}{more}"
    times = [until[name] for name in needed if name in until]
    return Loss(
        task_id=task.id,
        producer=agent,
        reason=reason,
        causes=tuple(needed),
        until=max(times) if times else None,
        asks=next((asks[name] for name in needed if name in asks), ""),
    )


async def block(
    run: RunContext, phase: str, losses: Sequence[Loss], report: ExceptionReport | None = None
) -> tuple[Handoff, ...]:
    """End tasks that cannot start, and report once why."""
    steps = [_unstarted(run, phase, one) for one in losses]
    is_known = bool(steps) and all(map(run.log.waits_still, steps))
    reports = [run.log.pushed(report)] if report and not is_known else []
    ended = [StepEnded(run_id=step.run_id, at=step.finished, record=step) for step in steps]
    await run.log.append(*reports, *ended)
    return tuple(step.handoff for step in steps)


def _unstarted(run: RunContext, phase: str, loss: Loss) -> StepRecord:
    now = run.now()
    handoff = Handoff(
        task_id=loss.task_id,
        status=Status.BLOCKED,
        summary=f"not started: {loss.reason}",
        producer=loss.producer,
        assignment_id=f"{loss.task_id}#1",
        confidence=0.0,
        error=ErrorReport(
            kind=OVER_LIMIT if loss.over_limit else BLOCKED,
            message=loss.reason,
            can_pass=True,
            next_step="change the limit, then resume the run"
            if loss.over_limit
            else "see why that failed, then resume the run",
            causes=loss.causes,
            until=loss.until,
            asked=loss.asks,
        ),
        attempts=0,
    )
    return StepRecord(
        run_id=run.spec.run_id,
        key=digest_of([run.spec.run_id, loss.task_id, loss.reason]),
        phase=phase,
        node=handoff.producer,
        kind=loss.kind,
        started=now,
        finished=now,
        handoff=handoff,
    )
