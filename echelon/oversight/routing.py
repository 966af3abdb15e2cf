"""Where a concern goes: confidence × impact × reach × irreversibility, by tables (O1, O9, X13). Pure.

The two weights that its source stated decide; everything else can raise a route, never lower it. Who raised it counts
only by what became of its earlier concerns: rank, model and size do not.
"""

import re
from typing import NamedTuple

from echelon.model.concern import HIGH, ROUTES, Concern, Route
from echelon.model.phrasing import count
from echelon.oversight.reach import NOTHING_BEHIND, Reach

#: (so many steps behind it at least, work among them that cannot be undone) → from where on its impact counts as high;
#: the first row that fits. No row is above `HIGH`: none can lower a route.
HIGH_IMPACT_FROM: tuple[tuple[int, bool, float], ...] = (
    (20, True, 0.2),
    (0, True, 0.4),
    (20, False, 0.4),
    (5, False, 0.5),
    (0, False, HIGH),
)

#: A source is trusted when so many of its earlier concerns were decided, and this share of them was right: then its
#: confidence counts as high from here on.
TRUSTED_DECIDED, TRUSTED_SHARE, TRUSTED_CONFIDENCE = 5, 0.8, 0.4

#: Words that tone a sentence down: whoever uses them may mean more than they say.
HEDGES = (
    "maybe",
    "may be",
    "might",
    "could be",
    "perhaps",
    "possibly",
    "probably",
    "presumably",
    "not sure",
    "unsure",
    "not certain",
    "i wonder",
    "i think",
    "i guess",
    "i suspect",
    "seems",
)

#: Route → the next one up, for what is worded with doubt.
RAISED = {
    Route.PATTERN_LOG: Route.HUMAN_REVIEW,
    Route.NORMAL: Route.IMMEDIATE,
    Route.HUMAN_REVIEW: Route.IMMEDIATE,
    Route.IMMEDIATE: Route.IMMEDIATE,
}

_HEDGE = re.compile(rf"\b(?:{'|'.join(map(re.escape, HEDGES))})\b", re.IGNORECASE)


class TrackRecord(NamedTuple):
    """What became of earlier concerns of one source."""

    right: int = 0
    """Resolved or accepted; or dismissed, and that was taken back."""
    dismissed: int = 0
    """Dismissed."""

    @property
    def is_trusted(self) -> bool:
        """Was it right so often that less confidence will do?"""
        decided = self.right + self.dismissed
        return decided >= TRUSTED_DECIDED and self.right / decided >= TRUSTED_SHARE


#: The record of a source that has none.
NO_RECORD = TrackRecord()


class Routed(NamedTuple):
    """Where a concern goes, and what raised it above what its weights say."""

    route: Route
    reasons: tuple[str, ...] = ()


def route_of(concern: Concern, reach: Reach = NOTHING_BEHIND, record: TrackRecord = NO_RECORD) -> Routed:
    """Return where a concern goes, given what is behind its source and what became of that one's earlier concerns."""
    reasons: list[str] = []
    impact_is_high = concern.impact >= high_impact_from(reach)
    if impact_is_high and concern.impact < HIGH:
        reasons.append(_reached(reach))
    is_confident = concern.confidence >= HIGH
    if not is_confident and record.is_trusted and concern.confidence >= TRUSTED_CONFIDENCE:
        is_confident = True
        reasons.append(f"{record.right} of {record.right + record.dismissed} earlier concerns of its source were right")
    route = ROUTES[is_confident, impact_is_high]
    hedge = _HEDGE.search(concern.message) if impact_is_high or concern.confidence < HIGH else None
    if hedge is not None and RAISED[route] is not route:
        route = RAISED[route]
        reasons.append(f"it is toned down ({hedge[0].lower()!r})")
    return Routed(route, tuple(reasons))


def high_impact_from(reach: Reach) -> float:
    """Return from where on an impact counts as high."""
    rows = (
        limit
        for steps, irreversible, limit in HIGH_IMPACT_FROM
        if reach.steps >= steps and (reach.irreversible or not irreversible)
    )
    return next(rows)


def _reached(reach: Reach) -> str:
    if reach.irreversible:
        return "work that cannot be undone is behind it" + (
            f", and {count(reach.steps, 'step')}" if reach.steps else ""
        )
    return f"{count(reach.steps, 'step')} {'uses' if reach.steps == 1 else 'use'} what it comes from"
