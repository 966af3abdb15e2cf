"""Does what is said to have come of a deed fit its contract (C3)? Where not, the answer does not count. Pure."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from echelon.agents.outcome import Outcome
from echelon.contract.complaint import misfits
from echelon.coordination.step.boundary import Boundary
from echelon.coordination.step.envelope import MAX_MESSAGE, shortened
from echelon.definition.phase import PhaseDefinition
from echelon.model.adapter import adapter_of
from echelon.model.errors import ContractViolation
from echelon.model.oversight.gate import Action
from echelon.oversight.gates.answers import NO_FIT


def misfit(output: object, contract: TypeAdapter[Any], *, flexible: bool) -> str:
    """Say where an output does not fit a contract; empty where it does, or, at a flexible boundary, can be mended."""
    boundary = Boundary(contract=contract, producer="a person", flexible=flexible)
    try:
        boundary.take(Outcome(output=output))
    except ContractViolation as violation:
        cause = violation.__cause__
        told = misfits(cause) if isinstance(cause, ValidationError) else str(cause)
        return shortened(f"{NO_FIT}: {told}", MAX_MESSAGE)
    return ""


def misfit_in(phase: PhaseDefinition, action: Action, output: object) -> str | None:
    """Say the same of what a gate asks about; None where the phase does not tell the contract."""
    others = (
        fallback.stand_in for chain in phase.fallbacks.values() for fallback in chain if fallback.other is not None
    )
    agents = {one.name: one for one in (*others, *phase.agents)}
    found = agents.get(action.agent)
    # What may be mended is known to the run alone.
    return misfit(output, adapter_of(found.output_type), flexible=True) if found else None
