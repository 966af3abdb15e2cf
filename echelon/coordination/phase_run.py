"""One part of a phase at work: tasks are handed out, teams work, and integrate in stages up to the coordinator (X2)."""

import asyncio
from collections.abc import Awaitable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from echelon.agents.agent import Agent
from echelon.coordination.autonomy.reviewing import Peers
from echelon.coordination.blocking import block, blocked_by
from echelon.coordination.conflicts.settling import settle_gathered
from echelon.coordination.context import RunContext
from echelon.coordination.fallbacks import FallbackChain
from echelon.coordination.gates.readiness import ReadinessRound
from echelon.coordination.loss import Loss
from echelon.coordination.phase_guards import PhaseGuards
from echelon.coordination.phase_output import Gathered, PhaseOutput, output_of, together
from echelon.coordination.placement import PastRound, Placement, StageOrder
from echelon.coordination.previous_runs import PreviousRuns
from echelon.coordination.readiness import waits_in
from echelon.coordination.redundancy.replicas import Redundant, doers
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
from echelon.coordination.success.verifying import verify_task, verifying
from echelon.coordination.sync.admission import Admission
from echelon.definition.phase import PhaseDefinition
from echelon.journal.failpoints import failpoint
from echelon.model.graph import TaskSpec
from echelon.model.handoff import Handoff
from echelon.model.integration import Verb
from echelon.resilience.guard import Guard
from echelon.runlog.losses import missing_of


async def _come_to(output: PhaseOutput) -> PhaseOutput:
    return output


class _Turn(NamedTuple):
    """What a task is done with when it is its turn."""

    order: StageOrder
    """The order of its phase; that of its item alone, where it continues another task."""
    steps: StepMaker


class PhaseRun:
    """What the steps of an order share. `placement` is where the parts below the primary are worked on; None is here.

    `relay` hands on what tasks of other phases made at the same time; None: the order has all of it. `admission` lets
    agents of a wave begin; None: as soon as there is a slot.
    """

    def __init__(
        self,
        run: RunContext,
        order: StageOrder,
        placement: Placement | None = None,
        relay: Relay | None = None,
        admission: Admission | None = None,
    ) -> None:
        self.run = run
        self.order = order
        self.phase: PhaseDefinition = run.spec.job.phases[order.phase]
        self._placement = placement
        self._guards = PhaseGuards(run, self.phase, order.deadline_seconds)
        self._steps = StepMaker(run, order, self.phase, self._guards)
        self._relay = relay
        self._admission = admission
        self._before = phase_before(run, order.phase)
        self._is_continued = is_continued(run, order.phase)
        self._perform = layers(run, ReadinessRound(run, order, self._steps, layers(run)).ask)
        self._perform_task = Redundant(run, self.phase.redundancy, self._guard_of, self._perform)
        self._peers = Peers(run, self.phase)
        self._fallbacks = FallbackChain(run, PreviousRuns(run), self._guard_instead)

    def _guard_instead(self, agent: Agent, task: TaskSpec) -> Guard:
        """Return what guards another agent that does a task in the place of its own."""
        return self._guards.guard(agent, task=task)

    @contextmanager
    def reserved_slots(self, stage: Stage) -> Generator[None]:
        """Reserve slots for everybody's work during the block (F5); what waits for another task reserves none.

        What is not done again needs none.
        """
        plan, calls = self.run.spec.plan, self.run.spec.expansion.calls
        work = [
            (task, agent, plan.domain_of(task.id, plan.agent_of[task.id]))
            for task in (self.run.spec.tasks[one] for one in stage.all_tasks if one not in self.order.kept)
            for agent in doers(self.phase.redundancy, task, calls[task.id].agent)
        ]
        work = [] if self._before else work
        with self._guards.reserved_slots(work):
            yield

    async def coordinate(self, stage: Stage) -> PhaseOutput:
        """Let everybody below a coordinator work at the same time, then integrate what they delivered."""
        async with asyncio.TaskGroup() as group:
            parts, held = stage.parts, self._by_agent(stage.tasks)
            order = self._urgent_first([part.all_tasks for part in parts])
            placed = dict(
                zip(order, map(group.create_task, [self._place(stage, parts[at]) for at in order]), strict=True)
            )
            order = self._urgent_first(held)
            # Where there are no waves, letting an agent begin is not even a frame on the way.
            begin = self._work if self._admission is None else partial(self._begin, self._admission)
            agents = dict(zip(order, map(group.create_task, [begin(held[at]) for at in order]), strict=True))
        # Who starts first decides about slots; what is delivered stands in the order of the plan.
        ended = [handoff for at in sorted(agents) for handoff in agents[at].result()]
        parts_of_it = together(placed[at].result() for at in sorted(placed))
        if not self.order.integrates:
            return PhaseOutput(tasks=(*ended, *parts_of_it.tasks))
        gathered = Gathered(parts=parts_of_it, agents=output_of(ended))
        output = await self._integrate(stage, await settle_gathered(self.run, self.order, gathered))
        if self.order.repeated:
            output = output.model_copy(update={"tasks": (*gathered.agents.handoffs, *gathered.parts.tasks)})
        # At the primary, where nothing integrated is left to pass on, its parts are passed on in its place (F7).
        at_the_top = stage.node.parent is None and not output.handoffs
        return output.model_copy(update={"handoffs": output.unmerged, "unmerged": ()}) if at_the_top else output

    def _guard_of(self, agent: Agent, task_id: str) -> Guard:
        plan = self.run.spec.plan
        domain = plan.domain_of(task_id, plan.agent_of[task_id])
        return self._guards.guard(agent, domain, task=self.run.spec.tasks[task_id])

    def _place(self, stage: Stage, part: Stage) -> Coroutine[Any, Any, PhaseOutput]:
        """Return the work of a part: placed where it reports to the primary, if parts are; else done here.

        What was put together before is not worked on.
        """
        integrated = self.order.integrated.get(part.node.id)
        if integrated is not None:
            return _come_to(integrated)
        if self._placement is None or stage.node.parent is not None:
            return self.coordinate(part)
        changes = {"node": part.node.id, "tasks": part.all_tasks}
        return self._placement.run(self.order.model_copy(update=changes))

    def _urgent_first(self, tasks: Sequence[Sequence[str]]) -> list[int]:
        """Return the places of groups of tasks, those with the most urgent task first (F5)."""
        specs = self.run.spec.tasks
        urgent = [max((specs[task].priority for task in own), default=0) for own in tasks]
        return sorted(range(len(tasks)), key=lambda at: -urgent[at])

    def _by_agent(self, tasks: Sequence[str]) -> list[list[str]]:
        """Return the tasks that each agent holds, in the order they are done (D1)."""
        held: dict[str, list[str]] = {}
        for task in tasks:
            held.setdefault(self.run.spec.plan.agent_of[task], []).append(task)
        return list(held.values())

    async def _begin(self, admission: Admission, tasks: Sequence[str]) -> list[Handoff]:
        """Let an agent begin when its wave lets it in; where the wave has ended before, it has done nothing (X3)."""
        async with admission.turn(tasks) as may_begin:
            ended = await self._work(tasks) if may_begin else []
            await admission.over(ended)
            return ended

    async def _work(self, tasks: Sequence[str]) -> list[Handoff]:
        """Let an agent do what it holds, one task after the other, each as a step of its own (D1).

        A task is not started that cannot do without what was lost; where one is not delivered, a fallback stands in.
        What passed in an earlier round of its phase, or has ended in a wave, is not done again.
        """
        ended = list[Handoff]()
        for task_id in tasks:
            try:
                turn = await self._ready(task_id, ended)
                if isinstance(turn, Handoff):
                    handoff = turn
                else:
                    judged = self._do_judged(turn, task_id, ended)
                    if judged is not None:
                        step, handoff = await judged
                    else:
                        step = await self._prepare(turn, task_id, ended)
                        handoff = await self._perform_task(step)
                    handoff = handoff if handoff.done else await self._replace(turn, step, handoff)
                ended.append(handoff)
                if self._relay and self._is_continued:
                    self._relay.hand_on(handoff)
            finally:
                self._guards.over(task_id)
        return ended

    async def _ready(self, task_id: str, ended: Sequence[Handoff]) -> _Turn | Handoff:
        """Return what a task is done with; what is handed on without doing it, where it is done or cannot be."""
        kept = self.order.kept.get(task_id)
        if kept is not None:
            return kept
        turn = await self._await_turn(task_id)
        loss = self._loss(turn, task_id, ended)
        return turn if loss is None else (await block(self.run, self.phase.name, [loss]))[0]

    async def _replace(self, turn: _Turn, step: Step, lost: Handoff) -> Handoff:
        """Let a fallback stand in for a task that was not delivered."""
        perform = verifying(self.run, turn.steps, self._perform)
        return await self._fallbacks.replace(step, lost, self.phase.fallbacks.get(step.agent.name, ()), perform)

    def _do_judged(self, turn: _Turn, task_id: str, ended: Sequence[Handoff]) -> Awaitable[tuple[Step, Handoff]] | None:
        """Do a task until its check passes, or until somebody else accepts it; None for one that is done once (X12)."""
        repetition = self.phase.repetition
        if repetition is not None and not repetition.whole_phase:
            return repeat_task(self.run, turn.order, turn.steps, repetition, task_id, self._perform_task)
        spec = self.run.spec
        stated = spec.criteria_of(spec.tasks[task_id], spec.expansion.calls[task_id].agent.name).verifiers
        if not (stated or self._peers.are_stated):
            return None
        prepare = partial(self._prepare, turn, task_id, ended)
        return verify_task(self.run, turn.order, turn.steps, self._perform_task, prepare, self._peers.choose)

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
        own = output_of(ended).missing
        lost = turn.order.lost | {one.task_id: one.reason for one in own}
        until = turn.order.until | {one.task_id: one.until for one in own if one.until}
        asks = turn.order.asks | {one.task_id: one.asks for one in own if one.asks}
        return blocked_by(spec.tasks[task_id], spec.plan.agent_of[task_id], lost, until, asks)

    async def _prepare(
        self, turn: _Turn, task_id: str, ended: Sequence[Handoff], rounds: Sequence[PastRound] = ()
    ) -> Step:
        step = turn.steps.task(task_id, ended, rounds)
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
        integrated, which is of another type (F7). While something waits for a quota, or for a person, the integration
        does, too (F10, O5).
        """
        if not received.handoffs:
            return received
        if waits_in(received.missing) is not None:
            return received.model_copy(update={"handoffs": (), "unmerged": (*received.unmerged, *received.handoffs)})
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
