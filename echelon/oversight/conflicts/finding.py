"""Outputs that say different things about one subject, and the nearest coordinator that they all report to (X9). Pure.

Claims are compared field by field: an output that says nothing of a field contradicts nobody there.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from echelon.contract.claims import FieldClaim
from echelon.model.conflicts.conflict import MAX_SAID, Conflict, Side
from echelon.model.phrasing import truncate
from echelon.model.plan import Node, Plan


class Statement(NamedTuple):
    """What one output claims."""

    task_id: str
    producer: str
    version: str
    confidence: float
    claims: Sequence[FieldClaim]
    overruled: Collection[str] = ()
    """Subjects about which it does not count any more."""


def find_conflicts(phase: str, statements: Sequence[Statement]) -> tuple[Conflict, ...]:
    """Return what outputs say different things about, in the order in which it is said first."""
    by_subject: dict[tuple[str, str], dict[int, dict[str, FieldClaim]]] = {}
    for place, one in enumerate(statements):
        for claim in one.claims:
            if claim.subject not in one.overruled:
                by_subject.setdefault((claim.subject, claim.of), {}).setdefault(place, {})[claim.field] = claim
    found = (_conflict(phase, subject, said, statements) for (subject, _), said in by_subject.items() if len(said) > 1)
    return tuple(one for one in found if one is not None)


def _conflict(
    phase: str, subject: str, said: dict[int, dict[str, FieldClaim]], statements: Sequence[Statement]
) -> Conflict | None:
    differing = _differing(said.values())
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, claims in said.items():
        told = tuple(claims[path].digest if path in claims else "" for path in differing)
        if any(told):
            groups.setdefault(told, []).append(place)
    if len(groups) < 2:
        return None
    sides = (_side(places, said[places[0]], differing, statements) for places in groups.values())
    return Conflict(phase=phase, subject=subject, sides=tuple(sides))


def _differing(said: Iterable[dict[str, FieldClaim]]) -> list[str]:
    """Return the fields about which not everybody who says something says the same."""
    digests: dict[str, set[str]] = {}
    for claims in said:
        for path, claim in claims.items():
            digests.setdefault(path, set()).add(claim.digest)
    return [path for path, different in digests.items() if len(different) > 1]


def _side(
    places: Sequence[int], claims: dict[str, FieldClaim], differing: Sequence[str], statements: Sequence[Statement]
) -> Side:
    first = statements[places[0]]
    return Side(
        task_id=first.task_id,
        producer=first.producer,
        version=first.version,
        confidence=first.confidence,
        says={path: bounded(claims[path].said) for path in differing if path in claims},
        agrees=tuple(statements[place].task_id for place in places[1:]),
    )


def bounded(said: object) -> object:
    """Return what is said as JSON; what is too long as a text, cut."""
    text = said if isinstance(said, str) else json.dumps(said)
    return said if len(text) <= MAX_SAID else truncate(text, MAX_SAID)


def nearest_owner(plan: Plan, producers: Iterable[str]) -> Node:
    """Return the lowest coordinator that all producers report to: who decides between them (X9)."""
    paths = [plan.path(one)[:-1] or plan.path(one) for one in dict.fromkeys(producers) if one in plan.nodes]
    common = plan.primary.id
    for level in zip(*paths, strict=False):
        if len(set(level)) > 1:
            break
        common = level[0]
    return plan.nodes[common]
