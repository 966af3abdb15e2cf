"""One phase of a run: tasks are handed out, domains and teams work, and integrate in stages up to the primary (X2)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.agents.function import FunctionAgent
from echelon.agents.handoffs import Handoffs
from echelon.contract.version import contract_name
from echelon.coordination.accounts import budget_told
from echelon.coordination.blocking import block, blocked_by
from echelon.coordination.briefs import assignment_for, brief_for
from echelon.coordination.context import RunContext
from echelon.coordination.delivery import Delivery, Gathered, delivery_of, missing_of, together, used
from echelon.coordination.earlier import Earlier
from echelon.coordination.fallbacks import StandIns
from echelon.coordination.keys import step_key
from echelon.coordination.phase_guards import PhaseGuards
from echelon.coordination.scheduler import Scheduler
from echelon.coordination.stage import Stage
from echelon.coordination.steps import Step, perform
from echelon.definition.phase import PhaseDefinition
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.assignment import Assignment, Intent
from echelon.model.handoff import Handoff, UsedDependency
from echelon.model.plan import NodeKind
from echelon.model.run import StepKind
from echelon.resilience.guard import Guard


@dataclass(kw_only=True)
class PhaseRun:
    """What the steps of one phase share."""

    run: RunContext
    phase: PhaseDefinition
    scheduler: Scheduler
    upstream: Mapping[str, Handoffs[Any]]
    """Handoffs received from the phases needed, by phase."""
    upstream_digest: str
    """Identity of everything received."""
    summary: str = ""
    """Strategic summary of what came before."""
    missing: tuple[str, ...] = ()
    """What came before could not deliver."""
    lost: Mapping[str, str] = field(default_factory=dict[str, str])
    """Why each task before that is missing is missing: what needs it as a tight dependency is not started (D3)."""
    patience_seconds: float | None = None
    """How long those who need this phase wait for it, in seconds; None: for any time (C4)."""

    def __post_init__(self) -> None:
        self._guards = PhaseGuards(self.run, self.phase, self.patience_seconds)
        self._stand_ins = StandIns(self.run, Earlier(self.run), self._guards.guard)

    async def carry_out(self, stage: Stage) -> Delivery:
        """Coordinate the whole phase; slots are reserved for everybody's work from its start to its end (F5)."""
        plan, calls = self.run.plan, self.run.expansion.calls
        work = [(task, calls[task].agent, plan.domain_of(task, plan.agent_of[task])) for task in stage.all_tasks]
        with self._guards.reserved_slots(work):
            return await self._coordinate(stage)

    async def _coordinate(self, stage: Stage) -> Delivery:
        """Let everybody below a coordinator work at the same time, then integrate what they delivered."""
        async with asyncio.TaskGroup() as group:
            parts = [group.create_task(self._part(part)) for part in stage.parts]
            agents = [group.create_task(self._agent(task)) for task in stage.tasks]
        gathered = Gathered(
            parts=together(part.result() for part in parts),
            agents=delivery_of(agent.result() for agent in agents),
        )
        delivery = await self._integrate(stage, gathered)
        # At the primary, where nothing integrated is left to pass on, its parts are passed on in its place (F7).
        at_the_top = stage.node.parent is None and not delivery.handoffs
        return replace(delivery, handoffs=delivery.apart, apart=()) if at_the_top else delivery

    async def _part(self, stage: Stage) -> Delivery:
        def body() -> Any:
            return self._coordinate(stage)

        if stage.node.kind is NodeKind.TEAM:
            return await self.scheduler.team(self.phase.name, stage, body)
        if stage.node.parent == self.run.plan.primary.id:
            return await self.scheduler.domain(self.phase.name, stage, body)
        return await body()

    async def _agent(self, task_id: str) -> Handoff:
        try:
            return await self.scheduler.agent(self.phase.name, task_id, lambda: self._work(task_id))
        finally:
            self._guards.over(task_id)

    async def _work(self, task_id: str) -> Handoff:
        """Let an agent work, unless it cannot without what was lost; when it does not deliver, a fallback stands in."""
        blocked = blocked_by(self.run.tasks[task_id], self.lost)
        if blocked is not None:
            (handoff,) = await block(self.run, self.phase.name, [blocked])
            return handoff
        step = self._task_step(task_id)
        handoff = await perform(self.run, step)
        fallbacks = self.phase.fallbacks.get(step.agent.name, ())
        return handoff if handoff.done else await self._stand_ins.instead_of(step, handoff, fallbacks)

    async def _integrate(self, stage: Stage, gathered: Gathered) -> Delivery:
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
        if len(reached.handoffs) == 1 and len(reached.missing) == len(told) and not reached.apart:
            return reached  # a single result, and it knows of everything that is missing
        return await self._integration("combine", stage, integrator.combiner, reached)

    async def _integration(self, verb: str, stage: Stage, function: FunctionAgent, received: Delivery) -> Delivery:
        """Integrate what was received; where nothing was, what is missing is all there is to pass on.

        Nothing is lost with an integration that fails: what it should hold is passed on, apart from what others
        integrated, which is of another type (F7).
        """
        if not received.handoffs:
            return received
        step = self._integration_step(verb, stage, function, received)
        failpoint("integration.begun")
        handoff = await self.scheduler.integration(self.phase.name, stage.node.id, lambda: perform(self.run, step))
        failpoint("integration.ended")
        if handoff.done:
            return replace(received, handoffs=(handoff,))
        missing = (*received.missing, missing_of(handoff))
        if stage.node.parent is None and verb == "combine":
            return replace(received, missing=missing)  # all of it is integrated as far as it got
        return replace(received, handoffs=(), missing=missing, apart=(*received.apart, *received.handoffs))

    def _task_step(self, task_id: str) -> Step:
        call = self.run.expansion.calls[task_id]
        task = self.run.tasks[task_id]
        node = self.run.plan.agent_of[task_id]
        guard = self._guards.guard(call.agent, self.run.plan.domain_of(task_id, node))
        budget = budget_told(guard.policy, self.run.job.budget)
        assignment = assignment_for(self.run.job, task, call.agent.name, self._references, budget)
        return self._step(
            kind=StepKind.TASK,
            task_id=task_id,
            node=node,
            agent=call.agent,
            call=self._call(assignment, self.run.plan.nodes[node].parent or node, call.item, self.upstream),
            given=call.item,
            upstream_digest=self.upstream_digest,
            dependencies=(),
            guard=guard,
            tokens=task.tokens or 0,
        )

    def _integration_step(self, verb: str, stage: Stage, function: FunctionAgent, received: Delivery) -> Step:
        node = stage.node.id
        task_id = f"{self.phase.name}/{verb}/{node}"
        intent = Intent(job=self.run.job.goal, domain=stage.node.domain, task=function.goal)
        assignment = Assignment(id=f"{task_id}#1", task_id=task_id, agent=function.name, intent=intent)
        upstream = {self.phase.name: self.run.received(self.phase.name, received)}
        return self._step(
            kind=StepKind.INTEGRATION,
            task_id=task_id,
            node=node,
            agent=function,
            call=self._call(assignment, stage.node.parent or node, None, upstream),
            given=[missing.task_id for missing in received.missing],
            upstream_digest=digest_of(received.versions),
            dependencies=used(received),
            guard=self._guards.guard(function, self.run.plan.domain_of(task_id, node)),
        )

    def _step(
        self,
        *,
        kind: StepKind,
        task_id: str,
        node: str,
        agent: Agent,
        call: Call,
        given: Any,
        upstream_digest: str,
        dependencies: tuple[UsedDependency, ...],
        guard: Guard,
        tokens: int = 0,
    ) -> Step:
        plan = self.run.plan
        name = contract_name(agent.output_type)
        return Step(
            key=step_key(
                job=self.run.job.name,
                phase=self.phase.name,
                node=task_id,
                kind=kind,
                contract=name,
                inputs_digest=self.run.inputs_digest + (digest_of(given) if given is not None else ""),
                upstream_digest=upstream_digest,
            ),
            phase=self.phase.name,
            task_id=task_id,
            node=node,
            domain=plan.part_of(node),
            path=plan.path(node),
            kind=kind,
            agent=agent,
            contract=self.run.adapter(agent.output_type),
            contract_name=name,
            call=call,
            guard=guard,
            dependencies=dependencies,
            tokens=tokens,
        )

    def _call(self, assignment: Assignment, reports_to: str, item: Any, upstream: Mapping[str, Handoffs[Any]]) -> Call:
        return Call(
            brief=brief_for(
                self.run.run_id,
                self.phase.name,
                assignment,
                reports_to,
                summary=self.summary,
                missing=self.missing,
                conventions=self.run.conventions,
            ),
            item=item,
            inputs=self.run.inputs,
            upstream=upstream,
            previous=self.run.previous_of(assignment.task_id),
            make_workspace=lambda: self.run.make_workspace(assignment.task_id),
        )

    @cached_property
    def _references(self) -> tuple[str, ...]:
        return tuple(
            received.handoff.output_location.location
            for handoffs in self.upstream.values()
            for received in handoffs
            if received.handoff.output_location
        )[:50]
