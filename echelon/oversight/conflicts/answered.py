"""Conflicts that a person decides, with the disposition of the concern about them (X9, O1). Pure."""

from collections.abc import Iterable, Mapping

from echelon.model.concern import ConcernRecord, Disposition
from echelon.model.conflicts.conflict import ConflictRecord, SettledConflict
from echelon.model.phrasing import listed

#: Sides that a refusal names.
NAMED = 5


def evidence_of(conflict: ConflictRecord) -> str:
    """Return how a concern about a conflict names it."""
    return f"{_prefix(conflict.id)} {conflict.conflict.subject}"


def is_about_conflict(record: ConcernRecord) -> bool:
    """Say whether a concern was raised by the owner of a conflict about it; what an agent raises never is."""
    return not record.step and any(one.startswith("conflict ") for one in record.concern.evidence)


def conflicts_about(record: ConcernRecord, conflicts: Mapping[str, ConflictRecord]) -> list[ConflictRecord]:
    """Return the conflicts that a concern is about, out of those of its run."""
    if not is_about_conflict(record):
        return []
    found = (one for one in conflicts.values() if one.owner == record.source)
    return [one for one in found if any(said.startswith(_prefix(one.id)) for said in record.concern.evidence)]


def why_not_settled(record: ConcernRecord, conflicts: Mapping[str, ConflictRecord], wanted: Disposition) -> str:
    """Say why a disposition cannot decide which side counts; empty where it can, or does not want to."""
    if not wanted.counts:
        return ""
    if wanted.verdict != "resolved":
        return f"--counts settles a conflict, so the concern is resolved: --as resolved, not {wanted.verdict}"
    about = conflicts_about(record, conflicts)
    if not about:
        return (
            f"concern {record.id!r} is not about a conflict, so there are no sides to choose from; leave out --counts"
        )
    for one in about:
        if one.conflict.side(wanted.counts) is None:
            sides = listed([side.name for side in one.conflict.sides], NAMED)
            return f"{wanted.counts!r} is no side of the conflict about {one.conflict.subject}; its sides are {sides}"
    return ""


def answer_to(conflict: ConflictRecord, concerns: Iterable[ConcernRecord]) -> SettledConflict | None:
    """Return what a person decided about an open conflict; None while nobody has."""
    if conflict.is_decided:
        return None
    for record in concerns:
        ended = record.disposition
        if ended is None or not ended.counts or not conflicts_about(record, {conflict.id: conflict}):
            continue
        side = conflict.conflict.side(ended.counts)
        if side is not None:
            return SettledConflict(chosen=side.name, by=ended.author, reason=ended.reason, at=ended.at)
    return None


def _prefix(conflict_id: str) -> str:
    return f"conflict {conflict_id}:"
