"""What an error blames: errors with one cause belong together (F6). Pure."""

from echelon.model.handoff import ErrorReport

#: Kinds that say that a dependency is not to be had, however it shows.
_UNAVAILABLE = frozenset({"BreakerOpen", "DependencyFailed", "AgentTimeout", "TimeoutError"})

#: Kinds that blame something all steps of the run share.
_SHARED = {
    "BudgetExhausted": "a budget is used up",
    "EffectUncertain": "irreversible work was cut off",
}


def cause_of(error: ErrorReport) -> str:
    """Return a name for what an error blames that is equal for errors of one cause; empty when it blames nothing.

    A breaker that is open, a dependency that fails or does not answer, and whatever may pass are one cause a
    dependency. Other errors share one when kind and dependency are the same; without a dependency nothing is shared.
    """
    if error.kind in _SHARED:
        return _SHARED[error.kind]
    if not error.dependency:
        return ""
    unavailable = error.kind in _UNAVAILABLE or error.can_pass
    return f"{error.dependency} is not available" if unavailable else f"{error.kind} at {error.dependency}"
