"""Right before something irreversible is done: is it what was approved, and may that be done still (O5, X13)?"""

from echelon.coordination.context import RunContext
from echelon.coordination.gates.action import describe
from echelon.coordination.gates.asking import holding_back
from echelon.coordination.step.step import Step
from echelon.model.errors import ApprovalDenied, ApprovalPending
from echelon.model.phrasing import listed
from echelon.oversight.gates.answers import MAX_NAMED
from echelon.runlog.gate_events import ApprovalUsed, GateClosed
from echelon.runlog.gates import why_not_usable


async def approval_used(run: RunContext, step: Step) -> ApprovalUsed | None:
    """Return what puts it on record that an approval is used up; None for work that can be undone.

    `ApprovalDenied` for what is not what was approved, `ApprovalPending` while urgent concerns about it are open.
    """
    if step.agent.effect != "irreversible":
        return None
    if step.approval is None:
        raise ApprovalDenied(f"{step.task_id} cannot be undone, and nobody was asked whether it may begin")
    described = await describe(run, step)
    await run.log.refresh()
    gate, now = run.log.state.gates[step.approval.id], run.now()
    why = why_not_usable(gate, step.key, described.digest, now)
    if why:
        if not gate.closed:
            await run.log.append(GateClosed(run_id=gate.run_id, at=now, gate_id=gate.id, reason=why))
        raise ApprovalDenied(
            f"{step.task_id} is not begun, the approval of gate {gate.id} cannot be used: {why}",
            f"to have it asked again: echelon resume {run.spec.run_id}",
        )
    holding = await holding_back(run, step)
    if holding:
        names = listed([one.id for one in holding], MAX_NAMED)
        raise ApprovalPending(
            f"{step.task_id} is not begun: concerns about it were raised after it was approved: {names}",
            f"look at each: echelon concerns show ID, dispose of it, then: echelon resume {run.spec.run_id}",
        )
    return ApprovalUsed(run_id=gate.run_id, at=now, gate_id=gate.id, key=step.key, digest=described.digest)
