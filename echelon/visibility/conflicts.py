"""Outputs that contradicted each other, in lines: how many were settled, and each with what was decided (X9)."""

from collections.abc import Sequence

from echelon.model.conflicts.conflict import ConflictRecord
from echelon.model.phrasing import count, head

#: Conflicts that are named; `--json` has all of them. Those that nobody has decided come first.
SHOWN = 5


def conflicts_counted(records: Sequence[ConflictRecord]) -> str:
    """Say how many conflicts were found, and how many of them are settled; empty for none."""
    if not records:
        return ""
    settled = sum(one.is_decided for one in records)
    return f"{count(len(records), 'conflict')}: {settled} settled, {len(records) - settled} open"


def how_to_settle(records: Sequence[ConflictRecord]) -> str:
    """Say how a person decides what is open; empty where nothing is."""
    if all(one.is_decided for one in records):
        return ""
    return (
        "to settle a conflict: echelon concerns dispose ID --as resolved --counts TASK --reason WHY, where TASK is the "
        "side that counts; then resume the run"
    )


def conflict_lines(records: Sequence[ConflictRecord], most: int = SHOWN) -> list[str]:
    """Return the count, then the conflicts, those first that nobody has decided."""
    said = [one.said for one in sorted(records, key=lambda one: one.is_decided)]
    return [conflicts_counted(records), *head(said, most)] if records else []
