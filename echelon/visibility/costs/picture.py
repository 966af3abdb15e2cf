"""Draw where the time and the tokens of a run went: a stacked bar each, and a legend that is never cut."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from echelon.model.costs.account import CostAccount, CostKind
from echelon.model.phrasing import count, duration, percent
from echelon.visibility.costs.tables import SAID, shares_of
from echelon.visibility.svg import element, picture

WIDTH = 960.0
_LEFT, _BAR, _GAP, _ROW = 70.0, 26.0, 12.0, 20.0
#: Work is blue, waiting grey, coordination from dark to warm, what was in vain red.
_COLOURS: dict[CostKind, str] = {
    CostKind.WORK: "#7fa3bd",
    CostKind.LIMIT: "#c3ccd3",
    CostKind.ORCHESTRATION: "#23475c",
    CostKind.INTEGRATION: "#3d7f8c",
    CostKind.VERIFICATION: "#6b5b95",
    CostKind.READING: "#a99bc6",
    CostKind.COORDINATOR: "#d9a441",
    CostKind.PERSON: "#b5762a",
    CostKind.REWORK: "#b3261e",
    CostKind.UNKNOWN: "#8d8d8d",
}


def account_svg(account: CostAccount) -> str:
    """Draw an account; empty where nothing is in it."""
    bars = list(shares_of(account))
    if not bars:
        return ""
    kinds = [kind for kind in CostKind if any(kind is one for _, parts in bars for one, _ in parts)]
    top = len(bars) * (_BAR + _GAP) + 8
    body = [part for row, (name, parts) in enumerate(bars) for part in _bar(name, parts, row * (_BAR + _GAP))]
    body += [part for row, kind in enumerate(kinds) for part in _legend(account, kind, top + row * _ROW)]
    total = account.total
    spent = "tokens not known" if total.tokens is None else count(total.tokens, "token")
    description = f"{duration(total.seconds)} of agents and coordinators, {spent}"
    return picture("Where time and tokens went", description, WIDTH, top + len(kinds) * _ROW + 6, body)


def _bar(name: str, parts: Sequence[tuple[CostKind, float]], y: float) -> Iterator[Markup]:
    whole = sum(amount for _, amount in parts)
    x, scale = _LEFT, (WIDTH - _LEFT) / whole
    yield element("text", name, x=0, y=y + _BAR * 0.68, font_size=12, fill="currentColor")
    for kind, amount in parts:
        title = f"{SAID[kind]}: {percent(amount / whole, 1)} of {name}"
        yield element("rect", element("title", title), x=x, y=y, width=amount * scale, height=_BAR, fill=_COLOURS[kind])
        x += amount * scale


def _legend(account: CostAccount, kind: CostKind, y: float) -> Iterator[Markup]:
    used, total = account.of(kind), account.total
    parts = [f"{duration(used.seconds)} ({percent(used.seconds / total.seconds)})"] if used.seconds else []
    if used.tokens is not None:
        share = f" ({percent(used.tokens / total.tokens)})" if total.tokens else ""
        parts.append(f"{count(used.tokens, 'token')}{share}")
    if used.unreported:
        parts.append(f"tokens of {count(used.unreported, 'step')} not known")
    yield element("rect", x=_LEFT, y=y, width=14, height=12, rx=2.0, fill=_COLOURS[kind])
    said = f"{SAID[kind]}: {', '.join(parts) or 'nothing'}"
    yield element("text", said, x=_LEFT + 22, y=y + 10.5, font_size=12, fill="currentColor")
