"""One step: perform it once behind its guard, seal the result in an envelope, and write it down before it is seen."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from echelon.agents.agent import Agent, AsksAgain
from echelon.agents.call import Call
from echelon.agents.fingerprint.agent import fingerprint_of
from echelon.agents.outcome import Outcome
from echelon.contract.complaint import complaint
from echelon.coordination.accounts import expected_tokens, may_wrap_up
from echelon.coordination.boundary import Accepted, AskAgain, Boundary, Perform, accepted
from echelon.coordination.context import RunContext
from echelon.coordination.delivery import received_by
from echelon.coordination.envelope import concerns_of, deviation, error_report, one_line, status_of
from echelon.journal.failpoints import failpoint
from echelon.model.errors import AgentFailed, ContractViolation, JournalError
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.fallback import UsedFallback
from echelon.model.handoff import Handoff, UsedDependency
from echelon.model.run import StepKind, StepRecord
from echelon.model.status import Status
from echelon.resilience.guard import CallResult, Guard
from echelon.visibility.causes import cause_of
from echelon.visibility.progress import Happening, ProgressEvent


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step to be done."""

    key: str
    """Its identity (F8)."""
    phase: str
    task_id: str
    """The task; for an integration the node."""
    node: str
    """Who does it: an agent, or the coordinator that integrates."""
    domain: str
    """The node below the primary that it belongs to; empty when it reports to the primary."""
    path: tuple[str, ...]
    """Node ids from the primary down."""
    kind: StepKind
    agent: Agent
    contract: TypeAdapter[Any]
    contract_name: str
    call: Call
    guard: Guard
    dependencies: tuple[UsedDependency, ...] = field(default=())
    fallback: UsedFallback | None = None
    """Set when it stands in for another step that did not deliver (F2)."""
    tokens: int = 0
    """What it is expected to use; reserved before it is begun (F4)."""


_STARTED = {StepKind.TASK: Happening.TASK_STARTED, StepKind.INTEGRATION: Happening.INTEGRATION_STARTED}
_ENDED = {StepKind.TASK: Happening.TASK_ENDED, StepKind.INTEGRATION: Happening.INTEGRATION_ENDED}


async def perform(run: RunContext, step: Step) -> Handoff:
    """Do a step, unless an earlier process already did it, and return its handoff. Never raises for a failed agent.

    `JournalError` when the result cannot be written down: what is not durable must not be seen.
    """
    recall = run.recall(step.key, step.kind, step.task_id, step.contract_name, step.agent)
    if recall.known is not None:
        _tell(run, step, _ENDED, recall.known.handoff, reused=True)
        return recall.known.handoff
    if recall.renewed:
        await run.push(_renewed(run, step, recall.renewed))
    if recall.key != step.key:
        step = replace(step, key=recall.key)
    began: list[datetime] = []

    boundary = Boundary(
        contract=step.contract, producer=step.agent.name, flexible=step.guard.policy.contract == "flexible"
    )
    # Only a flexible boundary asks, and finding out who can be asked is slow.
    ask_again = _asking(step) if boundary.flexible else None

    def work() -> Awaitable[Outcome[Any]]:
        return run.carried_out(step.key, step.task_id, step.agent, step.call)

    async def attempt() -> Accepted:
        if not began:  # only now: before, it waited for room
            began.append(run.now())
            _tell(run, step, _STARTED)
        # Checked inside the guard: a bad result counts against the dependency like an error does.
        failpoint("step.begun")
        return await accepted(boundary, _contained(step, work), ask_again)

    guard = step.guard
    account = run.accounts.of(step.kind, step.task_id, step.node, guard.policy, guard.account)
    wrap_up = attempt if account is not None and account.keeps_back and may_wrap_up(step.kind, step.agent) else None
    tokens = expected_tokens(step.tokens, guard.policy) if step.tokens else 0
    verdict = await guard.call(attempt, tokens=tokens, account=account, wrap_up=wrap_up)
    failpoint("step.performed")
    handoff = _sealed(run, step, verdict)
    failpoint("step.sealed")
    await _write_down(run, step, handoff, began[0] if began else run.now())
    failpoint("step.recorded")
    _tell(run, step, _ENDED, handoff)
    return handoff


def _renewed(run: RunContext, step: Step, why: str) -> ExceptionReport:
    message = one_line(f"{step.task_id} was done before and is done again: {why}")
    return ExceptionReport(trigger=Trigger.RENEWED, level=Level.INFO, path=step.path, message=message, at=run.now())


def _contained(step: Step, perform: Perform) -> Perform:
    """Let the agent work; what it does to its own process or task is its failure, and stops nobody else."""

    async def contained() -> Outcome[Any]:
        try:
            return await perform()
        except SystemExit as leave:
            raise AgentFailed(f"{step.agent.name} wanted to end the process with exit code {leave.code}") from leave
        except asyncio.CancelledError as cancelled:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise AgentFailed(f"{step.agent.name} was cancelled by something inside of it") from cancelled

    return contained


def _asking(step: Step) -> AskAgain | None:
    """Return how the agent is asked once more; None for one that cannot be told what was wrong, or must not be (C5)."""
    agent = step.agent
    if not isinstance(agent, AsksAgain) or agent.effect == "irreversible":
        return None
    return lambda wrong: _contained(step, lambda: agent.perform_again(step.call, wrong))()


def _sealed(run: RunContext, step: Step, verdict: CallResult[Accepted]) -> Handoff:
    taken = verdict.value
    if verdict.error is not None or taken is None:
        missing = RuntimeError("the guard returned neither a value nor an error")
        return _failed(step, verdict, verdict.error or missing)
    try:
        return _completed(run, step, verdict, taken)
    except (ContractViolation, JournalError) as error:
        return _failed(step, verdict, error)
    except ValidationError as error:  # of the envelope: a confidence of 2, a concern that is none
        return _failed(step, verdict, ContractViolation(complaint(error, step.agent.name)))


def _completed(run: RunContext, step: Step, verdict: CallResult[Accepted], taken: Accepted) -> Handoff:
    outcome = taken.outcome
    return Handoff(
        task_id=step.task_id,
        status=Status.COMPLETED,
        summary=outcome.summary,
        output_location=run.outputs.put(run.run_id, step.key, taken.plain, step.contract_name),
        dependencies=step.dependencies,
        next_steps=outcome.next_steps,
        producer=step.node,
        assignment_id=step.call.brief.assignment.id,
        confidence=step.fallback.lowered(outcome.confidence) if step.fallback else outcome.confidence,
        usage=verdict.usage,
        concerns=outcome.concerns,
        attempts=verdict.attempts,
        repairs=taken.repairs,
        received=received_by(step.call),
        fallback=step.fallback,
        # An integration in the last call is whole: it takes what there is, and says what is missing.
        wrapped_up=verdict.wrapped_up and step.kind is StepKind.TASK,
    )


def _failed(step: Step, verdict: CallResult[Any], error: Exception) -> Handoff:
    # The dependency that is blamed: what fails together because of it is one incident (F6).
    report = error_report(error).model_copy(update={"dependency": step.guard.policy.breaker or ""})
    return Handoff(
        task_id=step.task_id,
        status=status_of(error),
        summary=one_line(f"{step.agent.name} did not deliver: {report.message}"),
        dependencies=step.dependencies,
        producer=step.node,
        assignment_id=step.call.brief.assignment.id,
        confidence=0.0,
        usage=verdict.usage,
        concerns=concerns_of(error),
        error=report,
        attempts=verdict.attempts,
        received=received_by(step.call),
        fallback=step.fallback,
    )


async def _write_down(run: RunContext, step: Step, handoff: Handoff, began: datetime) -> None:
    ended = run.now()
    record = StepRecord(
        run_id=run.run_id,
        key=step.key,
        phase=step.phase,
        node=step.node,
        kind=step.kind,
        started=began,
        finished=ended,
        handoff=handoff,
        code=fingerprint_of(step.agent),
    )
    news = deviation(handoff)
    # The first failure of a cause is told at once; the others are told by the incident at the sync point (F6).
    if news is None or (handoff.error is not None and not run.is_news(cause_of(handoff.error))):
        await run.record(record)
        return
    trigger, level, message = news
    await run.record(record, ExceptionReport(trigger=trigger, level=level, path=step.path, message=message, at=ended))


def _tell(
    run: RunContext,
    step: Step,
    happening: dict[StepKind, Happening],
    handoff: Handoff | None = None,
    *,
    reused: bool = False,
) -> None:
    if step.fallback is not None:
        return  # its task has been told to have ended; that it was replaced is told by who put it there
    run.observe(
        ProgressEvent(
            happening=happening[step.kind],
            phase=step.phase,
            node=step.task_id,
            domain=step.domain,
            at=run.elapsed(),
            status=handoff.status if handoff else None,
            reused=reused,
        )
    )
