"""What a phase receives is settled before it begins, and what that says of those who made it is counted (X9, X11)."""

from collections.abc import Collection, Mapping

from echelon.coordination.autonomy.recounting import count_again
from echelon.coordination.conflicts.settling import settle_received
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder


async def settle_and_count(
    run: RunContext, order: StageOrder, received: Mapping[str, PhaseOutput], side_by_side: Collection[str]
) -> dict[str, PhaseOutput]:
    """Return what a phase receives, with what does not count of it; it is on record whose results these were."""
    settled = await settle_received(run, order, received, side_by_side)
    await count_again(run, side_by_side)
    return settled
