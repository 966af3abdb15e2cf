"""Comparing a run with the one before: what got better, what got worse, what is new, what is gone. Pure."""

from collections.abc import Iterable

from contracts.modules import Kind, RiskParts
from contracts.reports import AreaReport, AuditReport, Change, ChangeReport, Signal
from tasks.baseline.tracking import Scope
from tasks.scoring import PART_WEIGHTS, risk_of

#: A change of risk smaller than this is noise.
THRESHOLD = 0.03


def compare(area: AreaReport, before: AuditReport | None, scope: Scope) -> ChangeReport | None:
    """Compare the modules of today with the report of the last run; None when there was none."""
    if before is None:
        return None
    now = {row.path: row.parts for row in area.rows}
    then = {scope.name_now(path): parts for path, parts in before.parts.items()}
    changes = [_change(path, then[path], now[path]) for path in sorted(now.keys() & then.keys())]
    return ChangeReport(
        worse=tuple(sorted((one for one in changes if _delta(one) >= THRESHOLD), key=lambda one: -_delta(one))),
        better=tuple(sorted((one for one in changes if _delta(one) <= -THRESHOLD), key=_delta)),
        new=tuple(sorted(now.keys() - then.keys())),
        gone=tuple(sorted(path for path in then if scope.is_gone(path))),
        moved={old: new for old, new in sorted(scope.moved.items()) if old in before.parts},
        not_looked_at=sum(1 for path in then if scope.why_standing(path)),
        new_signals=_without(area.signals, moved_signals(before, scope)),
        ended_signals=_without(
            (one for one in moved_signals(before, scope) if not scope.why_standing(one.path)), area.signals
        ),
    )


def standing_parts(before: AuditReport | None, scope: Scope) -> dict[str, RiskParts]:
    """Return what the last run said of modules that this one did not look at."""
    parts = {scope.name_now(path): parts for path, parts in before.parts.items()} if before else {}
    return {path: found for path, found in parts.items() if scope.why_standing(path)}


def standing_signals(before: AuditReport | None, scope: Scope) -> tuple[Signal, ...]:
    """Return critical findings of the last run in modules that this one did not look at."""
    return tuple(one for one in moved_signals(before, scope) if scope.why_standing(one.path)) if before else ()


def moved_signals(before: AuditReport, scope: Scope) -> tuple[Signal, ...]:
    """Return the critical findings of the last run, under the names that their modules have today."""
    return tuple(one.model_copy(update={"path": scope.name_now(one.path)}) for one in before.signals)


def _change(path: str, before: RiskParts, now: RiskParts) -> Change:
    def moved(kind: Kind) -> float:
        return PART_WEIGHTS[kind] * abs(getattr(now, kind) - getattr(before, kind))

    return Change(path=path, before=risk_of(before), now=risk_of(now), most=max(PART_WEIGHTS, key=moved))


def _delta(change: Change) -> float:
    return round(change.now - change.before, 4)


def _without(signals: Iterable[Signal], known: Iterable[Signal]) -> tuple[Signal, ...]:
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
