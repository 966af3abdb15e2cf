"""Items that are found on the way: by a step like any other, so that a resumed run does not ask again (X12, F8)."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import cast

from echelon.contract.reading import read_output
from echelon.coordination.context import RunContext
from echelon.coordination.placement import StageOrder
from echelon.coordination.rolling.beside import steps_beside
from echelon.coordination.rolling.proposing import take_proposals
from echelon.coordination.step.layers import layers
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Found
from echelon.definition.rolling.proposals import taking
from echelon.journal.outputs import OutputStore
from echelon.model.errors import ContractViolation, JournalError
from echelon.model.handoff import Handoff
from echelon.model.integration import planning_id
from echelon.model.run import StepKind, StepRecord
from echelon.runlog.events import PlanExtended, RunEvent, RunStarted

#: Items that a phase may find where it does not say how many are expected: a plan of so many takes seconds.
MAX_ITEMS = 10_000


async def find_items(run: RunContext, order: StageOrder) -> Handoff:
    """Ask what finds the items of a phase, given what it receives; its output are the items."""
    phase = run.spec.job.phases[order.phase]
    steps = steps_beside(run, order)
    proposals = phase.discovery.proposals if phase.discovery else None
    if proposals is None:
        return await layers(run)(steps.planning("over", phase.finder))
    items = await take_proposals(run, order, proposals)
    return await layers(run)(steps.planning("over", taking(items, proposals, phase.name), items))


async def items_of(job: JobDefinition, outputs: OutputStore, phase: str, handoff: Handoff) -> Sequence[object]:
    """Return the items that were found; `JournalError` or `ContractViolation` when they cannot be read."""
    contract, reference = job.phases[phase].finder.output_type, handoff.output_location
    assert reference is not None, "what was found has an output"
    return cast("list[object]", await asyncio.to_thread(read_output, outputs, reference, contract))


def events_until(events: Sequence[RunEvent], plan_digest: str) -> Sequence[RunEvent]:
    """Return the events of a run up to the one that put a plan on record; all of them where none did.

    Where two phases grow at the same time, one is ordered by a plan that does not have the other yet.
    """
    at = [number for number, event in enumerate(events, start=1) if _digest_in(event) == plan_digest]
    return events[: at[-1]] if at else events


def _digest_in(event: RunEvent) -> str | None:
    """Return the identity of the plan that an event puts on record; None for one that puts none there."""
    plan = event.record.plan if isinstance(event, RunStarted) else None
    plan = event.plan if isinstance(event, PlanExtended) else plan
    return plan.digest if plan else None


async def items_on_record(
    job: JobDefinition, outputs: OutputStore, steps: Iterable[StepRecord], grown: Collection[str]
) -> Found:
    """Return the items that the `grown` phases of a run have; `steps` are the last records of its steps.

    What cannot be read is found anew.
    """
    found: dict[str, Sequence[object]] = {}
    open_phases = {name: phase for name, phase in job.phases.items() if phase.is_open and name in grown}
    for step in steps:
        if step.kind is not StepKind.PLANNING or not step.handoff.done or step.phase not in open_phases:
            continue
        if step.handoff.task_id != planning_id(step.phase, "over", open_phases[step.phase].finder.name):
            continue
        try:
            found[step.phase] = await items_of(job, outputs, step.phase, step.handoff)
        except (JournalError, ContractViolation):
            continue
    return found


def too_many(phase: str, items: int) -> str:
    """Say why so many items are not begun; empty when they may be."""
    if items <= MAX_ITEMS:
        return ""
    return (
        f"phase {phase!r} found {items:,} items, and more than {MAX_ITEMS:,} are not begun unless the phase says so: "
        f"look at what finds them, or allow them with items=(0, {items})"
    )
