"""A flat moment: at a sync point of their own choosing, everybody who decides reads all open concerns (O6)."""

from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.journal.failpoints import failpoint
from echelon.oversight.briefing.flat import open_concerns
from echelon.runlog.judging.flat_events import FlatMomentHeld


async def hold_flat_moment(run: RunContext, order: StageOrder, output: PhaseOutput) -> PhaseOutput:
    """Put it on record which concerns are read unfiltered behind a phase that asks for that."""
    if not run.spec.job.phases[order.phase].flat:
        return output
    state = await run.log.refresh()
    stands, read = state.phases.get(order.phase), tuple(one.id for one in open_concerns(state))
    if stands is None or stands.flat != read:  # in a run that is resumed it was held already
        await run.log.append(FlatMomentHeld(run_id=run.spec.run_id, at=run.now(), phase=order.phase, concerns=read))
    failpoint("flat.held")
    return output
