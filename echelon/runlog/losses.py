"""What a step that did not deliver means to those who count on it (F2, F7). Pure."""

from echelon.model.errors import AgentFailed, ApprovalDenied
from echelon.model.handoff import WRAPPED_UP, Handoff, Missing
from echelon.model.run import StepRecord

#: Errors that say what helps, where resuming the run would end in the same: a person said no, or an agent says so.
_HELPED_OTHERWISE = (ApprovalDenied.__name__, AgentFailed.__name__)


def missing_of(handoff: Handoff) -> Missing:
    """Say what a handoff that failed, is blocked or falls short means to its consumers."""
    used, error = handoff.fallback, handoff.error
    if handoff.wrapped_up:
        return Missing(task_id=handoff.task_id, producer=handoff.producer, reason=WRAPPED_UP, instead=handoff.summary)
    if handoff.done and handoff.shortfall and used is None:
        lacks = handoff.shortfall
        return Missing(task_id=handoff.task_id, producer=handoff.producer, reason=lacks, instead=handoff.summary)
    if handoff.unverified and not (used and used.replaces):
        instead = handoff.summary
        return Missing(task_id=handoff.task_id, producer=handoff.producer, reason=handoff.unverified, instead=instead)
    assert error or used, "the envelope guarantees an error where there is no output"
    reason, instead = (used.reason, used.said) if used else (error.message if error else "", "")
    if used and not handoff.done:
        became = "is asked about" if handoff.waits_for_person else "failed too"
        reason, instead = f"{used.reason}; {used.said} {became}: {error.message if error else ''}", ""
    return Missing(
        task_id=handoff.task_id,
        producer=handoff.producer,
        reason=reason,
        instead=instead,
        asks=error.asks if error else "",
        over_limit=error is not None and (error.over_limit or handoff.stopped_by == "budget"),
        until=error.until if error else None,
        next_step=error.next_step if error and error.kind in _HELPED_OTHERWISE else "",
        follows=bool(error and error.causes),
    )


def stand_in(handoff: Handoff) -> str:
    """Say what is there instead of the work itself, of a handoff that falls short of it."""
    if handoff.fallback is not None:
        return handoff.fallback.said
    return "what it had when its budget was used up" if handoff.wrapped_up else f"a part of it: {handoff.shortfall}"


def is_lost(handoff: Handoff) -> bool:
    """Say whether a handoff is not the whole work itself, whether something stands in for it or not."""
    return not handoff.done or handoff.falls_short


def has_delivered(step: StepRecord) -> bool:
    """Say whether a step delivered an output that counts: a round that is still to be checked has not (X12)."""
    return step.handoff.done and not step.interim


def unchecked(step: StepRecord) -> Missing:
    """Say what a round that is not checked yet means: nobody knows whether it passes."""
    handoff = step.handoff
    return Missing(task_id=handoff.task_id, producer=handoff.producer, reason=f"round {step.round} is not checked yet")
