"""What outputs claim and contradict, each looked at once: what nobody has decided is found again on each level (X9)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from echelon.contract.claims import FieldClaim
from echelon.model.conflicts.conflict import Conflict, ConflictRecord
from echelon.model.handoff import Handoff
from echelon.model.run import StepRecord
from echelon.model.verification.trace import ChangedFolder


class PhasesWithChanges:
    """Says in which phases of a run tasks have left changed files behind; each record of a step is looked at once."""

    def __init__(self) -> None:
        self._seen = 0
        self._phases: set[str] = set()

    def are_in(self, phase: str, steps: Sequence[StepRecord]) -> bool:
        """Say whether a task of a phase has left any, by all records of steps so far: more are added, none is taken."""
        for step in steps[self._seen :]:
            if folders_of(step.handoff):
                self._phases.add(step.phase)
        self._seen = len(steps)
        return phase in self._phases


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

    changes: PhasesWithChanges = field(default_factory=PhasesWithChanges)
    """Phases in which tasks have changed files."""

    @staticmethod
    def identity(conflict: Conflict) -> tuple[object, ...]:
        """Return what tells a conflict from others of the run: what a version says is always the same."""
        sides = ((side.name, side.version, side.confidence, side.agrees) for side in conflict.sides)
        return (conflict.phase, conflict.subject, *sides)


def folders_of(handoff: Handoff) -> Sequence[ChangedFolder]:
    """Return what a task left behind in this run; what stands in, or was kept, changed nothing in it."""
    known = handoff.verification
    own = handoff.done and not handoff.kept_from and handoff.fallback is None
    return known.trace.folders if own and known is not None and known.trace is not None else ()
