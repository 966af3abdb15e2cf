"""One part of a phase at work: tasks are handed out, teams work, and integrate in stages up to the coordinator (X2)."""

import asyncio
from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.agents.function import FunctionAgent
from echelon.contract.version import contract_name
from echelon.coordination.accounts import budget_told
from echelon.coordination.blocking import block, blocked_by
from echelon.coordination.briefs import assignment_for, brief_for, by_value_told
from echelon.coordination.context import RunContext
from echelon.coordination.fallbacks import FallbackChain
from echelon.coordination.phase_guards import PhaseGuards
from echelon.coordination.phase_output import Gathered, PhaseOutput, output_of, together, used
from echelon.coordination.placement import Placement, StageOrder
from echelon.coordination.previous_runs import PreviousRuns
from echelon.coordination.stage import Stage
from echelon.coordination.step.inbox import Inbox, TaskInboxes, inbox_of_phase
from echelon.coordination.step.keys import step_key
from echelon.coordination.step.layers import layers
from echelon.coordination.step.step import Step
from echelon.definition.phase import PhaseDefinition
from echelon.journal.digest import digest_of
from echelon.journal.failpoints import failpoint
from echelon.model.assignment import Assignment, Intent
from echelon.model.handoff import Handoff, UsedDependency
from echelon.model.integration import Verb, integration_id
from echelon.model.run import StepKind
from echelon.resilience.guard import Guard
from echelon.runlog.losses import missing_of


@dataclass(frozen=True, kw_only=True)
class _Given:
    """What tells two steps of the same name apart: what each is given."""

    item: object
    """The item of a task; what is missing, for an integration. None: nothing of its own."""
    upstream_digest: str
    """Identity of everything received."""
    phase: str
    """The phase that was declared for it; a plan that puts it elsewhere does not make it another step (F8)."""


class PhaseRun:
    """What the steps of an order share. `placement` is where the parts below the primary are worked on."""

    def __init__(self, run: RunContext, order: StageOrder, placement: Placement) -> None:
        self.run = run
        self.order = order
        self.phase: PhaseDefinition = run.spec.job.phases[order.phase]
        self._placement = placement
        self._guards = PhaseGuards(run, self.phase, order.deadline_seconds)
        self._perform = layers(run)
        self._fallbacks = FallbackChain(run, PreviousRuns(run), self._perform, self._guards.guard)

    @contextmanager
    def reserved_slots(self, stage: Stage) -> Generator[None]:
        """Reserve slots for everybody's work during the block (F5)."""
        plan, calls = self.run.spec.plan, self.run.spec.expansion.calls
        work = [(task, calls[task].agent, plan.domain_of(task, plan.agent_of[task])) for task in stage.all_tasks]
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
        """
        spec, ended = self.run.spec, list[Handoff]()
        for task_id in tasks:
            try:
                lost = self.order.lost | {one.task_id: one.reason for one in output_of(ended).missing}
                loss = blocked_by(spec.tasks[task_id], spec.plan.agent_of[task_id], lost)
                if loss is not None:
                    ended += await block(self.run, self.phase.name, [loss])
                    continue
                step = self._task_step(task_id, ended)
                handoff = await self._perform(step)
                fallbacks = self.phase.fallbacks.get(step.agent.name, ())
                ended.append(handoff if handoff.done else await self._fallbacks.replace(step, handoff, fallbacks))
            finally:
                self._guards.over(task_id)
        return ended

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

    async def _integration(
        self, verb: Verb, stage: Stage, function: FunctionAgent[..., object], received: PhaseOutput
    ) -> PhaseOutput:
        """Integrate what was received; where nothing was, what is missing is all there is to pass on.

        Nothing is lost with an integration that fails: what it should hold is passed on, apart from what others
        integrated, which is of another type (F7).
        """
        if not received.handoffs:
            return received
        step = self._integration_step(verb, stage, function, received)
        failpoint("integration.begun")
        handoff = await self._perform(step)
        failpoint("integration.ended")
        if handoff.done:
            return received.model_copy(update={"handoffs": (handoff,)})
        missing = (*received.missing, missing_of(handoff))
        if stage.node.parent is None and verb == "combine":
            return received.model_copy(update={"missing": missing})  # all of it is integrated as far as it got
        unmerged = (*received.unmerged, *received.handoffs)
        return received.model_copy(update={"handoffs": (), "missing": missing, "unmerged": unmerged})

    def _task_step(self, task_id: str, ended: Sequence[Handoff]) -> Step:
        """Return the step of a task; `ended` is what its agent did before it in this phase."""
        spec = self.run.spec
        call, task, node = spec.expansion.calls[task_id], spec.tasks[task_id], spec.plan.agent_of[task_id]
        guard = self._guards.guard(call.agent, spec.plan.domain_of(task_id, node))
        budget = budget_told(guard.policy, spec.job.budget)
        inbox = self._tasks.of(task, node, ended) if self.phase.task_by_task else self._inbox
        assignment = assignment_for(spec.job, task, call.agent.name, inbox.references, budget)
        return self._step(
            kind=StepKind.TASK,
            task_id=task_id,
            node=node,
            agent=call.agent,
            call=self._call(assignment, spec.plan.nodes[node].parent or node, call.item, inbox, guard),
            given=_Given(item=call.item, upstream_digest=inbox.digest, phase=task.phase or ""),
            dependencies=inbox.used,
            guard=guard,
            tokens=task.tokens or 0,
        )

    def _integration_step(
        self, verb: Verb, stage: Stage, function: FunctionAgent[..., object], received: PhaseOutput
    ) -> Step:
        spec, node, name = self.run.spec, stage.node.id, self.phase.name
        task_id = integration_id(name, verb, node)
        intent = Intent(job=spec.job.goal, domain=stage.node.domain, task=function.goal)
        assignment = Assignment(
            id=f"{task_id}#1",
            task_id=task_id,
            agent=function.name,
            intent=intent,
            constraints=spec.job.constraints,
        )
        missing = [missing.task_id for missing in received.missing]
        guard = self._guards.guard(function, spec.plan.domain_of(task_id, node))
        digest = digest_of(received.versions)
        inbox = Inbox(self.run, {name: received}, self.order.missing, digest)
        return self._step(
            kind=StepKind.INTEGRATION,
            task_id=task_id,
            node=node,
            agent=function,
            call=self._call(assignment, stage.node.parent or node, None, inbox, guard),
            given=_Given(item=missing, upstream_digest=digest, phase=name),
            dependencies=used(received),
            guard=guard,
        )

    def _step(
        self,
        *,
        kind: StepKind,
        task_id: str,
        node: str,
        agent: Agent,
        call: Call,
        given: _Given,
        guard: Guard,
        dependencies: tuple[UsedDependency, ...] = (),
        tokens: int = 0,
    ) -> Step:
        spec, contract = self.run.spec, contract_name(agent.output_type)
        return Step(
            key=step_key(
                job=spec.job.name,
                phase=given.phase,
                node=task_id,
                kind=kind,
                contract=contract,
                inputs_digest=spec.inputs_digest + (digest_of(given.item) if given.item is not None else ""),
                upstream_digest=given.upstream_digest,
            ),
            phase=self.phase.name,
            task_id=task_id,
            node=node,
            path=spec.plan.path(node),
            kind=kind,
            agent=agent,
            contract=self.run.contracts.adapter(agent.output_type),
            contract_name=contract,
            call=call,
            guard=guard,
            dependencies=dependencies,
            tokens=tokens,
        )

    def _call(
        self,
        assignment: Assignment,
        reports_to: str,
        item: object,
        inbox: Inbox,
        guard: Guard,
    ) -> Call:
        spec = self.run.spec
        return Call(
            brief=brief_for(
                spec.run_id,
                self.phase.name,
                assignment,
                reports_to,
                summary=self.order.summary,
                missing=inbox.missing,
                conventions=spec.conventions,
            ),
            item=item,
            inputs=spec.inputs,
            upstream=inbox.upstream,
            previous=self.run.previous_of(assignment.task_id),
            by_value_tokens=by_value_told(guard.policy, spec.by_value_tokens),
            make_workspace=lambda: self.run.workspaces.make(assignment.task_id),
            make_scratch=self.run.workspaces.scratch,
        )

    @cached_property
    def _inbox(self) -> Inbox:
        """What every task receives where it is the phases that are needed."""
        return inbox_of_phase(self.run, self.order)

    @cached_property
    def _tasks(self) -> TaskInboxes:
        """What each task receives where it depends on tasks."""
        return TaskInboxes(self.run, self.order)
