"""Who of those that a job names can judge the results of a phase: bound to what they are called with (X6, X7)."""

from collections.abc import Iterator

from pydantic import BaseModel

from echelon.agents.agent import Agent
from echelon.agents.call import CallShape
from echelon.agents.checks.check import check_of
from echelon.definition.oversight.autonomy import Autonomy
from echelon.definition.phase import PhaseDefinition
from echelon.definition.success.criteria import CheckBinder
from echelon.model.autonomy.batch import ApprovalBatch
from echelon.model.errors import InvalidJob
from echelon.model.graph import Coupling


def peers_of(autonomy: Autonomy | None, phase: PhaseDefinition, inputs_type: type[BaseModel]) -> tuple[Agent, ...]:
    """Return the peers that can look at the results of a phase: one that asks for what it does not have cannot."""
    return tuple(_peers(autonomy, phase, inputs_type)) if autonomy is not None else ()


def _peers(autonomy: Autonomy, phase: PhaseDefinition, inputs_type: type[BaseModel]) -> Iterator[Agent]:
    upstream = tuple(name for name in phase.needs if phase.need(name).coupling is not Coupling.NONE)
    shape = CallShape(inputs_type=inputs_type, takes_item=phase.discovery is not None, upstream=upstream)
    binder = CheckBinder(phase=phase.name, who=(), shape=shape, where="Autonomy(peers=)")
    contract = phase.agents[0].output_type if len(phase.agents) == 1 else object
    for one in autonomy.peers:
        try:
            yield from binder.criteria((), contract, one).verifiers
        except InvalidJob:  # it judges results of another kind
            continue


def lead_of_phase(autonomy: Autonomy, phase: PhaseDefinition, inputs_type: type[BaseModel]) -> Agent | None:
    """Return the lead, bound to batches of the results of a phase; None where the job has none."""
    if autonomy.lead is None:
        return None
    shape = CallShape(inputs_type=inputs_type, takes_item=True, item_type=ApprovalBatch, upstream=(phase.name,))
    return check_of("Autonomy(lead=)", autonomy.lead).bind(shape)


def check_autonomy(autonomy: Autonomy | None, phases: dict[str, PhaseDefinition], inputs_type: type[BaseModel]) -> None:
    """Raise `InvalidJob` where somebody is named who can judge nothing in the whole job."""
    if autonomy is None or not phases:
        return
    able = {one.name for phase in phases.values() for one in peers_of(autonomy, phase, inputs_type)}
    for one in autonomy.peers:
        name = check_of("Autonomy(peers=)", one).name
        if name not in able:
            raise InvalidJob(
                f"Autonomy(peers=): {name!r} asks for what no phase gives to those who look at its results; let it ask "
                "for `output`, the item, the inputs or the brief"
            )
    for phase in phases.values():
        lead_of_phase(autonomy, phase, inputs_type)
