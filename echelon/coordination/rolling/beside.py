"""Steps beside the tasks of a phase: who judges, decides or plans about it has guards of its own, and no deadline."""

from echelon.coordination.context import RunContext
from echelon.coordination.phase_guards import PhaseGuards
from echelon.coordination.placement import StageOrder
from echelon.coordination.rolling.steps import StepMaker


def steps_beside(run: RunContext, order: StageOrder) -> StepMaker:
    """Return what makes such steps for the phase of an order."""
    phase = run.spec.job.phases[order.phase]
    return StepMaker(run, order, phase, PhaseGuards(run, phase, None))
