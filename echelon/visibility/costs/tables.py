"""The account of a run, and how its measures stand, as rows of text: for the command line and the report (M)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from echelon.model.costs.account import Cost, CostAccount, CostDimension, CostKind
from echelon.model.costs.graded import GradedMeasure
from echelon.model.costs.measures import SuccessShares
from echelon.model.phrasing import duration, percent
from echelon.visibility.spent import money

#: How kinds are said.
SAID: Mapping[CostKind, str] = {kind: kind.value.replace("_", " ") for kind in CostKind} | {
    CostKind.REWORK: "work done again",
    CostKind.READING: "reading handoffs",
}

#: What the rows of a table by something are called where they belong to none.
NONE_OF_THEM = "(none)"


class MeasureLine(NamedTuple):
    """One measure."""

    rule: str
    name: str
    measured: str
    target: str
    band: str
    note: str


class CostLine(NamedTuple):
    """What one thing took."""

    name: str
    seconds: str
    time_share: str
    tokens: str
    token_share: str
    cost: str


def measure_lines(graded: Iterable[GradedMeasure]) -> list[MeasureLine]:
    """Return how the measures stand; `ok` that is not on target says so."""
    return [MeasureLine(one.id, one.name, measured(one), one.target, _band(one), one.note) for one in graded]


def measured(one: GradedMeasure) -> str:
    """Return what was measured, with its unit; what is not known is said to be so."""
    if one.value is None:
        return "not known"
    if one.unit == "share":
        return percent(one.value, 1)
    return f"{one.value:.2f} ×" if one.unit == "times" else f"{one.value:+.1f}"


def _band(one: GradedMeasure) -> str:
    return "ok, off target" if one.band == "ok" and not one.on_target else one.band


def account_lines(account: CostAccount, currency: str | None = None) -> list[CostLine]:
    """Return what everything in an account was for, and the total."""
    total = account.total
    named = [(SAID[kind], used) for kind, used in account.by_kind().items()]
    return [_line(name, used, total, currency) for name, used in (*named, ("total", total))]


def group_lines(account: CostAccount, dimension: CostDimension, currency: str | None = None) -> list[CostLine]:
    """Return an account by level, phase, domain, worker, model or kind: of each its total, and of that coordination."""
    total = account.total
    return [
        line
        for group in account.by(dimension)
        for line in (
            _line(group.name or NONE_OF_THEM, group.total, total, currency),
            *(
                [_line("  of it coordination", group.coordination, total, currency)]
                if group.coordination.seconds
                else ()
            ),
        )
    ]


def _line(name: str, used: Cost, total: Cost, currency: str | None) -> CostLine:
    known = "" if used.tokens is None else f"{used.tokens:,}"
    unknown = f"{used.unreported:,} not known" if used.unreported else ""
    return CostLine(
        name=name,
        seconds=duration(used.seconds) if used.seconds else "–",
        time_share=percent(used.seconds / total.seconds) if total.seconds and used.seconds else "",
        tokens=" + ".join(filter(None, (known, unknown))),
        token_share=percent(used.tokens / total.tokens) if used.tokens and total.tokens else "",
        cost="" if used.cost is None else money(used.cost, currency).removeprefix("cost "),
    )


def success_line(found: SuccessShares | None) -> str:
    """Say how many tasks succeeded, alone and with what they rest on; empty where there are none."""
    if found is None:
        return ""
    shares = (found.alone, found.direct, found.transitive)
    alone, direct, transitive = (percent(share, 1) for share in shares)
    return f"{alone} alone, {direct} with what they use, {transitive} with all that they rest on"


def shares_of(account: CostAccount) -> Iterator[tuple[str, Sequence[tuple[CostKind, float]]]]:
    """Yield what each bar of a picture is made of: seconds, then tokens, where there are any."""
    kinds = account.by_kind()
    seconds = [(kind, used.seconds) for kind, used in kinds.items() if used.seconds]
    tokens = [(kind, float(used.tokens)) for kind, used in kinds.items() if used.tokens]
    if seconds:
        yield "time", seconds
    if tokens:
        yield "tokens", tokens
