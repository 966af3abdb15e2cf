"""Whether a phase can start on what those it needs delivered, by how much it needs them (D3, F2). Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from echelon.coordination.delivery import Delivery, delivery_of
from echelon.definition.need import Need
from echelon.definition.phase import PhaseDefinition
from echelon.model.fallback import FallbackKind
from echelon.model.graph import Coupling
from echelon.model.handoff import Handoff
from echelon.model.plan import PhasePlan


def _nothing(delivery: Delivery) -> str:
    return "delivered nothing" if delivery.missing and not delivery.handoffs else ""


def _not_all(delivery: Delivery) -> str:
    lost = [one.task_id for one in delivery.missing]
    more = f" and {len(lost) - 1:,} more" if len(lost) > 1 else ""
    return f"did not deliver {lost[0]}{more}, and is needed as a whole" if lost else ""


def _enough(_: Delivery) -> str:
    return ""


#: Coupling → what a delivery lacks so that its consumers cannot start; empty when they can.
_LACKS: dict[Coupling | None, Callable[[Delivery], str]] = {
    Coupling.TIGHT: lambda delivery: _nothing(delivery) or _not_all(delivery),
    Coupling.MEDIUM: _nothing,
    Coupling.LOOSE: _enough,
    Coupling.NONE: _enough,
    None: _nothing,
}


def why_starved(need: Need, delivery: Delivery) -> str:
    """Say why consumers of a phase cannot start; empty when they can.

    A phase that had nothing to do starves nobody. Unless it is tight, a need may be skipped where its fallback says so.
    """
    if need.coupling is not Coupling.TIGHT and note_of(need):
        return ""
    lacks = _LACKS[need.coupling](delivery)
    return f"phase {need.phase!r} {lacks}" if lacks else ""


def note_of(need: Need) -> str:
    """Return the note with which a need is skipped; empty when it is not."""
    return next((one.note for one in need.fallbacks if one.kind is FallbackKind.SKIP), "")


def is_integrated(phase: PhaseDefinition, plan: PhasePlan, delivery: Delivery) -> bool:
    """Say whether a phase hands on the integration of everything, and not the parts of one that failed."""
    if phase.integrator is None or not delivery.handoffs:
        return False
    by_owner = any(h.producer == plan.sync.owner and h.task_id not in plan.tasks for h in delivery.handoffs)
    failed = any(m.producer == plan.sync.owner and m.task_id not in plan.tasks for m in delivery.missing)
    return by_owner or not failed


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A hole in a delivery that a fallback of its consumer may fill."""

    task_id: str
    """The task; for an integrated phase its integration."""
    producer: str
    """Who should have delivered it."""
    reason: str
    """Why it is not there."""


def gaps_in(phase: PhaseDefinition, plan: PhasePlan, delivery: Delivery) -> tuple[Gap, ...]:
    """Return what a fallback can stand in for: lost tasks, or the one integration that is not there.

    An integration that is there knows what it lacks; nothing is put beside it.
    """
    if not delivery.missing or is_integrated(phase, plan, delivery):
        return ()
    if phase.integrator is None:
        return tuple(Gap(task_id=one.task_id, producer=one.producer, reason=one.reason) for one in delivery.missing)
    combined = "combine" if phase.integrator.combiner is not None else "merge"
    name = f"{phase.name}/{combined}/{plan.sync.owner}"
    return (Gap(task_id=name, producer=plan.sync.owner, reason=delivery.missing[-1].reason),)


def filled(delivery: Delivery, found: Sequence[Handoff], *, integrated: bool) -> Delivery:
    """Return a delivery with what stands in for its gaps; parts of an integration that failed stay at hand."""
    if not found:
        return delivery
    stood_in = delivery_of(found)
    if integrated:
        return Delivery(
            handoffs=stood_in.handoffs,
            replaced=(*delivery.lacks, *stood_in.replaced),
            apart=(*delivery.apart, *delivery.handoffs),
        )
    there = {handoff.task_id for handoff in found}
    return replace(
        delivery,
        handoffs=(*delivery.handoffs, *stood_in.handoffs),
        missing=tuple(one for one in delivery.missing if one.task_id not in there),
        replaced=(*delivery.replaced, *stood_in.replaced),
    )


def skipped(delivery: Delivery, note: str) -> Delivery:
    """Return a delivery whose missing parts say why they can be skipped; parts that say so already keep their note."""
    noted = (one if one.instead else one.model_copy(update={"instead": f"skipped: {note}"}) for one in delivery.missing)
    return replace(delivery, missing=tuple(noted)) if note else delivery


def patience_seconds(phase: str, needs: Iterable[Need]) -> float | None:
    """Return how long a phase may take, in seconds: as long as its most patient consumer waits; None for any time (C4).

    `needs` are those of all phases.
    """
    waits = [need.timeout for need in needs if need.phase == phase]
    stated = [wait for wait in waits if wait is not None]
    return max(stated) if stated and len(stated) == len(waits) else None
