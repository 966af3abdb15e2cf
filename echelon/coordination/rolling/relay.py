"""What goes from a task to the one that continues it on the same item: no sync point stands between them (D1)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from echelon.coordination.briefs import missing_lines
from echelon.coordination.context import RunContext
from echelon.coordination.loss import Loss
from echelon.coordination.phase_output import PhaseOutput, output_of, together
from echelon.coordination.placement import Placement, StageOrder
from echelon.coordination.readiness import unmet_need, waits_in
from echelon.definition.need import Need
from echelon.model.handoff import Handoff, Missing
from echelon.model.run import StepKind
from echelon.runlog.state import StepName

Fill = Callable[[RunContext, str, Need, PhaseOutput], Awaitable[PhaseOutput]]
"""Lets fallbacks stand in for what a phase does not get of one that it needs (F2)."""


class Relay:
    """Hands on what tasks of a run made, one by one as they end. `fill` lets fallbacks stand in for what is lost."""

    def __init__(self, fill: Fill) -> None:
        self._fill = fill
        self._ended: dict[str, asyncio.Future[PhaseOutput]] = {}

    def hand_on(self, handoff: Handoff) -> None:
        """Let who continues a task have what came of it; the first word counts."""
        self._settle(handoff.task_id, output_of([handoff]))

    async def hand_on_recorded(self, run: RunContext, phase: str, tasks: Iterable[str]) -> None:
        """Hand on what was done elsewhere: what is on record by now; what is not there is missing (F7)."""
        latest, agent_of = (await run.log.refresh()).latest, run.spec.plan.agent_of
        for task in tasks:
            step = latest.get(StepName(StepKind.TASK, phase, task))
            lost = Missing(task_id=task, producer=agent_of[task], reason="no handoff was recorded")
            self._settle(task, output_of([step.handoff]) if step else PhaseOutput(missing=(lost,)))

    async def receive(self, run: RunContext, order: StageOrder, before: str, tasks: Iterable[str]) -> PhaseOutput:
        """Wait for tasks of the phase `before`; returns what who continues them in the phase of an order gets."""
        need = run.spec.job.phases[order.phase].need(before)
        ended = [await self._of(task) for task in tasks]
        return await self._fill(run, order.phase, need, together(ended))

    def _settle(self, task: str, output: PhaseOutput) -> None:
        ended = self._of(task)
        if not ended.done():
            ended.set_result(output)

    def _of(self, task: str) -> asyncio.Future[PhaseOutput]:
        if task not in self._ended:
            self._ended[task] = asyncio.get_running_loop().create_future()
        return self._ended[task]


class RelayedParts:
    """Parts that are carried out elsewhere: one begins when all of it has ended in the phase that it continues."""

    def __init__(self, run: RunContext, parts: Placement, relay: Relay) -> None:
        self._run = run
        self._parts = parts
        self._relay = relay

    async def run(self, order: StageOrder) -> PhaseOutput:
        """Do what is ordered, with what was handed on to it; it hands on what is on record then."""
        run, before = self._run, phase_before(self._run, order.phase)
        if before is not None and before not in order.upstream:
            received = await self._relay.receive(run, order, before, [task_before(run, task) for task in order.tasks])
            order = with_upstream(run, order, before, received)
        output = await self._parts.run(order)
        if is_continued(run, order.phase):
            await self._relay.hand_on_recorded(run, order.phase, order.tasks)
        return output


def phase_before(run: RunContext, phase: str) -> str | None:
    """Return the phase that one continues item by item; None when there is none."""
    return next((one.continues for one in run.spec.plan.phases if one.name == phase), None)


def is_continued(run: RunContext, phase: str) -> bool:
    """Say whether another phase continues one item by item."""
    return any(one.continues == phase for one in run.spec.plan.phases)


def task_before(run: RunContext, task_id: str) -> str:
    """Return the task on the same item that one continues."""
    node = run.spec.plan.nodes[run.spec.plan.agent_of[task_id]]
    return node.members[node.members.index(task_id) - 1]


def only_of(received: PhaseOutput, task: str) -> PhaseOutput:
    """Return what was received of one task."""
    return PhaseOutput(
        handoffs=tuple(one for one in received.handoffs if one.task_id == task),
        missing=tuple(one for one in received.missing if one.task_id == task),
        replaced=tuple(one for one in received.replaced if one.task_id == task),
        unmerged=tuple(one for one in received.unmerged if one.task_id == task),
    )


def order_of_item(run: RunContext, order: StageOrder, before: str, received: PhaseOutput) -> StageOrder:
    """Return the order for a task that goes on with what it received of the phase `before`."""
    missing = (*order.missing, *missing_lines(received.lacks))
    return with_upstream(run, order, before, received).model_copy(update={"missing": missing})


def with_upstream(run: RunContext, order: StageOrder, before: str, received: PhaseOutput) -> StageOrder:
    """Return an order with what was received of one phase more."""
    upstream = order.upstream | {before: received}
    needs = run.spec.job.phases[order.phase].needs
    # In the order of the needs, wherever it is put together: the identity of a step depends on it (F8).
    return order.model_copy(update={"upstream": {name: upstream[name] for name in needs if name in upstream}})


def not_continued(run: RunContext, order: StageOrder, before: str, task_id: str) -> Loss | None:
    """Say why a task cannot start without the one that it continues, given its own order; None when it can (D3)."""
    need, used = run.spec.job.phases[order.phase].need(before), task_before(run, task_id)
    received = order.upstream.get(before, PhaseOutput())
    if not unmet_need(need, received):
        return None
    waits = waits_in(received.missing)
    agent = run.spec.plan.agent_of[task_id]
    return Loss(
        task_id=task_id,
        producer=agent,
        reason=f"cannot run without {used}",
        causes=(used,),
        until=waits and waits.until,
        asks=waits.asks if waits else "",
    )
