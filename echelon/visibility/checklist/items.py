"""The whole checklist as one table, and the one function that answers it. Nothing is ticked without proof."""

from echelon.visibility.checklist import foundation, optimization, prerequisites, resilience, scale, success
from echelon.visibility.checklist.answers import ChecklistItem, Entry, Section, items_of
from echelon.visibility.checklist.evidence import JobEvidence

#: Section → its items, in the order they are built up.
TABLE: dict[Section, tuple[Entry, ...]] = {
    Section.FOUNDATION: foundation.ENTRIES,
    Section.OPTIMIZATION: optimization.ENTRIES,
    Section.RESILIENCE: resilience.ENTRIES,
    Section.SCALE: scale.ENTRIES,
    Section.PREREQUISITES: prerequisites.ENTRIES,
    Section.SUCCESS: success.ENTRIES,
}


def checklist(evidence: JobEvidence) -> tuple[ChecklistItem, ...]:
    """Answer every item from the evidence; never raises, whatever the plan and the runs are like."""
    return tuple(item for section, entries in TABLE.items() for item in items_of(section, entries, evidence))
