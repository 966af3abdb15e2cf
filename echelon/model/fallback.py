"""What stood in for work that was not delivered (F2): which fallback, why, and how far it can be trusted."""

from datetime import datetime
from enum import StrEnum

from echelon.model.base import Value


class FallbackKind(StrEnum):
    """What can stand in for work that was not delivered."""

    AGENT = "agent"  #: another agent or model does the task
    LAST_GOOD = "last_good"  #: the output of an earlier run on the same inputs
    DEFAULT = "default"  #: a value that was stated beforehand
    OLDER_INPUTS = "older_inputs"  #: what it delivered itself, from older inputs; it cannot be undone (F8)
    SKIP = "skip"  #: nothing; the note says why that can be lived with


#: Factor on the confidence of what stands in. X6 acts above 0.70 and asks below 0.60: another agent's sure answer is
#: acted on, an old one is asked about, and nobody ever looked at a default.
TRUST: dict[FallbackKind, float] = {
    FallbackKind.AGENT: 0.8,
    FallbackKind.LAST_GOOD: 0.5,
    FallbackKind.OLDER_INPUTS: 0.5,
    FallbackKind.DEFAULT: 0.0,
    FallbackKind.SKIP: 0.0,
}


class UsedFallback(Value):
    """A fallback that was used."""

    kind: FallbackKind
    """What stood in."""
    said: str
    """What stood in, in a few words: the other agent, the earlier run, the note."""
    reason: str
    """Why the work itself was not delivered."""
    made_at: datetime | None = None
    """When what stands in was worked out, in UTC; None where that is now, or is not on record (C9)."""

    @property
    def replaces(self) -> bool:
        """Is the work itself still missing (F7)? Another agent did it; an old output, a default or a note did not."""
        return self.kind is not FallbackKind.AGENT

    def lowered(self, confidence: float) -> float:
        """Return how sure a consumer can be of what stands in, given how sure its producer was."""
        return confidence * TRUST[self.kind]
