"""What the outputs of a phase claim: read once, and only where a contract marks keys (X9)."""

import asyncio
from collections.abc import Mapping, Sequence

from echelon.contract.claims import FieldClaim, field_claims, has_keys
from echelon.contract.reading import read_output
from echelon.coordination.conflicts.touched import TouchedFiles
from echelon.coordination.context import RunContext
from echelon.model.conflicts.conflict import Conflict
from echelon.model.errors import ContractViolation, JournalError
from echelon.model.handoff import Handoff
from echelon.oversight.conflicts.finding import Statement, find_conflicts


async def statements_of(run: RunContext, phase: str, handoffs: Sequence[Handoff], least: int = 2) -> list[Statement]:
    """Return what outputs claim, in their order; those that claim nothing, and that cannot be read, are left out.

    What stands in for the work of a task is compared too; what an output cannot say any more is reported where it is
    used. Where fewer than `least` could be compared, nothing is read.
    """
    keyed = [one for one in handoffs if one.output_location and has_keys(run.contract_of(phase, one.task_id))]
    if len(keyed) < least:
        return []
    claims = await asyncio.to_thread(lambda: [_claims(run, phase, one) for one in keyed])
    return [_statement(run, handoff, own) for handoff, own in zip(keyed, claims, strict=True) if own]


async def find_between(
    run: RunContext, consumer: str, handoffs: Mapping[str, Sequence[Handoff]], files: TouchedFiles
) -> list[Conflict]:
    """Return what outputs of different phases contradict each other about, which a phase receives together."""
    statements = {phase: await statements_of(run, phase, own, least=1) for phase, own in handoffs.items()}
    if sum(bool(own) for own in statements.values()) < 2 and not files.statements:
        return []
    made = {phase: (*handoffs[phase], *files.integrated.get(phase, ())) for phase in handoffs}
    phase_of = {one.task_id: phase for phase, own in made.items() for one in own}
    found = find_conflicts(consumer, [*(one for own in statements.values() for one in own), *files.statements])
    # What is of one phase alone was looked at there.
    return [one for one in found if len({phase_of[task] for side in one.sides for task in side.tasks}) > 1]


def _statement(run: RunContext, handoff: Handoff, claims: tuple[FieldClaim, ...]) -> Statement:
    assert handoff.output_location is not None, "what claims something has an output"
    return Statement(
        task_id=handoff.task_id,
        producer=run.spec.plan.agent_of.get(handoff.task_id, handoff.producer),
        version=handoff.output_location.sha256,
        confidence=handoff.confidence,
        claims=claims,
        overruled=frozenset(one.subject for one in handoff.overruled),
    )


def _claims(run: RunContext, phase: str, handoff: Handoff) -> tuple[FieldClaim, ...]:
    location = handoff.output_location
    assert location is not None, "asked of outputs that are there"
    known, key = run.claims.found, (location.sha256, location.contract)
    if key not in known:
        try:
            known[key] = field_claims(read_output(run.outputs, location, run.contract_of(phase, handoff.task_id)))
        except (JournalError, ContractViolation):
            return ()
    return known[key]
