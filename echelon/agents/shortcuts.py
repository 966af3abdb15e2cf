"""The shortcuts with which an agent states its policy: what `@agent`, `command` and `model_agent` share."""

from echelon.model.policy import Off, Resilience, Strictness
from echelon.model.usage import Budget


def shortcuts(
    more: Resilience | None = None,
    *,
    timeout: float | Off | None = None,
    idle: float | Off | None = None,
    attempts: int | None = None,
    breaker: str | Off | None = None,
    budget: Budget | Off | None = None,
    contract: Strictness | None = None,
) -> Resilience:
    """Return the policy that an agent states: its shortcuts, and `more` where these say nothing."""
    stated = Resilience(
        timeout_seconds=timeout,
        idle_seconds=idle,
        attempts=attempts,
        breaker=breaker,
        budget=budget,
        contract=contract,
    )
    return stated.over(more) if more else stated
