"""The steps of a phase, as they are handed to those who do them: who, with what, under which guard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.agents.checks.rounds import Round, Rounds
from echelon.agents.function import FunctionAgent
from echelon.agents.handoffs import Received
from echelon.contract.version import contract_name
from echelon.coordination.accounts import budget_told
from echelon.coordination.briefs import assignment_for, brief_for, by_value_told
from echelon.coordination.context import RunContext
from echelon.coordination.phase_guards import PhaseGuards
from echelon.coordination.phase_output import PhaseOutput, together, used
from echelon.coordination.placement import PastRound, StageOrder
from echelon.coordination.stage import Stage
from echelon.coordination.step.inbox import Inbox, TaskInboxes, inbox_of_phase
from echelon.coordination.step.keys import step_key
from echelon.coordination.step.step import Step
from echelon.definition.phase import PhaseDefinition
from echelon.definition.rolling.repeat import Repetition
from echelon.journal.digest import digest_of
from echelon.model.assignment import Assignment, Intent
from echelon.model.handoff import Handoff, UsedDependency
from echelon.model.integration import Question, Verb, check_id, integration_id, planning_id
from echelon.model.phrasing import truncate
from echelon.model.run import StepKind
from echelon.resilience.guard import Guard

#: How much of what a check said is given to whoever does the work again, in characters.
MAX_GAP = 4_000


@dataclass(frozen=True, kw_only=True)
class _Given:
    """What tells two steps of the same name apart: what each is given."""

    item: object
    """The item of a task; what is missing, for an integration. None: nothing of its own."""
    upstream_digest: str
    """Identity of everything received."""
    phase: str
    """The phase that was declared for it; a plan that puts it elsewhere does not make it another step (F8)."""


class StepMaker:
    """Makes the steps of one order."""

    def __init__(self, run: RunContext, order: StageOrder, phase: PhaseDefinition, guards: PhaseGuards) -> None:
        self._run = run
        self._order = order
        self._phase = phase
        self._guards = guards

    def task(self, task_id: str, ended: Sequence[Handoff] = (), rounds: Sequence[PastRound] = ()) -> Step:
        """Return the step of a task; `ended` is what its agent did before it in this phase.

        `rounds` are those that the phase itself has made of it (X12).
        """
        spec, past = self._run.spec, (*self._order.past.get(task_id, ()), *rounds)
        call, task, node = spec.expansion.calls[task_id], spec.tasks[task_id], spec.plan.agent_of[task_id]
        guard = self._guards.guard(call.agent, spec.plan.domain_of(task_id, node))
        budget = budget_told(guard.policy, spec.job.budget)
        inbox = self._tasks.of(task, node, ended) if self._phase.task_by_task else self._inbox
        assignment = assignment_for(spec.job, task, call.agent.name, inbox.references, budget)
        return self._step(
            kind=StepKind.TASK,
            task_id=task_id,
            node=node,
            agent=call.agent,
            call=self._in_round(
                self._call(assignment, spec.plan.nodes[node].parent or node, call.item, inbox, guard),
                call.agent.output_type,
                past,
                self._number(rounds),
            ),
            given=_Given(item=call.item, upstream_digest=self._repeated(inbox.digest, past), phase=task.phase or ""),
            dependencies=inbox.used,
            guard=guard,
            tokens=task.tokens or 0,
            number=self._number(rounds),
        )

    def check_of_task(self, task_id: str, repetition: Repetition, rounds: Sequence[PastRound]) -> Step:
        """Return the step in which the last of the rounds of a task is judged by somebody else (X12)."""
        spec, check = self._run.spec, repetition.check
        done, worker, node = spec.expansion.calls[task_id], spec.tasks[task_id], spec.plan.agent_of[task_id]
        owner = spec.plan.nodes[node].parent or node
        judged = {self._phase.name: PhaseOutput(handoffs=(rounds[-1].handoff,))}
        step = self._check(
            check_id(task_id, check.name), check, judged, owner, done.item, worker.goal, self._number(rounds[1:])
        )
        told = self._in_round(step.call, done.agent.output_type, rounds, len(rounds))
        output = Received[object](rounds[-1].handoff, self._run.outputs, done.agent.output_type)
        return replace(step, call=replace(told, brief=step.call.brief, output=output))

    def check_of_phases(self, check: Agent, about: str, outputs: Mapping[str, PhaseOutput]) -> Step:
        """Return the step in which all that phases hand on is judged; `about` is what they are called together."""
        return self._check(check_id(about, check.name), check, outputs, self._order.node, None, "", self._order.round)

    def _check(
        self,
        task_id: str,
        check: Agent,
        outputs: Mapping[str, PhaseOutput],
        owner: str,
        item: object,
        goal: str,
        number: int,
    ) -> Step:
        spec, name, judged = self._run.spec, self._phase.name, together(outputs.values())
        guard = self._guards.guard(check)
        assignment = Assignment(
            id=f"{task_id}#{number}",
            task_id=task_id,
            agent=check.name,
            intent=Intent(job=spec.job.goal, task=check.goal),
            success=(f"you say whether the work below does what it was for: {goal}",) if goal else (),
            constraints=spec.job.constraints,
            budget=guard.policy.budget or spec.job.budget,
        )
        inbox = Inbox(self._run, outputs, self._order.missing, digest_of((number, judged.versions)))
        return self._step(
            kind=StepKind.CHECK,
            task_id=task_id,
            node=owner,
            agent=check,
            call=self._call(assignment, owner, item, inbox, guard),
            given=_Given(item=item, upstream_digest=inbox.digest, phase=name),
            dependencies=used(judged),
            guard=guard,
            number=number,
        )

    def _number(self, rounds: Sequence[PastRound]) -> int:
        """Return the number of the round that follows, counted over phases that are repeated as a whole, too."""
        repetition = self._phase.repetition
        each = 1 if repetition is None or repetition.whole_phase else repetition.rounds
        return (self._order.round - 1) * each + len(rounds) + 1

    def _repeated(self, upstream_digest: str, past: Sequence[PastRound]) -> str:
        """Return the identity of everything a task is given; in its first round nothing came before."""
        if self._order.round == 1 and not past:
            return upstream_digest
        before = [(one.handoff.output_location and one.handoff.output_location.sha256, one.gap) for one in past]
        return digest_of((upstream_digest, self._order.round, before))

    def _in_round(self, call: Call, contract: object, past: Sequence[PastRound], number: int) -> Call:
        """Return a call that knows of earlier rounds: what was delivered in them, and what checks said of it."""
        if number == 1 and not past:
            return call
        rounds = [
            Round[object](number, Received[object](one.handoff, self._run.outputs, contract), one.gap)
            for number, one in enumerate(past, start=1)
        ]
        gaps = tuple(truncate(one.gap, MAX_GAP) for one in past)
        brief = call.brief.model_copy(update={"round": number, "gaps": gaps})
        return replace(call, brief=brief, rounds=Rounds(rounds))

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
        digest = self._repeated(digest_of(received.versions), ())
        inbox = Inbox(self._run, {name: received}, self._order.missing, digest)
        return self._step(
            kind=StepKind.INTEGRATION,
            task_id=task_id,
            node=node,
            agent=agent,
            call=self._call(assignment, stage.node.parent or node, None, inbox, guard),
            given=_Given(item=missing, upstream_digest=digest, phase=name),
            dependencies=used(received),
            guard=guard,
            number=self._order.round,
        )

    def planning(self, question: Question, function: FunctionAgent[..., object]) -> Step:
        """Return the step of a function that says what is to be done, given what the phase receives (X12)."""
        spec, owner = self._run.spec, self._order.node
        task_id = planning_id(self._phase.name, question, function.name)
        assignment = Assignment(
            id=f"{task_id}#1",
            task_id=task_id,
            agent=function.name,
            intent=Intent(job=spec.job.goal, task=function.goal),
            constraints=spec.job.constraints,
            references=self._inbox.references,
        )
        guard = self._guards.guard(function)
        return self._step(
            kind=StepKind.PLANNING,
            task_id=task_id,
            node=owner,
            agent=function,
            call=self._call(assignment, owner, None, self._inbox, guard),
            given=_Given(item=None, upstream_digest=self._repeated(self._inbox.digest, ()), phase=self._phase.name),
            guard=guard,
            number=self._order.round,
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
        number: int = 1,
    ) -> Step:
        spec, contract = self._run.spec, contract_name(agent.output_type)
        return Step(
            key=self._run.memo.key_of(
                task_id,
                step_key(
                    job=spec.job.name,
                    phase=given.phase,
                    node=task_id,
                    kind=kind,
                    contract=contract,
                    inputs_digest=spec.inputs_digest + (digest_of(given.item) if given.item is not None else ""),
                    upstream_digest=given.upstream_digest,
                ),
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
            round=number,
        )

    def _call(
        self,
        assignment: Assignment,
        reports_to: str,
        item: object,
        inbox: Inbox,
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
                missing=inbox.missing,
                conventions=spec.conventions,
            ),
            item=item,
            inputs=spec.inputs,
            upstream=inbox.upstream,
            previous=self._run.previous_of(assignment.task_id),
            by_value_tokens=by_value_told(guard.policy, spec.by_value_tokens),
            make_workspace=lambda: self._run.workspaces.make(assignment.task_id),
            make_scratch=self._run.workspaces.scratch,
        )

    @cached_property
    def _inbox(self) -> Inbox:
        """What every task receives where it is the phases that are needed."""
        return inbox_of_phase(self._run, self._order)

    @cached_property
    def _tasks(self) -> TaskInboxes:
        """What each task receives where it depends on tasks."""
        return TaskInboxes(self._run, self._order)
