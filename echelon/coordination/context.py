"""Everything that belongs to one run and is shared by its steps."""

import asyncio
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from echelon.agents.agent import Agent
from echelon.agents.call import Call, Workspace
from echelon.agents.function import FunctionAgent
from echelon.agents.handoffs import Handoffs, Previous, Received
from echelon.agents.outcome import Outcome
from echelon.agents.workers import Workers
from echelon.conventions.brief import brief_conventions
from echelon.coordination.accounts import Accounts
from echelon.coordination.claims import Claims, Word
from echelon.coordination.delivery import Delivery
from echelon.coordination.recall import Recall, Record
from echelon.definition.definition import JobDefinition
from echelon.definition.expansion import Expansion
from echelon.definition.facts import facts_of
from echelon.journal.digest import digest_of
from echelon.journal.journal import Journal
from echelon.journal.lease import Lease
from echelon.journal.outputs import OutputStore
from echelon.model.concern import Concern, ConcernRecord
from echelon.model.exception_report import ExceptionReport
from echelon.model.graph import TaskSpec
from echelon.model.handoff import Handoff
from echelon.model.plan import Plan
from echelon.model.policy import Resilience
from echelon.model.run import StepKind, StepRecord
from echelon.model.session import Claim
from echelon.resilience.budget import Account
from echelon.resilience.bulkhead import Bulkhead
from echelon.resilience.guard import Guard
from echelon.resilience.guards import Guards
from echelon.resilience.registry import BreakerRegistry
from echelon.visibility.progress import Observer, ProgressEvent


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


def unobserved(_event: ProgressEvent) -> None:
    """Nobody watches."""


@dataclass(kw_only=True)
class RunContext:
    """One run: what is to be done, where it is written down, and what guards it."""

    run_id: str
    job: JobDefinition
    inputs: BaseModel
    expansion: Expansion
    plan: Plan
    journal: Journal
    outputs: OutputStore
    folder: Path
    """Where agents get their workspaces."""
    breakers: BreakerRegistry
    account: Account
    """What the whole job may consume."""
    limit: Bulkhead | None = None
    """Places for agents at work at one time, shared fairly by the domains (F5); None is no bound."""
    steps: list[StepRecord] = field(default_factory=list[StepRecord])
    """All steps that are on record: those that an earlier process did, then those of this one."""
    concerns: list[ConcernRecord] = field(default_factory=list[ConcernRecord])
    """Everything raised so far (O1)."""
    exceptions: list[ExceptionReport] = field(default_factory=list[ExceptionReport])
    """Everything pushed so far (V1)."""
    causes: set[str] = field(default_factory=set[str])
    """Causes of failures that were told about (F6)."""
    previous: dict[str, Handoff] = field(default_factory=dict[str, Handoff])
    """What the last completed run of this job on the same inputs delivered, by task."""
    claimed: Sequence[Claim] = ()
    """What earlier processes began that changes the world (F8)."""
    word: Word = Word()
    """What a person says about it."""
    lease: Lease | None = None
    """The right to work on the run; None where nobody else can."""
    observe: Observer = unobserved
    now: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        self.began = self.now()
        self.inputs_digest = digest_of(self.inputs)
        self.finished = {step.key: step for step in self.steps if step.handoff.done}
        """Steps completed before this process began, by key: they are not done again (F8)."""
        self.accounts = Accounts(self.account, self.plan, self.steps)
        """Accounts of domains and tasks (F4)."""
        self._guards = Guards(breakers=self.breakers)
        self.breakers_used = self._guards.used
        """The breakers that its agents use (F1)."""
        self._record = Record(self.finished)
        self._claims = Claims(
            self.journal,
            self.run_id,
            self.claimed,
            word=self.word,
            token=self.lease.session.token if self.lease else 0,
            now=self.now,
        )
        self._adapters: dict[int, tuple[Any, TypeAdapter[Any]]] = {}

    def elapsed(self) -> float:
        """Return the seconds since this process began to work on the run."""
        return (self.now() - self.began).total_seconds()

    def recall(self, key: str, kind: StepKind, task_id: str, contract: str, agent: Agent) -> Recall:
        """Return what an earlier process put on record about a step, if it still counts (F8)."""
        return self._record.recall(key, kind, task_id, contract, agent)

    async def push(self, report: ExceptionReport) -> None:
        """Put something on record that is to be told upwards (V1)."""
        await self.journal.record_exceptions(self.run_id, [report])
        self.exceptions.append(report)

    async def carried_out(self, key: str, task_id: str, agent: Agent, call: Call) -> Outcome[Any]:
        """Let an agent work, unless another process has the run: then `LeaseLost` (F8)."""
        if self.lease is not None:
            await self.lease.prove()
        if agent.effect == "read":
            return await agent.perform(call)
        return await self._claims.carried_out(key, task_id, agent, call)

    async def record(self, step: StepRecord, report: ExceptionReport | None = None) -> None:
        """Put a step on record, with the concerns it raised and what there is to report; durable when this returns.

        Queued together, they become durable together: no crash can keep the step and lose what it warned of (O1).
        """
        concerns = [self._raise(step.node, concern) for concern in step.handoff.concerns]
        reports = [self.journal.record_exceptions(self.run_id, [report])] if report else []
        # The step last: should a transaction end between them, it is the step that is done again.
        await asyncio.gather(*concerns, *reports, self.journal.append(step))
        self.steps.append(step)
        self.exceptions.extend([report] if report else [])

    async def _raise(self, source: str, concern: Concern) -> None:
        self.concerns.append(await self.journal.raise_concern(self.run_id, source, concern))

    @cached_property
    def tasks(self) -> dict[str, TaskSpec]:
        """Tasks of the plan by id."""
        return {task.id: task for task in self.plan.tasks}

    @cached_property
    def conventions(self) -> tuple[str, ...]:
        """What every agent of the run keeps to; no part of a step's identity, so no work is done again for it (F8)."""
        return brief_conventions(self.plan)

    def adapter(self, contract: Any) -> TypeAdapter[Any]:
        """Return the validator of a contract; made once a run, since making one is slow."""
        known = self._adapters.get(id(contract))
        if known is None:
            # The contract is kept too, so that its id is not given to another one.
            known = self._adapters[id(contract)] = (contract, TypeAdapter(contract))
        return known[1]

    def guard(self, agent: Agent, policy: Resilience, account: Account | None = None, domain: str = "") -> Guard:
        """Return the guard of an agent's calls: CPU-bound ones wait for a processor, all others for a slot of the run.

        What they use is taken from `account`, or else from that of the run; slots are shared out by `domain` (F5).
        """
        cpu_bound = isinstance(agent, FunctionAgent) and agent.cpu_bound
        slot = self.limit.slot(domain) if self.limit else None
        model = facts_of(agent, policy).model
        return self._guards.guard(
            policy,
            caller=f"agent {agent.name!r}",
            account=account or self.account,
            domain=domain,
            limiter=Workers.shared().slots if cpu_bound else slot,
            price=self.expansion.graph.prices.get(model) if model else None,
        )

    def make_workspace(self, task_id: str) -> Workspace:
        """Make a folder for one attempt at a task: readable, safe on any file system, empty, never that of another."""
        readable = re.sub(r"[^A-Za-z0-9_-]+", "-", task_id)[:60]
        work = self.folder / "work"
        work.mkdir(parents=True, exist_ok=True)
        # An attempt that was given up on may still write into its own, in a thread that nobody can end.
        return Workspace(tempfile.mkdtemp(prefix=f"{readable}-", dir=work))

    def received(self, phase: str, delivery: Delivery) -> Handoffs[Any]:
        """Return what a consumer of a delivery gets."""
        there, apart = [
            [Received[Any](h, self.outputs, self.contract_of(phase, h.task_id)) for h in handoffs]
            for handoffs in (delivery.handoffs, delivery.apart)
        ]
        return Handoffs(there, delivery.missing, apart)

    def is_news(self, cause: str) -> bool:
        """Say whether a cause of failure was not told about yet; from now on it was. No cause is always news."""
        known = bool(cause) and cause in self.causes
        self.causes.add(cause)
        return not known

    def contract_of(self, phase: str, task_id: str) -> Any:
        """Return the type of the output of a task, or of an integration."""
        call = self.expansion.calls.get(task_id)
        if call is not None:
            return call.agent.output_type
        integrator = self.job.phases[phase].integrator
        assert integrator is not None, "what is no task was made by an integrator"
        combined = integrator.combiner is not None and task_id.startswith(f"{phase}/combine/")
        return (integrator.combiner if combined and integrator.combiner else integrator.merger).output_type

    def previous_of(self, task_id: str) -> Previous[Any]:
        """Return what the last completed run delivered for a task."""
        handoff = self.previous.get(task_id)
        if handoff is None:
            return Previous()
        return Previous(Received(handoff, self.outputs, self.expansion.calls[task_id].agent.output_type))
