"""Comparing a run with the one before: what got better, what got worse, what is new, what is gone. Pure."""

from contracts.modules import Kind, RiskParts
from contracts.reports import AreaReport, AuditReport, Change, ChangeReport, Signal
from tasks.scoring import PART_WEIGHTS, risk_of

#: A change of risk smaller than this is noise.
THRESHOLD = 0.03


def compare(area: AreaReport, before: AuditReport | None) -> ChangeReport | None:
    """Compare the modules of today with the report of the last run; None when there was none."""
    if before is None:
        return None
    now = {row.path: row.parts for row in area.rows}
    changes = [_change(path, before.parts[path], now[path]) for path in sorted(now.keys() & before.parts.keys())]
    return ChangeReport(
        worse=tuple(sorted((one for one in changes if _delta(one) >= THRESHOLD), key=lambda one: -_delta(one))),
        better=tuple(sorted((one for one in changes if _delta(one) <= -THRESHOLD), key=_delta)),
        new=tuple(sorted(now.keys() - before.parts.keys())),
        gone=tuple(sorted(before.parts.keys() - now.keys())),
        new_signals=_without(area.signals, before.signals),
        ended_signals=_without(before.signals, area.signals),
    )


def _change(path: str, before: RiskParts, now: RiskParts) -> Change:
    def moved(kind: Kind) -> float:
        return PART_WEIGHTS[kind] * abs(getattr(now, kind) - getattr(before, kind))

    return Change(path=path, before=risk_of(before), now=risk_of(now), most=max(PART_WEIGHTS, key=moved))


def _delta(change: Change) -> float:
    return round(change.now - change.before, 4)


def _without(signals: tuple[Signal, ...], known: tuple[Signal, ...]) -> tuple[Signal, ...]:
    """Return the signals that are not among `known`; a line that moved is still the same finding."""
    left = [(signal.path, signal.evidence.text) for signal in known]
    found: list[Signal] = []
    for signal in signals:
        key = (signal.path, signal.evidence.text)
        if key in left:
            left.remove(key)
        else:
            found.append(signal)
    return tuple(found)
