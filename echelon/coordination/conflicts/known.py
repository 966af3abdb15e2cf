"""What outputs claim and contradict, each looked at once: what nobody has decided is found again on each level (X9)."""

from dataclasses import dataclass, field

from echelon.contract.claims import FieldClaim
from echelon.model.conflicts.conflict import Conflict, ConflictRecord


@dataclass(frozen=True)
class KnownClaims:
    """What is known of the claims of the outputs of one run, by digest and contract."""

    found: dict[tuple[str, str], tuple[FieldClaim, ...]] = field(
        default_factory=dict[tuple[str, str], tuple[FieldClaim, ...]]
    )
    records: dict[tuple[object, ...], ConflictRecord] = field(default_factory=dict[tuple[object, ...], ConflictRecord])
    """Records of conflicts, by `identity`."""
    raised: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])
    """Conflicts of which a concern is on record, or about to be: whose they are, between whom, and their ids."""

    @staticmethod
    def identity(conflict: Conflict) -> tuple[object, ...]:
        """Return what tells a conflict from others of the run: what a version says is always the same."""
        sides = ((side.name, side.version, side.confidence, side.agrees) for side in conflict.sides)
        return (conflict.phase, conflict.subject, *sides)
