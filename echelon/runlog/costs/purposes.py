"""What each step was for: work that counts, coordination, or work that was in vain or done before (M1). Pure."""

from collections.abc import Iterable, Iterator, Sequence

from echelon.model.costs.account import CostKind
from echelon.model.run import StepKind, StepRecord
from echelon.runlog.draft import step_name
from echelon.runlog.standing import StepName

#: What each kind of step is for.
PURPOSES: dict[StepKind, CostKind] = {
    StepKind.TASK: CostKind.WORK,
    StepKind.INTEGRATION: CostKind.INTEGRATION,
    StepKind.PLANNING: CostKind.ORCHESTRATION,
    StepKind.CHECK: CostKind.VERIFICATION,
}


def is_echo(step: StepRecord) -> bool:
    """Say whether a record only repeats what is on record: of an earlier run, of rounds, of replicas, never begun."""
    usage = step.handoff.usage
    return not (usage.seconds or usage.calls or usage.tokens or usage.cost)


def purposes(steps: Sequence[StepRecord]) -> Iterator[tuple[StepRecord, CostKind]]:
    """Yield the steps that took anything, in the order of the log, each with what it was for.

    Of the attempts at one step the first that delivered counts; others are rework.
    """
    winners = _winners(steps)
    delivered: set[tuple[StepName, int]] = set()
    for step in steps:
        if is_echo(step):
            continue
        name = step_name(step)
        yield step, _purpose(step, winners.get((name, step.round)), (name, step.replica) in delivered)
        if step.handoff.done:
            delivered.add((name, step.replica))


def _winners(steps: Iterable[StepRecord]) -> dict[tuple[StepName, int], Sequence[int]]:
    """Return the replicas that count of each task that is done by several, once that is known (F9)."""
    ended = (step for step in steps if step.handoff.replicas is not None)
    return {(step_name(step), step.round): step.handoff.replicas.counted for step in ended if step.handoff.replicas}


def _purpose(step: StepRecord, winners: Sequence[int] | None, again: bool) -> CostKind:
    handoff = step.handoff
    own = PURPOSES[step.kind]
    lost = bool(step.replica) and winners is not None and step.replica not in winners
    in_vain = lost or not (handoff.done or handoff.waits)
    repeated = (again or step.round > 1) and own is not CostKind.VERIFICATION
    return CostKind.REWORK if in_vain or repeated else own
