"""What is left of standing budgets, in words and as a document (F10). Pure."""

from collections.abc import Iterator, Sequence

from echelon.model.adapter import JsonObject
from echelon.model.phrasing import count
from echelon.model.standing.claim import StandingBudget, WindowBooks


def window_documents(budgets: Sequence[StandingBudget], books: Sequence[WindowBooks]) -> list[JsonObject]:
    """Return each standing budget with its window and what was spent of it, by the names machines may rely on."""
    return [
        {
            "per": standing.window.per,
            "window": standing.window.name,
            "opens": standing.window.opens,
            "closes": standing.window.closes,
            "bounds": dict(standing.bounds),
            "spent": _amounts(standing, found, "spent"),
            "reserved": _amounts(standing, found, "reserved"),
            "left": dict(_left(standing, found)),
            "runs": found.runs,
            "unpriced_tokens": found.unpriced_tokens,
        }
        for standing, found in zip(budgets, books, strict=True)
    ]


def window_lines(budgets: Sequence[StandingBudget], books: Sequence[WindowBooks]) -> list[str]:
    """Say of each what is left: `2026-11-29, 3 runs: calls 5 of 7 spent, 2 left; until 2026-11-30 00:00 UTC`."""
    return [_line(standing, found) for standing, found in zip(budgets, books, strict=True)]


def _line(standing: StandingBudget, found: WindowBooks) -> str:
    left = dict(_left(standing, found))
    parts = [
        f"{what} {_plain(getattr(found.spent, what))} of {_plain(bound)} spent, {_plain(left[what])} left"
        for what, bound in standing.bounds.items()
    ]
    unseen = ""
    if "cost" in standing.bounds and found.unpriced_tokens:
        unseen = f"; {found.unpriced_tokens:,} tokens without a known price do not count"
    window = standing.window
    return f"{window.name}, {count(found.runs, 'run')}: {', '.join(parts)}; until {window.closing}{unseen}"


def _left(standing: StandingBudget, found: WindowBooks) -> Iterator[tuple[str, float]]:
    for what, bound in standing.bounds.items():
        yield what, max(0, bound - getattr(found.spent, what) - getattr(found.reserved, what))


def _amounts(standing: StandingBudget, found: WindowBooks, of: str) -> JsonObject:
    return {what: getattr(getattr(found, of), what) for what in standing.bounds}


def _plain(amount: float) -> str:
    """Write whole numbers as they are, and money with digits enough for what little a call may cost."""
    if isinstance(amount, int):
        return f"{amount:,}"
    return f"{amount:.2g}" if 0 < amount < 1 else f"{amount:,.2f}"
