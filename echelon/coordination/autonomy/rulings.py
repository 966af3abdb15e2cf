"""Verdicts on results that no check of theirs gave: an owner decided between them, or an audit looked (X9, O4). Pure.

A verdict of whoever accepts whatever it is given counts for nobody (O3).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from echelon.model.audit.audit import AuditRecord
from echelon.model.conflicts.conflict import ConflictRecord, Side
from echelon.runlog.judging.exposure import exposed_in
from echelon.runlog.state import RunState


class ResultName(NamedTuple):
    """One result: other work on the same task is another."""

    task_id: str
    version: str


class Rulings(NamedTuple):
    """What is known of results."""

    lost: frozenset[ResultName] = frozenset()
    """Another one counts instead, as its owner decided: that overrides every acceptance."""
    chosen: frozenset[ResultName] = frozenset()
    """It counts, as its owner decided."""
    audited: Mapping[ResultName, bool] = {}
    """Integrations that were audited: is it right?"""

    def of(self, result: ResultName, checked: bool | None = None) -> bool | None:
        """Say whether a result is right, given what its checks say; None where nobody knows."""
        if result in self.lost:
            return False
        known = self.audited.get(result, checked)
        return True if known is None and result in self.chosen else known


def rulings_of(state: RunState) -> Rulings:
    """Return what owners decided, and what audits found, in a run."""
    exposed = exposed_in(state.probes)
    lost, chosen = set[ResultName](), set[ResultName]()
    for record in state.conflicts.values():
        if record.settled is None or not record.settled.is_decided or record.settled.by in exposed:
            continue
        for side in record.lost:
            lost.update(_results(record, side))
        counts = record.conflict.side(record.settled.chosen)
        if counts is not None and not counts.round:  # a round that went back and forth never passed its check (X5)
            chosen.update(_results(record, counts))
    audited: dict[ResultName, bool] = {}
    for audit in state.audits.values():
        right = _is_right(audit, exposed)
        if right is not None:
            name = ResultName(audit.task_id, audit.version)
            audited[name] = audited.get(name, True) and right
    return Rulings(frozenset(lost), frozenset(chosen), audited)


def _results(record: ConflictRecord, side: Side) -> Iterator[ResultName]:
    return (ResultName(task, version) for task, version in record.results(side).items())


def _is_right(audit: AuditRecord, exposed: Mapping[str, str]) -> bool | None:
    if audit.verdict not in ("accepted", "rejected") or any(one in exposed for one in audit.by):
        return None
    return audit.verdict == "accepted"
