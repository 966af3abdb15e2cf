"""How every call ends: as a handoff that says what came of it, whatever happened (C1). Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime

from echelon.contract.complaint import legible, said_of
from echelon.model.concern import Concern
from echelon.model.errors import (
    AgentBlocked,
    AgentFailed,
    AgentTimeout,
    ApprovalPending,
    BreakerOpen,
    BudgetExhausted,
    BulkheadFull,
    ContractViolation,
    EchelonError,
    EffectUncertain,
    QuotaExhausted,
    ReplicaStopped,
)
from echelon.model.exception_report import Level, Trigger
from echelon.model.handoff import WRAPPED_UP, ErrorReport, Handoff
from echelon.model.phrasing import truncate
from echelon.model.status import Status
from echelon.redaction import redact
from echelon.resilience.errors import can_pass

#: Longest summary, in characters: briefs carry it to everybody who comes later (X8).
MAX_SUMMARY = 200

#: How much of an error is told, in characters: its beginning.
MAX_MESSAGE = 4000

#: Errors that mean "not now" instead of "not at all".
_BLOCKING = (AgentBlocked, ApprovalPending, BreakerOpen, BulkheadFull, EffectUncertain, QuotaExhausted)

#: What a person can do about an error, by its class; the first that fits is told.
_NEXT_STEPS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (ContractViolation, "make the agent return what its contract says, or change the contract"),
    (BudgetExhausted, "raise the budget, or give the job less to do"),
    (BreakerOpen, "see why the dependency fails; the run can be resumed when it answers again"),
    (QuotaExhausted, "resume the run when the quota has reset, or let it wait: echelon resume RUN --wait"),
    (BulkheadFull, "resume the run when fewer wait, or allow a longer queue"),
    ((AgentTimeout, TimeoutError), "give it more time, or split the task"),
)


def one_line(text: str, limit: int = MAX_SUMMARY) -> str:
    """Return the first line that says something, shortened to `limit` characters; empty when none does."""
    return shortened(next((line.strip() for line in text.splitlines() if line.strip()), ""), limit)


def shortened(text: str, limit: int) -> str:
    """Return a text that can be recorded and shown: not too long, without secrets, half or control characters."""
    return "\n".join(map(legible, truncate(redact(text), limit).splitlines()))


def status_of(error: Exception) -> Status:
    """Return the status that an error ends a step with."""
    return Status.BLOCKED if isinstance(error, _BLOCKING) or _until(error) is not None else Status.FAILED


def error_report(error: Exception) -> ErrorReport:
    """Say what went wrong, whether it can pass, and what to do."""
    said = said_of(error)
    message = said if isinstance(error, EchelonError) else f"{type(error).__name__}: {said}"
    quota = error if isinstance(error, QuotaExhausted) else None
    return ErrorReport(
        kind=type(error).__name__,
        message=shortened(message, MAX_MESSAGE),
        can_pass=_until(error) is not None or can_pass(error),
        next_step=_next_step(error),
        dependency=quota.dependency if quota else "",
        until=_until(error),
        waits_for=error.waits_for if isinstance(error, EchelonError) else "",
    )


def _until(error: Exception) -> datetime | None:
    until = error.until if isinstance(error, EchelonError) else None
    return until and until.astimezone(UTC)


def _next_step(error: Exception) -> str:
    known = error.next_step if isinstance(error, EchelonError) else ""
    return known or next((advice for kind, advice in _NEXT_STEPS if isinstance(error, kind)), "")


def concerns_of(error: Exception) -> tuple[Concern, ...]:
    """Return the concerns that a failing agent wanted on record."""
    return without_secrets(error.concerns) if isinstance(error, AgentFailed) else ()


def without_secrets(concerns: Iterable[Concern]) -> tuple[Concern, ...]:
    """Return concerns as they are put on record."""
    return tuple(
        one.model_copy(
            update={
                "about": redact(one.about),
                "message": redact(one.message),
                "evidence": tuple(map(redact, one.evidence)),
            }
        )
        for one in concerns
    )


def deviation(handoff: Handoff, replica: int = 0) -> tuple[Trigger, Level, str] | None:
    """Say what is worth pushing about a handoff; None for no news (V1).

    A replica that fails is no loss as long as others deliver, and one that is stopped is no news (F9).
    """
    if handoff.error is not None and replica:
        stopped = handoff.error.kind == ReplicaStopped.__name__
        return None if stopped else (Trigger.FAILED, Level.INFO, f"replica {replica}: {handoff.error.message}")
    if handoff.error is not None:
        trigger = Trigger.BLOCKED if handoff.status is Status.BLOCKED else Trigger.FAILED
        return trigger, Level.WARNING, handoff.error.message
    if handoff.wrapped_up:
        return Trigger.RESOURCE, Level.WARNING, WRAPPED_UP
    if handoff.shortfall:
        return Trigger.PARTIAL, Level.WARNING, f"not all of the work: {handoff.shortfall}"
    if handoff.attempts > 1:
        return Trigger.RETRIED, Level.INFO, f"needed {handoff.attempts} attempts"
    return None
