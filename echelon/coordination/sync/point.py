"""The steps of a sync point, in their order: each looks at all that a phase made, and may say what is wrong with it.

Oversight adds rows here, not branches in the work on a phase.
"""

from collections.abc import Awaitable, Callable

from echelon.coordination.audit.auditing import audit_integrations
from echelon.coordination.audit.canaries import probe_verifiers
from echelon.coordination.autonomy.settling import settle_autonomy
from echelon.coordination.briefing.flat import hold_flat_moment
from echelon.coordination.conflicts.settling import settle_conflicts
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.placement import StageOrder
from echelon.coordination.success.constraints import check_constraints
from echelon.coordination.sync.drifting import measure_drift
from echelon.coordination.watching.outlying import find_outliers

SyncStep = Callable[[RunContext, StageOrder, PhaseOutput], Awaitable[PhaseOutput]]
"""Given the order of a phase and what came of it, returns what is handed on. What it finds is on record by then."""

#: What is done at the sync point of each phase, behind its integration and before anybody gets what it made (X2).
STEPS: tuple[SyncStep, ...] = (
    settle_conflicts,
    probe_verifiers,
    audit_integrations,
    check_constraints,
    settle_autonomy,
    measure_drift,
    find_outliers,
    hold_flat_moment,
)


async def pass_sync_point(run: RunContext, order: StageOrder, output: PhaseOutput) -> PhaseOutput:
    """Return what a phase hands on, when all of it was looked at together."""
    for step in STEPS:
        output = await step(run, order, output)
    return output
