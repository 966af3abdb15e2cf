"""Whether a phase can start on what those it needs delivered, by how much it needs them (D3, F2). Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from echelon.coordination.loss import Loss
from echelon.coordination.phase_output import PhaseOutput, output_of
from echelon.definition.need import Need
from echelon.definition.phase import PhaseDefinition
from echelon.model.fallback import FallbackKind
from echelon.model.graph import Coupling
from echelon.model.handoff import Handoff, Missing
from echelon.model.integration import integration_id
from echelon.model.plan import PhasePlan
from echelon.model.run import StepKind

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _nothing(output: PhaseOutput) -> str:
    return "delivered nothing" if output.missing and not output.handoffs else ""


def _not_all(output: PhaseOutput) -> str:
    lost = [one.task_id for one in output.missing]
    more = f" and {len(lost) - 1:,} more" if len(lost) > 1 else ""
    return f"did not deliver {lost[0]}{more}, and is needed as a whole" if lost else ""


def _enough(_: PhaseOutput) -> str:
    return ""


#: Coupling → what a output lacks so that its consumers cannot start; empty when they can.
_SHORTFALLS: dict[Coupling | None, Callable[[PhaseOutput], str]] = {
    Coupling.TIGHT: lambda output: _nothing(output) or _not_all(output),
    Coupling.MEDIUM: _nothing,
    Coupling.LOOSE: _enough,
    Coupling.NONE: _enough,
    None: _nothing,
}


def unmet_need(need: Need, output: PhaseOutput) -> str:
    """Say why consumers of a phase cannot start; empty when they can.

    A phase that had nothing to do starves nobody. Unless it is tight, a need may be skipped where its fallback says so.
    """
    if need.coupling is not Coupling.TIGHT and note_of(need):
        return ""
    waiting = waits_in(output.missing)
    if waiting is not None and need.coupling is not Coupling.NONE:
        return f"phase {need.phase!r} waits for {_awaited(waiting)}"
    lacks = _SHORTFALLS[need.coupling](output)
    return f"phase {need.phase!r} {lacks}" if lacks else ""


def waits_in(missing: Iterable[Missing]) -> Missing | None:
    """Return what waits for a person, or longest for a quota; None where nothing does, or something stands in.

    It may still come: whoever uses it waits for it, however little it needs it, and does not do without (F10, O5).
    """
    waiting = [one for one in missing if (one.asks or one.until is not None) and not one.instead]
    return max(waiting, key=lambda one: (bool(one.asks), one.until or _LONG_AGO), default=None)


def _awaited(waiting: Missing) -> str:
    if waiting.asks:
        return f"a person: {waiting.task_id} is to be decided"
    return f"a quota: {waiting.task_id} can be done from {waiting.until:%H:%M:%S} UTC"


def note_of(need: Need) -> str:
    """Return the note with which a need is skipped; empty when it is not."""
    return next((one.note for one in need.fallbacks if one.kind is FallbackKind.SKIP), "")


def is_integrated(phase: PhaseDefinition, plan: PhasePlan, output: PhaseOutput) -> bool:
    """Say whether a phase hands on the integration of everything, and not the parts of one that failed."""
    if phase.integrator is None or not output.handoffs:
        return False
    by_owner = any(h.producer == plan.sync.owner and h.task_id not in plan.tasks for h in output.handoffs)
    failed = any(m.producer == plan.sync.owner and m.task_id not in plan.tasks for m in output.missing)
    return by_owner or not failed


def losses_in(phase: PhaseDefinition, plan: PhasePlan, output: PhaseOutput) -> tuple[Loss, ...]:
    """Return what a fallback can stand in for: lost tasks, or the one integration that is not there.

    An integration that is there knows what it lacks; nothing is put beside it.
    """
    if output.skipped:
        output = _as_lost(plan, output.skipped)
    if not output.missing or is_integrated(phase, plan, output):
        return ()
    if phase.integrator is None:
        return tuple(Loss(task_id=one.task_id, producer=one.producer, reason=one.reason) for one in output.missing)
    verb = "combine" if phase.integrator.combiner is not None else "merge"
    return (
        Loss(
            task_id=integration_id(phase.name, verb, plan.sync.owner),
            producer=plan.sync.owner,
            reason=output.missing[-1].reason,
            kind=StepKind.INTEGRATION,
        ),
    )


def _as_lost(plan: PhasePlan, reason: str) -> PhaseOutput:
    """Return a phase that was not wanted as one that delivered nothing, for those who have something in its place."""
    said = f"the phase is skipped: {reason}"
    return PhaseOutput(missing=tuple(Missing(task_id=task, producer=task, reason=said) for task in plan.tasks))


def by_task(plan: PhasePlan, output: PhaseOutput) -> PhaseOutput:
    """Return an output that is missing as a whole with what is missing by task: only for a task something can stand in.

    That is so where a check of all of it, or what says whether it is wanted, was not made or did not pass.
    """
    whole = [one for one in output.missing if one.task_id not in plan.tasks]
    if not whole:
        return output
    known = {one.task_id for one in (*output.handoffs, *output.missing)}
    lost = (
        Missing(task_id=task, producer=task, reason=whole[0].reason, asks=whole[0].asks, over_limit=whole[0].over_limit)
        for task in plan.tasks
        if task not in known
    )
    rest = (one for one in output.missing if one.task_id in plan.tasks)
    return output.model_copy(update={"missing": (*rest, *lost)})


def explained(output: PhaseOutput, reasons: Mapping[str, str]) -> PhaseOutput:
    """Return an output that says of what is missing, by task, why nothing stands in for it either (C9)."""
    told = tuple(
        one.model_copy(update={"reason": f"{one.reason}; {reasons[one.task_id]}"}) if reasons.get(one.task_id) else one
        for one in output.missing
    )
    return output if told == output.missing else output.model_copy(update={"missing": told})


def filled(output: PhaseOutput, found: Sequence[Handoff], *, integrated: bool) -> PhaseOutput:
    """Return a output with what stands in for its gaps; parts of an integration that failed stay at hand."""
    if not found:
        return output
    stood_in = output_of(found)
    if integrated:
        return PhaseOutput(
            handoffs=stood_in.handoffs,
            replaced=(*output.lacks, *stood_in.replaced),
            unmerged=(*output.unmerged, *output.handoffs),
        )
    there = {handoff.task_id for handoff in found}
    return PhaseOutput(
        handoffs=(*output.handoffs, *stood_in.handoffs),
        missing=tuple(one for one in output.missing if one.task_id not in there),
        replaced=(*output.replaced, *stood_in.replaced),
        unmerged=output.unmerged,
    )


def skipped(output: PhaseOutput, note: str) -> PhaseOutput:
    """Return a output whose missing parts say why they can be skipped; parts that say so already keep their note."""
    noted = (one if one.instead else one.model_copy(update={"instead": f"skipped: {note}"}) for one in output.missing)
    return output.model_copy(update={"missing": tuple(noted)}) if note else output


def deadline_seconds(phase: str, needs: Iterable[Need]) -> float | None:
    """Return how long a phase may take, in seconds: as long as its most patient consumer waits; None for any time (C4).

    `needs` are those of all phases.
    """
    waits = [need.timeout for need in needs if need.phase == phase]
    stated = [wait for wait in waits if wait is not None]
    return max(stated) if stated and len(stated) == len(waits) else None
