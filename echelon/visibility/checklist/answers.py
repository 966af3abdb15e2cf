"""What an item of the checklist is, and how it can be answered. Values and their makers only."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from echelon.model.base import Value
from echelon.model.phrasing import one_line, truncate
from echelon.visibility.checklist.evidence import JobEvidence

#: The longest proof, in characters: one that names everything is read by nobody.
MOST_CHARACTERS = 300


class Section(StrEnum):
    """A part of the checklist: four phases of building up, what must hold before, what tells success."""

    FOUNDATION = "foundation"  #: scale, boundaries, contracts, basic coordination
    OPTIMIZATION = "optimization"  #: synchronisation, visibility, integration
    RESILIENCE = "resilience"  #: protection, verification, failures tried out
    SCALE = "scale"  #: hierarchy, federation, infrastructure; each from its own size on
    PREREQUISITES = "prerequisites"  #: what must hold before many agents, and before more than a few
    SUCCESS = "success"  #: what the last run measured, against its targets (M)


class ItemState(StrEnum):
    """How an item stands."""

    DONE = "done"  #: there is proof
    NOT_DONE = "not_done"  #: there is none; `fix` says what helps
    NOT_APPLICABLE = "not_applicable"  #: this job does not need it, the proof says why


class ChecklistItem(Value):
    """An item with its answer."""

    id: str
    """Stable name: section, group, item."""
    phase: Section
    """The section it belongs to."""
    text: str
    """What is asked."""
    state: ItemState
    """How it stands."""
    proof: str
    """What the state rests on: rule ids, counts, runs."""
    fix: str = ""
    """What to do about it; empty unless it is not done."""


class ItemAnswer(NamedTuple):
    """What a check found."""

    state: ItemState
    proof: str
    fix: str = ""


Check = Callable[[JobEvidence], ItemAnswer]


class Entry(NamedTuple):
    """A row of the table of items."""

    name: str
    """Group and item; with the section in front it is the id."""
    text: str
    """What is asked."""
    check: Check
    """How it is answered."""


def done(proof: str) -> ItemAnswer:
    """Answer that there is proof."""
    return ItemAnswer(ItemState.DONE, proof)


def not_done(found: str, fix: str) -> ItemAnswer:
    """Answer that something lacks, and what to do about it."""
    return ItemAnswer(ItemState.NOT_DONE, found, fix)


def not_applicable(why: str) -> ItemAnswer:
    """Answer that this job does not need it."""
    return ItemAnswer(ItemState.NOT_APPLICABLE, why)


def items_of(section: Section, entries: Sequence[Entry], evidence: JobEvidence) -> tuple[ChecklistItem, ...]:
    """Answer all items of a section."""
    answers = [(entry, entry.check(evidence)) for entry in entries]
    return tuple(
        ChecklistItem(
            id=f"{section}.{entry.name}",
            phase=section,
            text=entry.text,
            state=answer.state,
            proof=shortened(answer.proof),
            fix=shortened(answer.fix),
        )
        for entry, answer in answers
    )


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return a text on one line, cut to `most` characters."""
    return truncate(one_line(text), most)
