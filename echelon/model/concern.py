"""A concern and its way: who raised it, how sure, how bad, and how it was disposed of (O1).

Concerns are never deleted; a disposition with an author and a reason is the only end, and it is kept.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from echelon.model.base import Value
from echelon.model.phrasing import printable

#: From here on a confidence, or an impact, counts as high (O1). Between two words there is no third.
HIGH = 0.6


class Route(StrEnum):
    """Where a concern goes."""

    IMMEDIATE = "immediate"  #: high confidence, high impact: act now
    NORMAL = "normal"  #: high confidence, low impact: handled with the work
    HUMAN_REVIEW = "human_review"  #: low confidence, high impact: a person looks, always
    PATTERN_LOG = "pattern_log"  #: low confidence, low impact: kept to find patterns


#: (confidence is high, impact is high) → route.
ROUTES: dict[tuple[bool, bool], Route] = {
    (True, True): Route.IMMEDIATE,
    (True, False): Route.NORMAL,
    (False, True): Route.HUMAN_REVIEW,
    (False, False): Route.PATTERN_LOG,
}


def _escaped(text: object) -> object:
    return printable(text) if isinstance(text, str) else text


#: A text in which half and control characters are written out: refused, they would take the concern with them (O1).
Escaped = Annotated[str, BeforeValidator(_escaped)]


class Concern(Value):
    """Something that an agent thinks somebody should know."""

    about: Escaped = Field(min_length=1)
    """What it is about: a file, a task, an output, a decision."""
    message: Escaped = Field(min_length=1)
    """What the matter is, in one sentence."""
    confidence: float = Field(ge=0, le=1)
    """How sure the source is, 0 to 1."""
    impact: float = Field(ge=0, le=1)
    """How bad it is if true, 0 to 1."""
    evidence: tuple[Escaped, ...] = ()
    """What it rests on: messages, references, measurements."""

    @property
    def route(self) -> Route:
        """Where the concern goes, by confidence and impact (O1)."""
        return ROUTES[self.confidence >= HIGH, self.impact >= HIGH]


class Disposition(Value):
    """The end of a concern: who decided what, and why."""

    verdict: Literal["resolved", "accepted", "dismissed"]
    """Resolved: the cause is gone. Accepted: true, and lived with. Dismissed: not true."""
    author: str = Field(min_length=1)
    """Who decided."""
    reason: str = Field(min_length=1)
    """Why."""
    at: datetime
    """When, in UTC."""


class ConcernRecord(Value):
    """A concern on record: what was raised, by whom and when, and what became of it."""

    id: str
    """Unique within the journal."""
    run_id: str
    """The run it was raised in."""
    source: str
    """Node or agent that raised it."""
    step: str = ""
    """Key of the step that raised it; empty for a person's."""
    concern: Concern
    """What was raised."""
    at: datetime
    """When it was raised, in UTC."""
    disposition: Disposition | None = None
    """What ended it; None while it is open."""
