"""What a model may use in one call, in the words of pydantic-ai; and how it wraps up when that is used up (F4)."""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, cast

from echelon.model.errors import AgentFailed, BudgetExhausted, EchelonError, InvalidJob
from echelon.model.usage import Budget

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelMessage
    from pydantic_ai.usage import RunUsage, UsageLimits

#: Requests of a last call when nobody bounds them: the answer, and one correction when it does not fit.
LANDING_REQUESTS = 2


def library(module: str) -> ModuleType:
    """Return a module of pydantic-ai; `InvalidJob` says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InvalidJob(
            f"models need pydantic-ai, which is not installed: pip install 'echelon[llm]' ({error})"
        ) from error


def limits(budget: Budget, *, final_call: bool = False, metered: bool = False) -> "UsageLimits":
    """Bound what one call may use; without a bound on calls pydantic-ai's own guards against endless loops.

    Where a meter bounds what is left before each request (`metered`), nothing else is bounded here.
    The last call has the requests that were kept back. Its tokens are bounded before it by `kept_tokens`, not here:
    here is behind the answer, and one that has been paid for is better than none.
    """
    kind: type[UsageLimits] = library("pydantic_ai.usage").UsageLimits
    if final_call:
        kept = None if budget.calls is None else budget.calls - (budget.usual.calls or 0)
        return kind(request_limit=LANDING_REQUESTS if kept is None else max(1, kept))
    usual = budget.usual
    if metered:
        return kind()
    requests = kind().request_limit if usual.calls is None else usual.calls
    return kind(request_limit=requests, total_tokens_limit=usual.tokens)


def kept_tokens(budget: Budget) -> int | None:
    """Return how many tokens are kept back for the final call, the most its answer may take; None: no bound."""
    if not budget.final_call or budget.tokens is None:
        return None
    return max(1, budget.tokens - (budget.usual.tokens or 0))


def exhausted(error: Exception, name: str, used: "RunUsage", budget: Budget) -> EchelonError:
    """Say which bound of its budget a model hit; pydantic-ai's own, against endless loops, is a failure."""
    usual = budget.usual
    rows = (("tokens", used.total_tokens, usual.tokens), ("calls", used.requests + 1, usual.calls))
    for what, wanted, bound in rows:
        if bound is not None and wanted > bound:
            return BudgetExhausted(what, wanted, bound, f"model {name!r}")
    return AgentFailed(f"model {name!r} came to no end: {error}")


def conversation(notes: Sequence[object]) -> "list[ModelMessage]":
    """Return what was said in the attempt that was cut off; calls of tools that were not answered are closed."""
    messages = list(cast("Sequence[ModelMessage]", notes[-1])) if notes else []
    return library("pydantic_ai.messages").repair_messages(messages) if messages else []
