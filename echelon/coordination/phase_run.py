"""One part of a phase at work: tasks are handed out, teams work, and integrate in stages up to the coordinator (X2)."""

import asyncio
from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from echelon.agents.agent import Agent
from echelon.coordination.blocking import block, blocked_by
from echelon.coordination.context import RunContext
from echelon.coordination.fallbacks import FallbackChain
from echelon.coordination.loss import Loss
from echelon.coordination.phase_guards import PhaseGuards
from echelon.coordination.phase_output import Gathered, PhaseOutput, output_of, together
from echelon.coordination.placement import Placement, StageOrder
from echelon.coordination.previous_runs import PreviousRuns
from echelon.coordination.rolling.conversation import in_conversation
from echelon.coordination.rolling.relay import (
    Relay,
    is_continued,
    not_continued,
    only_of,
    order_of_item,
    phase_before,
    task_before,
)
from echelon.coordination.rolling.repeating import repeat_task
from echelon.coordination.rolling.steps import StepMaker
from echelon.coordination.stage import Stage
from echelon.coordination.step.layers import layers
from echelon.coordination.step.step import Step
from echelon.definition.phase import PhaseDefinition
from echelon.journal.failpoints import failpoint
from echelon.model.handoff import Handoff
from echelon.model.integration import Verb
from echelon.runlog.losses import missing_of


class _Turn(NamedTuple):
    """What a task is done with when it is its turn."""

    order: StageOrder
    """The order of its phase; that of its item alone, where it continues another task."""
    steps: StepMaker


class PhaseRun:
    """What the steps of an order share. `placement` is where the parts below the primary are worked on.

    `relay` hands on what tasks of other phases made at the same time; None: the order has all of it.
    """

    def __init__(self, run: RunContext, order: StageOrder, placement: Placement, relay: Relay | None = None) -> None:
        self.run = run
        self.order = order
        self.phase: PhaseDefinition = run.spec.job.phases[order.phase]
        self._placement = placement
        self._guards = PhaseGuards(run, self.phase, order.deadline_seconds)
        self._steps = StepMaker(run, order, self.phase, self._guards)
        self._relay = relay
        self._before = phase_before(run, order.phase)
        self._is_continued = is_continued(run, order.phase)
        self._perform = layers(run)
        self._fallbacks = FallbackChain(run, PreviousRuns(run), self._perform, self._guards.guard)

    @contextmanager
    def reserved_slots(self, stage: Stage) -> Generator[None]:
        """Reserve slots for everybody's work during the block (F5); what waits for another task reserves none."""
        plan, calls = self.run.spec.plan, self.run.spec.expansion.calls
        work = [(task, calls[task].agent, plan.domain_of(task, plan.agent_of[task])) for task in stage.all_tasks]
        work = [] if self._before else work
        with self._guards.reserved_slots(work):
            yield

    async def coordinate(self, stage: Stage) -> PhaseOutput:
        """Let everybody below a coordinator work at the same time, then integrate what they delivered."""
        async with asyncio.TaskGroup() as group:
            parts = tuple(map(group.create_task, [self._place(stage, part) for part in stage.parts]))
            agents = tuple(map(group.create_task, [self._work(tasks) for tasks in self._by_agent(stage.tasks)]))
        gathered = Gathered(
            parts=together(part.result() for part in parts),
            agents=output_of(handoff for agent in agents for handoff in agent.result()),
        )
        output = await self._integrate(stage, gathered)
        if self.order.repeated:
            output = output.model_copy(update={"tasks": (*gathered.agents.handoffs, *gathered.parts.tasks)})
        # At the primary, where nothing integrated is left to pass on, its parts are passed on in its place (F7).
        at_the_top = stage.node.parent is None and not output.handoffs
        return output.model_copy(update={"handoffs": output.unmerged, "unmerged": ()}) if at_the_top else output

    def _place(self, stage: Stage, part: Stage) -> Coroutine[Any, Any, PhaseOutput]:
        """Return the work of a part: placed where it reports to the primary, and done by us below that."""
        if stage.node.parent is not None:
            return self.coordinate(part)
        changes = {"node": part.node.id, "tasks": part.all_tasks}
        return self._placement.run(self.order.model_copy(update=changes))

    def _by_agent(self, tasks: Sequence[str]) -> list[list[str]]:
        """Return the tasks that each agent holds, in the order they are done (D1)."""
        held: dict[str, list[str]] = {}
        for task in tasks:
            held.setdefault(self.run.spec.plan.agent_of[task], []).append(task)
        return list(held.values())

    async def _work(self, tasks: Sequence[str]) -> list[Handoff]:
        """Let an agent do what it holds, one task after the other, each as a step of its own (D1).

        A task is not started that cannot do without what was lost; where one is not delivered, a fallback stands in.
        What passed in an earlier round of its phase is not done again.
        """
        ended, repetition = list[Handoff](), self.phase.repetition
        for task_id in tasks:
            try:
                turn = await self._await_turn(task_id)
                loss, kept = self._loss(turn, task_id, ended), self.order.kept.get(task_id)
                if loss is not None:
                    (handoff,) = await block(self.run, self.phase.name, [loss])
                elif kept is not None:
                    handoff = kept
                else:
                    if repetition is not None and not repetition.whole_phase:
                        step, handoff = await repeat_task(self.run, turn.steps, repetition, task_id, self._perform)
                    else:
                        step = await self._prepare(turn, task_id, ended)
                        handoff = await self._perform(step)
                    fallbacks = self.phase.fallbacks.get(step.agent.name, ())
                    handoff = handoff if handoff.done else await self._fallbacks.replace(step, handoff, fallbacks)
                ended.append(handoff)
                if self._relay and self._is_continued:
                    self._relay.hand_on(handoff)
            finally:
                self._guards.over(task_id)
        return ended

    async def _await_turn(self, task_id: str) -> _Turn:
        """Wait for the task that another one continues, where there is one (D1)."""
        before, run = self._before, self.run
        if before is None:
            return _Turn(self.order, self._steps)
        used, received = task_before(run, task_id), self.order.upstream.get(before)
        if received is None:
            assert self._relay is not None, "what is not in an order is handed on by others of this process"
            received = await self._relay.receive(run, self.order, before, [used])
        order = order_of_item(run, self.order, before, only_of(received, used))
        return _Turn(order, StepMaker(run, order, self.phase, self._guards))

    def _loss(self, turn: _Turn, task_id: str, ended: Sequence[Handoff]) -> Loss | None:
        """Say what a task cannot do without and does not get, of other agents or of its own (D3)."""
        spec = self.run.spec
        if self._before is not None:
            return not_continued(self.run, turn.order, self._before, task_id)
        lost = turn.order.lost | {one.task_id: one.reason for one in output_of(ended).missing}
        return blocked_by(spec.tasks[task_id], spec.plan.agent_of[task_id], lost)

    async def _prepare(self, turn: _Turn, task_id: str, ended: Sequence[Handoff]) -> Step:
        step = turn.steps.task(task_id, ended)
        return (
            step if self._before is None else await in_conversation(self.run, step, turn.order.upstream[self._before])
        )

    async def _integrate(self, stage: Stage, gathered: Gathered) -> PhaseOutput:
        integrator = self.phase.integrator
        everything = together((gathered.agents, gathered.parts))
        if integrator is None:
            return everything
        if integrator.combiner is None:
            # Results of a merger cannot be merged again: everybody passes on, and the primary alone integrates.
            passes_on = stage.node.parent is not None
            return everything if passes_on else await self._integration("merge", stage, integrator.merger, everything)
        merged = await self._integration("merge", stage, integrator.merger, gathered.agents)
        reached = together((merged, gathered.parts))
        told = gathered.agents.missing if merged.handoffs else ()
        if len(reached.handoffs) == 1 and len(reached.missing) == len(told) and not reached.unmerged:
            return reached  # a single result, and it knows of everything that is missing
        return await self._integration("combine", stage, integrator.combiner, reached)

    async def _integration(self, verb: Verb, stage: Stage, agent: Agent, received: PhaseOutput) -> PhaseOutput:
        """Integrate what was received; where nothing was, what is missing is all there is to pass on.

        Nothing is lost with an integration that fails: what it should hold is passed on, apart from what others
        integrated, which is of another type (F7).
        """
        if not received.handoffs:
            return received
        step = self._steps.integration(verb, stage, agent, received)
        failpoint("integration.begun")
        handoff = await self._perform(step)
        failpoint("integration.ended")
        if handoff.done:
            cut_short = (missing_of(handoff),) if handoff.falls_short else ()
            replaced = (*received.replaced, *cut_short)
            return received.model_copy(update={"handoffs": (handoff,), "replaced": replaced})
        missing = (*received.missing, missing_of(handoff))
        if stage.node.parent is None and verb == "combine":
            return received.model_copy(update={"missing": missing})  # all of it is integrated as far as it got
        unmerged = (*received.unmerged, *received.handoffs)
        return received.model_copy(update={"handoffs": (), "missing": missing, "unmerged": unmerged})
