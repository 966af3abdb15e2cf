"""What an error blames: errors with one cause belong together (F6). Pure."""

from echelon.model.handoff import ErrorReport

#: Kinds that say that a dependency is not to be had, however it shows.
_UNAVAILABLE = frozenset({"BreakerOpen", "DependencyFailed", "AgentTimeout", "TimeoutError"})

#: What errors of logs that do not say what they wait for were waiting for, by their kind.
_AWAITED = {"QuotaExhausted": "quota of {0.dependency}", "BudgetExhausted": "a budget of a day or a month"}

#: Kinds that blame something all steps of the run share.
_SHARED = {
    "BudgetExhausted": "a budget is used up",
    "ApprovalPending": "waiting for a person",
    "EffectUncertain": "irreversible work was cut off",
}


def cause_of(error: ErrorReport) -> str:
    """Return a name for what an error blames that is equal for errors of one cause; empty when it blames nothing.

    A quota or budget that resets at a known time is waited for. A breaker that is open, a dependency that fails or does
    not answer, and whatever may pass are one cause a dependency. Other errors share one when kind and dependency are
    the same; without a dependency nothing is shared.
    """
    waited_for = awaited_by(error)
    if waited_for:
        return f"waiting for {waited_for}"
    if error.kind in _SHARED:
        return _SHARED[error.kind]
    if not error.dependency:
        return ""
    unavailable = error.kind in _UNAVAILABLE or error.can_pass
    return f"{error.dependency} is not available" if unavailable else f"{error.kind} at {error.dependency}"


def awaited_by(error: ErrorReport) -> str:
    """Return the quota or budget that an error says is used up until a known time; empty for all others (F10)."""
    if error.until is None:
        return ""
    return error.waits_for or _AWAITED.get(error.kind, "").format(error)
