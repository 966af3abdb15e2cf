"""The steps of a phase, as they are handed to those who do them: who, with what, under which guard."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.agents.function import FunctionAgent
from echelon.agents.handoffs import Handoffs
from echelon.contract.version import contract_name
from echelon.coordination.accounts import budget_told
from echelon.coordination.briefs import assignment_for, brief_for, by_value_told
from echelon.coordination.context import RunContext
from echelon.coordination.phase_guards import PhaseGuards
from echelon.coordination.phase_output import PhaseOutput, used
from echelon.coordination.placement import StageOrder
from echelon.coordination.stage import Stage
from echelon.coordination.step.keys import step_key
from echelon.coordination.step.step import Step
from echelon.definition.phase import PhaseDefinition
from echelon.journal.digest import digest_of
from echelon.model.assignment import Assignment, Intent
from echelon.model.handoff import UsedDependency
from echelon.model.integration import Verb, integration_id, planning_id
from echelon.model.run import StepKind
from echelon.resilience.guard import Guard

#: References that an assignment names at most.
MAX_REFERENCES = 50


@dataclass(frozen=True, kw_only=True)
class _Given:
    """What tells two steps of the same name apart: what each is given."""

    item: object
    """The item of a task; what is missing, for an integration. None: nothing of its own."""
    upstream_digest: str
    """Identity of everything received."""


class StepMaker:
    """Makes the steps of one order."""

    def __init__(self, run: RunContext, order: StageOrder, phase: PhaseDefinition, guards: PhaseGuards) -> None:
        self._run = run
        self._order = order
        self._phase = phase
        self._guards = guards

    def task(self, task_id: str) -> Step:
        """Return the step of a task."""
        spec = self._run.spec
        call, task, node = spec.expansion.calls[task_id], spec.tasks[task_id], spec.plan.agent_of[task_id]
        guard = self._guards.guard(call.agent, spec.plan.domain_of(task_id, node))
        budget = budget_told(guard.policy, spec.job.budget)
        assignment = assignment_for(spec.job, task, call.agent.name, self._references, budget)
        return self._step(
            kind=StepKind.TASK,
            task_id=task_id,
            node=node,
            agent=call.agent,
            call=self._call(assignment, spec.plan.nodes[node].parent or node, call.item, self._upstream, guard),
            given=_Given(item=call.item, upstream_digest=self._upstream_digest),
            guard=guard,
            tokens=task.tokens or 0,
        )

    def integration(self, verb: Verb, stage: Stage, agent: Agent, received: PhaseOutput) -> Step:
        """Return the step in which a coordinator integrates what it received."""
        spec, node, name = self._run.spec, stage.node.id, self._phase.name
        task_id = integration_id(name, verb, node)
        guard = self._guards.guard(agent, spec.plan.domain_of(task_id, node), integrates=True)
        assignment = Assignment(
            id=f"{task_id}#1",
            task_id=task_id,
            agent=agent.name,
            intent=Intent(job=spec.job.goal, domain=stage.node.domain, task=agent.goal),
            constraints=spec.job.constraints,
            budget=guard.policy.budget or spec.job.budget,  # that of its domain does not bound it (F7)
        )
        missing = [missing.task_id for missing in received.missing]
        parts = {name: self._run.receive(name, received)}
        return self._step(
            kind=StepKind.INTEGRATION,
            task_id=task_id,
            node=node,
            agent=agent,
            call=self._call(assignment, stage.node.parent or node, None, parts, guard),
            given=_Given(item=missing, upstream_digest=digest_of(received.versions)),
            dependencies=used(received),
            guard=guard,
        )

    def planning(self, function: FunctionAgent[..., object]) -> Step:
        """Return the step of a function that says what is to be done, given what the phase receives (X12)."""
        spec, owner = self._run.spec, self._order.node
        task_id = planning_id(self._phase.name, function.name)
        assignment = Assignment(
            id=f"{task_id}#1",
            task_id=task_id,
            agent=function.name,
            intent=Intent(job=spec.job.goal, task=function.goal),
            constraints=spec.job.constraints,
            references=self._references,
        )
        guard = self._guards.guard(function)
        return self._step(
            kind=StepKind.PLANNING,
            task_id=task_id,
            node=owner,
            agent=function,
            call=self._call(assignment, owner, None, self._upstream, guard),
            given=_Given(item=None, upstream_digest=self._upstream_digest),
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
        spec, contract = self._run.spec, contract_name(agent.output_type)
        return Step(
            key=step_key(
                job=spec.job.name,
                phase=self._phase.name,
                node=task_id,
                kind=kind,
                contract=contract,
                inputs_digest=spec.inputs_digest + (digest_of(given.item) if given.item is not None else ""),
                upstream_digest=given.upstream_digest,
            ),
            phase=self._phase.name,
            task_id=task_id,
            node=node,
            path=spec.plan.path(node),
            kind=kind,
            agent=agent,
            contract=self._run.contracts.adapter(agent.output_type),
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
        upstream: Mapping[str, Handoffs[object]],
        guard: Guard,
    ) -> Call:
        spec = self._run.spec
        return Call(
            brief=brief_for(
                spec.run_id,
                self._phase.name,
                assignment,
                reports_to,
                summary=self._order.summary,
                missing=self._order.missing,
                conventions=spec.conventions,
            ),
            item=item,
            inputs=spec.inputs,
            upstream=upstream,
            previous=self._run.previous_of(assignment.task_id),
            by_value_tokens=by_value_told(guard.policy, spec.by_value_tokens),
            make_workspace=lambda: self._run.workspaces.make(assignment.task_id),
            make_scratch=self._run.workspaces.scratch,
        )

    @cached_property
    def _upstream(self) -> dict[str, Handoffs[object]]:
        """Handoffs received from the phases needed, by phase."""
        return {name: self._run.receive(name, output) for name, output in self._order.upstream.items()}

    @cached_property
    def _upstream_digest(self) -> str:
        return digest_of([(name, output.versions) for name, output in self._order.upstream.items()])

    @cached_property
    def _references(self) -> tuple[str, ...]:
        return tuple(
            received.handoff.output_location.location
            for handoffs in self._upstream.values()
            for received in handoffs
            if received.handoff.output_location
        )[:MAX_REFERENCES]
