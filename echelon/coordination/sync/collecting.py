"""What a phase has brought about is collected: from the journal, which alone knows who has ended (X2)."""

from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.journal.failpoints import failpoint
from echelon.model.handoff import Missing
from echelon.model.plan import PhasePlan


async def collect(run: RunContext, phase: PhasePlan, output: PhaseOutput) -> PhaseOutput:
    """Ask the journal, which alone knows, who has ended; whoever has not is missing (F7)."""
    failpoint("sync.reached")
    agent_of = run.spec.plan.agent_of
    state = await run.log.refresh()  # what is known from here on is known of parts that were done elsewhere, too
    # An agent that holds several tasks has ended with some of them only when it dies (D1).
    ended = {step.handoff.task_id for step in state.latest.values() if step.phase == phase.name}
    known = {missing.task_id for missing in output.missing}
    lost = {task: agent_of[task] for task in phase.tasks if task not in ended | state.sync.stopped.keys()}
    missing = tuple(
        Missing(task_id=task, producer=agent, reason="no handoff was recorded")
        for task, agent in lost.items()
        if task not in known
    )
    # What is not durable must not be seen.
    seen = tuple(handoff for handoff in output.handoffs if handoff.task_id not in lost)
    return output.model_copy(update={"handoffs": seen, "missing": output.missing + missing})
