"""What is done of each phase where only a sample of the run was asked for."""

from echelon.coordination.context import RunContext
from echelon.model.plan import PhasePlan
from echelon.planning.sample import sample_of


def sampled(run: RunContext, phase: PhasePlan) -> PhasePlan:
    """Return a phase with the tasks that are to be done; none where nothing of what they use is in the sample."""
    asked = run.log.state.sample
    if asked is None:
        return phase
    chosen = sample_of(run.spec.plan, asked.items, asked.held).chosen[phase.name]
    return phase.model_copy(update={"tasks": chosen})


def not_in_sample(run: RunContext, phase: str) -> str:
    """Say why a phase is not begun at all in the sample that was asked for; empty where it may be."""
    asked = run.log.state.sample
    return asked.held.get(phase, "") if asked else ""
