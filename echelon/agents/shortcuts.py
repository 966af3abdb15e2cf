"""The shortcuts with which an agent states its policy: what `@agent`, `command` and `model_agent` share."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

from echelon.agents.agent import Effect
from echelon.agents.checks.criterion import Criterion
from echelon.agents.fallback import Fallbacks
from echelon.model.policy import Off, Resilience, Strictness
from echelon.model.usage import Budget


class IntegratorOptions(TypedDict, total=False):
    """What any function may be told about itself."""

    name: str | None
    """What it is called in plans and reports; its own name unless stated."""
    timeout: float | Off | None
    """Seconds for one attempt."""
    attempts: int | None
    """Calls made at most, the first included."""
    contract: Strictness | None
    """Is an output that does not fit refused, or repaired (C5)?"""


class AgentOptions(IntegratorOptions, total=False):
    """What every kind of agent may be told, beside what is its own."""

    goal: str | None
    """What it achieves, in one sentence (D7)."""
    effect: Effect
    """What it does to the world outside."""
    idle: float | Off | None
    """Seconds an attempt may be silent (F4)."""
    breaker: str | Off | None
    """The dependency that it calls (F1)."""
    budget: Budget | Off | None
    """What one task may use (F4)."""
    resilience: Resilience | None
    """More about how it is guarded, where the others do not say it."""
    fallback: Fallbacks | None
    """What stands in when it finally does not deliver (F2)."""
    success: Sequence[Criterion]
    """What must be true of its results, in every phase that it works in (D11)."""
    preview: Callable[..., object] | None
    """Says what it would do, to whoever decides whether it may; parameters as those of agents (O5)."""
    ready: Callable[..., object] | None
    """Says whether it is ready for what cannot be undone: True, False, or why not (O5)."""


class ReaderOptions(AgentOptions, total=False):
    """What may be told those that get a brief as text: models and commands."""

    by_value_tokens: int | Off | None
    """Tokens of earlier outputs that stand in it, whole outputs only; False: none (C6)."""


def check_known(options: Mapping[str, object], known: type[AgentOptions] | type[IntegratorOptions], door: str) -> None:
    """Refuse a keyword that `door` does not know, as Python does; a dictionary of options takes any."""
    unknown = [name for name in options if name not in known.__annotations__]
    if unknown:
        raise TypeError(f"{door}() got an unexpected keyword argument {unknown[0]!r}")


def shortcuts(options: AgentOptions | IntegratorOptions) -> Resilience:
    """Return the policy that an agent states: its shortcuts, and `resilience` where these say nothing."""
    stated = Resilience(
        timeout_seconds=options.get("timeout"),
        idle_seconds=options.get("idle"),
        attempts=options.get("attempts"),
        breaker=options.get("breaker"),
        budget=options.get("budget"),
        contract=options.get("contract"),
    )
    more = options.get("resilience")
    return stated.over(more) if more else stated


def reader_shortcuts(options: ReaderOptions) -> Resilience:
    """Return the policy that a model or a command states."""
    return Resilience(by_value_tokens=options.get("by_value_tokens")).over(shortcuts(options))
