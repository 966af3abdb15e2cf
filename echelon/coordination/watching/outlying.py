"""At a sync point all tasks of a phase are there to be compared: what is unlike the others is put on record (V1)."""

from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.oversight.exceptions.outliers import outliers_of


async def find_outliers(run: RunContext, order: StageOrder, output: PhaseOutput) -> PhaseOutput:
    """Put on record which tasks of a phase took, used or failed far more than others; hand on what it made."""
    state = run.log.state
    steps = (step for name, step in state.latest.items() if name.phase == order.phase)
    reports = tuple(outliers_of(run.spec.plan, order.phase, steps, state.exceptions, run.now()))
    if reports:
        await run.log.append(*map(run.log.pushed, reports))
    return output
