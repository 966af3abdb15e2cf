"""How a step ends: its outcome, or its error, in an envelope (C1)."""

import asyncio
from typing import Any

from pydantic import ValidationError

from echelon.contract.complaint import complaint
from echelon.coordination.accounts import can_wrap_up
from echelon.coordination.context import RunContext
from echelon.coordination.phase_output import received_by
from echelon.coordination.step.boundary import Accepted
from echelon.coordination.step.envelope import (
    MAX_MESSAGE,
    concerns_of,
    error_report,
    one_line,
    shortened,
    status_of,
    without_secrets,
)
from echelon.coordination.step.step import Step
from echelon.model.errors import ContractViolation, JournalError, NotAccepted
from echelon.model.handoff import Handoff, OutputReference
from echelon.model.phrasing import printable
from echelon.model.run import StepKind
from echelon.model.status import Status
from echelon.redaction import redact
from echelon.resilience.guard import CallResult


async def seal(run: RunContext, step: Step, result: CallResult[Accepted]) -> Handoff:
    """Return the handoff of a step; its output is written, by reference, before."""
    taken = result.value
    if result.error is not None or taken is None:
        missing = RuntimeError("the guard returned neither a value nor an error")
        return _failed(step, result, result.error or missing)
    try:
        return _completed(step, result, taken, await keep_output(run, step.key, taken.plain, step.contract_name))
    except (ContractViolation, JournalError) as error:
        return _failed(step, result, error)
    except ValidationError as error:  # of the envelope: a confidence of 2, a concern that is none
        return _failed(step, result, ContractViolation(complaint(error, step.agent.name)))


async def keep_output(run: RunContext, key: str, plain: object, contract: str) -> OutputReference:
    """Write the output of a step, so that it is durable before its handoff is; files are flushed side by side."""
    reference = run.outputs.put(run.spec.run_id, key, plain, contract)
    if reference.content is None:
        await asyncio.to_thread(run.outputs.flush, reference)
    return reference


def _completed(step: Step, result: CallResult[Accepted], taken: Accepted, output: OutputReference) -> Handoff:
    outcome = taken.outcome
    return Handoff(
        task_id=step.task_id,
        status=Status.COMPLETED,
        summary=one_line(f"{outcome.summary} ({step.note})") if step.note else outcome.summary,
        output_location=output,
        dependencies=step.dependencies,
        next_steps=tuple(printable(redact(one)) for one in outcome.next_steps),
        producer=step.producer,
        assignment_id=step.call.brief.assignment.id,
        confidence=step.fallback.lowered(outcome.confidence) if step.fallback else outcome.confidence,
        usage=result.usage,
        concerns=without_secrets(outcome.concerns),
        attempts=result.attempts,
        repairs=taken.repairs,
        received=received_by(step.call),
        fallback=step.fallback,
        # A function that integrates does in the last call what it always does; a model writes down what it has.
        wrapped_up=result.wrapped_up and (step.kind is StepKind.TASK or can_wrap_up(step.agent)),
        shortfall=shortened(outcome.shortfall, MAX_MESSAGE),
        verification=taken.verification,
    )


def _failed(step: Step, result: CallResult[Any], error: Exception) -> Handoff:
    # The dependency that is blamed: what fails together because of it is one incident (F6).
    report = error_report(error)
    report = report.model_copy(update={"dependency": report.dependency or step.guard.policy.breaker or ""})
    return Handoff(
        task_id=step.task_id,
        status=status_of(error),
        summary=one_line(f"{step.agent.name} did not deliver: {report.message}"),
        dependencies=step.dependencies,
        producer=step.producer,
        assignment_id=step.call.brief.assignment.id,
        confidence=0.0,
        usage=result.usage,
        concerns=concerns_of(error),
        error=report,
        attempts=result.attempts,
        received=received_by(step.call),
        fallback=step.fallback,
        verification=error.verification if isinstance(error, NotAccepted) else None,
    )
