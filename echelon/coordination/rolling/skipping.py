"""Phases that are not wanted: nothing of them is done, and what needs them follows its coupling (X12, D3)."""

from collections.abc import Mapping

from echelon.agents.function import FunctionAgent
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.rolling.beside import steps_beside
from echelon.coordination.step.layers import layers
from echelon.definition.phase import PhaseDefinition
from echelon.definition.rolling.condition import why_not
from echelon.journal.failpoints import failpoint
from echelon.model.graph import Coupling
from echelon.runlog.events import PhaseSkipped
from echelon.runlog.losses import missing_of


def skipped_with(phase: PhaseDefinition, outputs: Mapping[str, PhaseOutput]) -> str:
    """Say why a phase is skipped with one that it cannot do without; empty when it is not."""
    for name, output in outputs.items():
        if output.skipped and name in phase.needs and phase.need(name).coupling is Coupling.TIGHT:
            return f"it cannot do without phase {name!r}, which is skipped: {output.skipped}"
    return ""


async def ask_whether(run: RunContext, order: StageOrder, condition: FunctionAgent[..., object]) -> PhaseOutput:
    """Ask whether a phase is wanted, once: a run that is resumed knows the answer.

    Returns what the phase hands on when it is not wanted, or who does not say so, and why; nothing when it is wanted.
    """
    handoff = await layers(run)(steps_beside(run, order).planning("when", condition))
    if handoff.output_location is None:
        said = handoff.error.message if handoff.error else "there is no answer"
        reason = f"{condition.name} does not say whether it is wanted: {said}"
        return PhaseOutput(missing=(missing_of(handoff).model_copy(update={"reason": reason}),))
    reason = why_not(condition.name, await run.read(handoff.output_location, condition.output_type))
    return await skip(run, order.phase, reason) if reason else PhaseOutput()


async def skip(run: RunContext, phase: str, reason: str) -> PhaseOutput:
    """Put it on record that a phase is not wanted, and return what it hands on: nothing, for this reason."""
    known = run.log.state.phases.get(phase)
    if known is None or known.skipped != reason:  # a run that is resumed has it on record
        await run.log.append(PhaseSkipped(run_id=run.spec.run_id, at=run.now(), phase=phase, reason=reason))
    failpoint("phase.skipped")
    return PhaseOutput(skipped=reason)
