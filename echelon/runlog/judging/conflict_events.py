"""Outputs that contradict each other, and what is decided: a part of the union in `runlog.events` (X9)."""

from typing import Literal

from echelon.model.conflicts.conflict import ConflictRecord, SettledConflict
from echelon.runlog.run_events import Event


class ConflictFound(Event):
    """Outputs say different things about one subject."""

    kind: Literal["conflict_found"] = "conflict_found"
    record: ConflictRecord
    """What, and whose it is to decide."""

    @property
    def subject(self) -> str:
        """The conflict."""
        return self.record.id


class ConflictSettled(Event):
    """The nearest common owner decided a conflict, or could not."""

    kind: Literal["conflict_settled"] = "conflict_settled"
    conflict_id: str
    """The conflict."""
    settled: SettledConflict
    """What was decided, by what, and why."""

    @property
    def subject(self) -> str:
        """The conflict."""
        return self.conflict_id


def apply_to_conflicts(conflicts: dict[str, ConflictRecord], event: Event) -> None:
    """Change conflicts, by id, by one more event; the first decision stands."""
    if isinstance(event, ConflictFound):
        conflicts.setdefault(event.record.id, event.record)
    elif isinstance(event, ConflictSettled):
        known = conflicts.get(event.conflict_id)
        if known is not None and not known.is_decided:
            conflicts[event.conflict_id] = known.model_copy(update={"settled": event.settled})
