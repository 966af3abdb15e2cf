"""How rounds of a task are numbered, where its phase may be repeated as a whole, too (X12). Pure."""

from echelon.definition.rolling.repeat import Repetition
from echelon.definition.success.criteria import Criteria

#: Rounds that work may take which somebody verifies: as many as it may be attempted; only how they are numbered.
MOST_VERIFIED = 100


def rounds_at_most(repetition: Repetition | None, criteria: Criteria) -> int:
    """Return how many rounds of a task have numbers of their own within one round of its phase."""
    if repetition is not None and not repetition.whole_phase:
        return repetition.rounds
    return MOST_VERIFIED if criteria.verifiers else 1
