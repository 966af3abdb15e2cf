"""The steps of a phase, as they are handed to those who do them: who, with what, under which guard."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pydantic_core import to_jsonable_python

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.agents.checks.rounds import Round, Rounds
from echelon.agents.fingerprint.agent import fingerprint_of
from echelon.agents.function import FunctionAgent
from echelon.agents.handoffs import Received
from echelon.contract.version import contract_name
from echelon.coordination.accounts import budget_told
from echelon.coordination.briefs import assignment_for, brief_for, by_value_told
from echelon.coordination.context import RunContext
from echelon.coordination.phase_guards import PhaseGuards
from echelon.coordination.phase_output import PhaseOutput, together, used
from echelon.coordination.placement import PastRound, StageOrder
from echelon.coordination.reuse.basis import KEPT_KINDS, Basis, basis_of, sees_upstream
from echelon.coordination.rolling.numbering import rounds_at_most
from echelon.coordination.stage import Stage
from echelon.coordination.step.inbox import Inbox, TaskInboxes, inbox_of_phase
from echelon.coordination.step.keys import step_key
from echelon.coordination.step.step import Step
from echelon.definition.phase import PhaseDefinition
from echelon.definition.success.criteria import NOTHING_STATED, Criteria
from echelon.journal.digest import digest_of
from echelon.model.assignment import Assignment, Intent
from echelon.model.handoff import Handoff, UsedDependency
from echelon.model.integration import Question, Verb, check_id, integration_id, planning_id, verification_id
from echelon.model.phrasing import truncate
from echelon.model.run import StepKind
from echelon.model.status import Status
from echelon.model.views.items import Changes
from echelon.resilience.guard import Guard
from echelon.runlog.items import changes_of

#: How much of what a check said is given to whoever does the work again, in characters.
MAX_GAP = 4_000


def _asked(goal: str) -> str:
    return f"you say whether the work below does what it was for: {goal}"


@dataclass(frozen=True, kw_only=True)
class _Given:
    """What tells two steps of the same name apart: what each is given."""

    item: object
    """The item of a task; what is missing, for an integration. None: nothing of its own."""
    upstream_digest: str
    """Identity of everything received."""
    phase: str
    """The phase that was declared for it; a plan that puts it elsewhere does not make it another step (F8)."""
    lacks: tuple[str, ...] = ()
    """What of what it receives is not the work itself."""


class StepMaker:
    """Makes the steps of one order."""

    def __init__(self, run: RunContext, order: StageOrder, phase: PhaseDefinition, guards: PhaseGuards) -> None:
        self._run = run
        self._order = order
        self._phase = phase
        self._guards = guards
        #: By identity of the agent: reading the code of one may be slow.
        self._codes: dict[int, str] = {}

    def task(self, task_id: str, ended: Sequence[Handoff] = (), rounds: Sequence[PastRound] = ()) -> Step:
        """Return the step of a task; `ended` is what its agent did before it in this phase.

        `rounds` are those that the phase itself has made of it (X12).
        """
        spec, past = self._run.spec, (*self._order.past.get(task_id, ()), *rounds)
        call, task, node = spec.expansion.calls[task_id], spec.tasks[task_id], spec.plan.agent_of[task_id]
        guard = self._guards.guard(call.agent, spec.plan.domain_of(task_id, node), task=task)
        budget = budget_told(guard.policy, spec.job.budget)
        inbox = self._tasks.of(task, node, ended) if self._phase.task_by_task else self._inbox
        criteria = spec.criteria_of(task, call.agent.name)
        number = self._number(rounds, criteria)
        assignment = assignment_for(spec.job, task, call.agent.name, inbox.references, budget, criteria.texts)
        return self._step(
            kind=StepKind.TASK,
            task_id=task_id,
            node=node,
            agent=call.agent,
            call=self._in_round(
                self._call(call.agent, assignment, spec.plan.nodes[node].parent or node, call.item, inbox, guard),
                call.agent.output_type,
                past,
                number,
            ),
            given=_Given(item=call.item, upstream_digest=self._repeated(inbox.digest, past), phase=task.phase or ""),
            dependencies=inbox.used,
            guard=guard,
            tokens=task.tokens or 0,
            number=number,
            criteria=criteria,
        )

    def check_of_task(
        self, task_id: str, check: Agent, rounds: Sequence[PastRound], criteria: Criteria = NOTHING_STATED
    ) -> Step:
        """Return the step in which the last of the rounds of a task is judged by somebody else (X12).

        `criteria` are those that the result must meet; one of their verifiers is recorded as one.
        """
        spec = self._run.spec
        done, worker, node = spec.expansion.calls[task_id], spec.tasks[task_id], spec.plan.agent_of[task_id]
        owner = spec.plan.nodes[node].parent or node
        judged = {self._phase.name: PhaseOutput(handoffs=(rounds[-1].handoff,))}
        verifies = any(check is one for one in criteria.verifiers)
        step = self._check(
            (verification_id if verifies else check_id)(task_id, check.name),
            check,
            judged,
            owner,
            done.item,
            (_asked(worker.goal), *criteria.texts),
            self._number(rounds[1:], criteria),
        )
        told = self._in_round(step.call, done.agent.output_type, rounds, len(rounds))
        last = rounds[-1].handoff
        output = Received[object](last, self._run.outputs, done.agent.output_type)
        trace = last.verification.trace if last.verification else None
        return replace(step, call=replace(told, brief=step.call.brief, output=output, trace=trace))

    @property
    def phase(self) -> str:
        """The phase."""
        return self._phase.name

    async def check_of_nothing(self, author: Agent, check: Agent, empty: object, criteria: Criteria) -> Step:
        """Return the step in which whoever verifies results is asked about an empty one (D11).

        It is that of the first task whose output has the contract of what `author` makes.
        """
        spec = self._run.spec
        alike = [one for one in self._order.tasks if spec.expansion.calls[one].agent.output_type == author.output_type]
        task_id = (alike or self._order.tasks)[0]
        done, node = spec.expansion.calls[task_id], spec.plan.agent_of[task_id]
        name = contract_name(done.agent.output_type)
        plain, key = to_jsonable_python(empty, fallback=str), digest_of((self._phase.name, check.name, "empty", name))
        output = await asyncio.to_thread(self._run.outputs.put, spec.run_id, key, plain, name)
        nothing = Handoff(
            task_id=task_id,
            status=Status.COMPLETED,
            summary="",
            output_location=output,
            producer=node,
            assignment_id=f"{task_id}#1",
        )
        step = self._check(
            verification_id(self._phase.name, f"{check.name}-of-nothing"),
            check,
            {self._phase.name: PhaseOutput(handoffs=(nothing,))},
            spec.plan.nodes[node].parent or node,
            done.item,
            (_asked(spec.tasks[task_id].goal), *criteria.texts),
            1,
        )
        received = Received[object](nothing, self._run.outputs, done.agent.output_type)
        return replace(step, call=replace(step.call, output=received))

    def check_of_phases(self, check: Agent, task_id: str, outputs: Mapping[str, PhaseOutput]) -> Step:
        """Return the step, recorded as `task_id`, in which all that phases hand on is judged."""
        return self._check(task_id, check, outputs, self._order.node, None, (), self._order.round)

    def _check(
        self,
        task_id: str,
        check: Agent,
        outputs: Mapping[str, PhaseOutput],
        owner: str,
        item: object,
        success: tuple[str, ...],
        number: int,
    ) -> Step:
        spec, name, judged = self._run.spec, self._phase.name, together(outputs.values())
        guard = self._guards.guard(check)
        assignment = Assignment(
            id=f"{task_id}#{number}",
            task_id=task_id,
            agent=check.name,
            intent=Intent(job=spec.job.goal, task=check.goal),
            success=success,
            constraints=spec.job.constraints,
            budget=guard.policy.budget or spec.job.budget,
        )
        inbox = Inbox(self._run, outputs, self._order.missing, digest_of((number, judged.versions)))
        return self._step(
            kind=StepKind.CHECK,
            task_id=task_id,
            node=owner,
            agent=check,
            call=self._call(check, assignment, owner, item, inbox, guard),
            given=_Given(item=item, upstream_digest=inbox.digest, phase=name),
            dependencies=used(judged),
            guard=guard,
            number=number,
        )

    def _number(self, rounds: Sequence[PastRound], criteria: Criteria) -> int:
        """Return the number of the round that follows, counted over phases that are repeated as a whole, too."""
        each = rounds_at_most(self._phase.repetition, criteria)
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
        digest = self._repeated(digest_of(received.identity), ())
        inbox = Inbox(self._run, {name: received}, self._order.missing, digest)
        return self._step(
            kind=StepKind.INTEGRATION,
            task_id=task_id,
            node=node,
            agent=agent,
            call=replace(
                self._call(agent, assignment, stage.node.parent or node, None, inbox, guard),
                changes=lambda: self._changes((name,), stage.all_tasks),
            ),
            given=_Given(
                item=missing,
                upstream_digest=digest,
                phase=name,
                lacks=(*missing, *(one.task_id for one in received.replaced)),
            ),
            dependencies=used(received),
            guard=guard,
            number=self._order.round,
        )

    def planning(self, question: Question, function: FunctionAgent[..., object], known: object = None) -> Step:
        """Return the step of a function that says what is to be done, given what the phase receives (X12).

        `known` is what it knows beside that.
        """
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
            call=self._call(function, assignment, owner, None, self._inbox, guard),
            given=_Given(item=known, upstream_digest=self._repeated(self._inbox.digest, ()), phase=self._phase.name),
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
        criteria: Criteria = NOTHING_STATED,
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
            made_from=self._made_from(kind, agent, contract, call, given, criteria),
            round=number,
            criteria=criteria,
        )

    def _made_from(
        self, kind: StepKind, agent: Agent, contract: str, call: Call, given: _Given, criteria: Criteria
    ) -> Basis | None:
        """Return what a step is made from; None where it is done in every run."""
        phase, spec = self._phase, self._run.spec
        if phase.reuse is None or kind not in KEPT_KINDS:
            return None
        code = self._codes.get(id(agent)) or self._codes.setdefault(id(agent), fingerprint_of(agent))
        everything = phase.reuse.inputs is None
        inputs_digest = spec.inputs_digest if everything else phase.reuse.inputs_digest(spec.inputs)
        received = (given.upstream_digest, *call.brief.missing, *given.lacks) if sees_upstream(agent) else ()
        checked = (criteria.code, criteria.judges) if kind is StepKind.TASK else ()
        work = (spec.job.name, phase.name, kind.value, contract, inputs_digest, received, checked)
        return basis_of(phase.reuse, work, agent, code, call, is_task=kind is StepKind.TASK)

    def _call(
        self, agent: Agent, assignment: Assignment, reports_to: str, item: object, inbox: Inbox, guard: Guard
    ) -> Call:
        spec = self._run.spec
        return Call(
            brief=brief_for(
                spec.run_id,
                self._phase.name,
                assignment,
                reports_to,
                order=self._order,
                missing=inbox.missing,
                conventions=spec.conventions_for(
                    agent,
                    self._phase.name,
                    receives=bool(inbox.outputs),
                    does_task=assignment.task_id in spec.tasks,
                ),
            ),
            item=item,
            inputs=spec.inputs,
            upstream=inbox.upstream,
            previous=self._run.previous_of(assignment.task_id),
            changes=lambda: self._changes(tuple(inbox.outputs)),
            by_value_tokens=by_value_told(guard.policy, spec.by_value_tokens),
            make_workspace=lambda: self._run.workspaces.make(assignment.task_id),
            make_scratch=self._run.workspaces.scratch,
        )

    def _changes(self, phases: Iterable[str], among: Collection[str] | None = None) -> Changes:
        """Return what became of the items of phases, of all or of some of them."""
        state = self._run.log.state
        found = (changes_of(state, phase, among) for phase in phases)
        return sum((one for one in found if one), Changes())

    @cached_property
    def _inbox(self) -> Inbox:
        """What every task receives where it is the phases that are needed."""
        return inbox_of_phase(self._run, self._order)

    @cached_property
    def _tasks(self) -> TaskInboxes:
        """What each task receives where it depends on tasks."""
        return TaskInboxes(self._run, self._order)
