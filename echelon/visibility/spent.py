"""What a run used, in words: tokens, calls and money, in all and by phase and model (F4)."""

from echelon.model.costs.measures import Measures, Spent
from echelon.model.phrasing import count
from echelon.model.usage import Usage


def total_line(found: Measures, currency: str | None = None) -> str:
    """Return what all steps used; empty where nothing was reported."""
    if found.tokens is None and found.cost is None:
        return ""
    tokens = "tokens not known" if found.tokens is None else f"{found.tokens:,} tokens"
    return f"{tokens}, {total_cost(found, currency)}"


def total_cost(found: Measures, currency: str | None = None) -> str:
    """Return what all steps cost, and that it is only a part where something has no price."""
    unpriced = found.cost is not None and any(one.usage.cost is None for one in found.spent)
    return f"{money(found.cost, currency)}{', and what has no price' if unpriced else ''}"


def spent_line(spent: Spent, currency: str | None = None) -> str:
    """Return what one phase used with one model: `inspect, gpt-5: 31,500 tokens (…), 30 calls, 0.10 USD`."""
    usage = spent.usage
    who = ", ".join(filter(None, (spent.phase, spent.model or "without a model")))
    return f"{who}: {_tokens(usage)}, {count(usage.calls, 'call')}, {money(usage.cost, currency)}"


def money(cost: float | None, currency: str | None = None) -> str:
    """Return an amount of money, with digits enough for what little a call may cost; unknown is never zero."""
    if cost is None:
        return "cost not known"
    digits = f"{cost:,.2f}" if cost == 0 or cost >= 1 else f"{cost:.2g}"
    return f"{digits} {currency}" if currency else f"cost {digits}"


def _tokens(usage: Usage) -> str:
    if usage.tokens is None:
        return "tokens not known"
    return f"{usage.tokens:,} tokens ({usage.tokens_in or 0:,} read, {usage.tokens_out or 0:,} written)"
