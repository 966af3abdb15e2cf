"""The shortcuts with which an agent states its policy: what `@agent`, `command` and `model_agent` share."""

from typing import TypedDict, Unpack

from echelon.model.policy import Off, Resilience, Strictness
from echelon.model.usage import Budget


class Shortcuts(TypedDict, total=False):
    """How calls of an agent are guarded; False switches off what the job or the phase states."""

    timeout: float | Off | None
    """Seconds for one attempt."""
    idle: float | Off | None
    """Seconds without a sign of life: a `heartbeat()`, or output of a command."""
    attempts: int | None
    """Attempts, the first one included."""
    breaker: str | Off | None
    """The dependency that it calls."""
    budget: Budget | Off | None
    """What one task may use (F4)."""
    contract: Strictness | None
    """`flexible` repairs an output that does not fit, where that takes no guess (C5)."""
    resilience: Resilience | None
    """Says more, where the others say nothing."""


def shortcuts(**stated: Unpack[Shortcuts]) -> Resilience:
    """Return the policy that an agent states; `TypeError` for an option that there is not."""
    unknown = sorted(stated.keys() - Shortcuts.__annotations__.keys())
    if unknown:
        raise TypeError(f"there is no option {unknown[0]!r}; the options are: {', '.join(Shortcuts.__annotations__)}")
    own = Resilience(
        timeout_seconds=stated.get("timeout"),
        idle_seconds=stated.get("idle"),
        attempts=stated.get("attempts"),
        breaker=stated.get("breaker"),
        budget=stated.get("budget"),
        contract=stated.get("contract"),
    )
    more = stated.get("resilience")
    return own.over(more) if more else own
