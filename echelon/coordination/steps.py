"""One step: perform it once behind its guard, seal the result in an envelope, and write it down before it is seen."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.agents.outcome import Outcome
from echelon.coordination.context import RunContext
from echelon.coordination.envelope import checked, concerns_of, deviation, error_report, one_line, status_of
from echelon.model.errors import AgentFailed, ContractViolation, JournalError
from echelon.model.exception_report import ExceptionReport
from echelon.model.handoff import Handoff, UsedDependency
from echelon.model.run import StepKind, StepRecord
from echelon.model.status import Status
from echelon.resilience.guard import Guard, Verdict
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


_STARTED = {StepKind.TASK: Happening.TASK_STARTED, StepKind.INTEGRATION: Happening.INTEGRATION_STARTED}
_ENDED = {StepKind.TASK: Happening.TASK_ENDED, StepKind.INTEGRATION: Happening.INTEGRATION_ENDED}


async def perform(run: RunContext, step: Step) -> Handoff:
    """Do a step, unless an earlier process already did it, and return its handoff. Never raises for a failed agent.

    `JournalError` when the result cannot be written down: what is not durable must not be seen.
    """
    known = run.finished.get(step.key)
    if known is not None:
        _tell(run, step, _ENDED, known.handoff, reused=True)
        return known.handoff
    began: list[datetime] = []

    async def attempt() -> Outcome[Any]:
        if not began:  # only now: before, it waited for room
            began.append(run.now())
            _tell(run, step, _STARTED)
        # Checked inside the guard: a bad result counts against the dependency like an error does.
        return checked(await _contained(step), step.contract, step.agent.name)

    verdict = await step.guard.call(attempt)
    handoff = _sealed(run, step, verdict)
    await _write_down(run, step, handoff, began[0] if began else run.now())
    _tell(run, step, _ENDED, handoff)
    return handoff


async def _contained(step: Step) -> Outcome[Any]:
    """Let the agent work; what it does to its own process or task is its failure, and stops nobody else."""
    try:
        return await step.agent.perform(step.call)
    except SystemExit as leave:
        raise AgentFailed(f"{step.agent.name} wanted to end the process with exit code {leave.code}") from leave
    except asyncio.CancelledError as cancelled:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise AgentFailed(f"{step.agent.name} was cancelled by something inside of it") from cancelled


def _sealed(run: RunContext, step: Step, verdict: Verdict[Outcome[Any]]) -> Handoff:
    outcome = verdict.value
    if verdict.error is not None or outcome is None:
        missing = RuntimeError("the guard returned neither a value nor an error")
        return _failed(step, verdict, verdict.error or missing)
    try:
        return _completed(run, step, verdict, outcome)
    except (ContractViolation, JournalError) as error:
        return _failed(step, verdict, error)
    except (ValueError, TypeError) as error:  # of pydantic too: no JSON form, a confidence of 2
        return _failed(
            step, verdict, ContractViolation(f"what {step.agent.name} delivered cannot be recorded: {error}")
        )


def _completed(run: RunContext, step: Step, verdict: Verdict[Outcome[Any]], outcome: Outcome[Any]) -> Handoff:
    plain = step.contract.dump_python(outcome.output, mode="json")
    return Handoff(
        task_id=step.task_id,
        status=Status.COMPLETED,
        summary=outcome.summary,
        output_location=run.outputs.put(run.run_id, step.key, plain, step.contract_name),
        dependencies=step.dependencies,
        next_steps=outcome.next_steps,
        producer=step.node,
        assignment_id=step.call.brief.assignment.id,
        confidence=outcome.confidence,
        usage=verdict.usage,
        concerns=outcome.concerns,
        attempts=verdict.attempts,
    )


def _failed(step: Step, verdict: Verdict[Any], error: Exception) -> Handoff:
    report = error_report(error)
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
    )
    news = deviation(handoff)
    if news is None:
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
