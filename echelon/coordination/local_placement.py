"""Orders that are carried out in this process."""

from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import PhaseOutput
from echelon.coordination.phase_run import PhaseRun
from echelon.coordination.placement import Placement, StageOrder
from echelon.coordination.rolling.relay import Relay, RelayedParts
from echelon.coordination.stage import stage_of
from echelon.coordination.sync.admission import Admission


class LocalPlacement:
    """Carries out orders of one run. `parts` places the parts below the primary; None is here too.

    `relay` hands on between phases that are carried out here at the same time; None: what is handed on is in the order.
    `admission` lets agents begin; None: as soon as there is a slot.
    """

    def __init__(
        self,
        run: RunContext,
        parts: Placement | None = None,
        relay: Relay | None = None,
        admission: Admission | None = None,
    ) -> None:
        self._run = run
        self._parts = RelayedParts(run, parts, relay) if parts and relay else parts
        self._relay = relay
        self._admission = admission

    async def run(self, order: StageOrder) -> PhaseOutput:
        """Do what is ordered; slots are reserved for all of it (F5).

        A part that is ordered by itself is done where parts are.
        """
        plan = self._run.spec.plan
        if self._parts is not None and order.node != plan.primary.id:
            return await self._parts.run(order)
        stage = stage_of(plan, order.tasks, order.node)
        phase = PhaseRun(self._run, order, self._parts, self._relay, self._admission)
        with phase.reserved_slots(stage):
            return await phase.coordinate(stage)
