"""What earlier runs of a job say about this one: nothing about agents that have changed since (V1)."""

from echelon.agents.fingerprint.agent import fingerprint_of, has_changed
from echelon.coordination.context import RunContext
from echelon.model.learning.learnt import Learnt, LearntPhase


def experience_of(run: RunContext) -> Learnt | None:
    """Return what is known of earlier runs, without the numbers of agents whose code is another one now."""
    if run.spec.learnt is None:
        return None
    phases = {name: _of_phase(run, name, known) for name, known in run.spec.learnt.phases.items()}
    return run.spec.learnt.model_copy(update={"phases": phases})


def _of_phase(run: RunContext, name: str, known: LearntPhase) -> LearntPhase:
    declared = run.spec.job.phases.get(name)
    now = {agent.name: fingerprint_of(agent) for agent in declared.agents} if declared else {}
    kept = {
        agent: learnt
        for agent, learnt in known.agents.items()
        if not has_changed(learnt.fingerprint, now.get(agent, ""))
    }
    return known.model_copy(update={"agents": kept})
