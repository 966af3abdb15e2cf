"""What the answer of a participant changes in the concerns that it raised at earlier gates. Pure.

Each is on record once, and none is dropped: it ends with an author and a reason, or stays open for a person (O5, O10).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from echelon.model.concern import Concern, ConcernRecord, Disposition
from echelon.model.oversight.disposing import why_not_disposed
from echelon.model.oversight.gate import GateRecord


def raised_at(concerns: Iterable[ConcernRecord], agent: str, asked_as: str) -> tuple[ConcernRecord, ...]:
    """Return what an agent raised whenever it was asked whether it is ready; `asked_as` is what that is recorded as."""
    return tuple(one for one in concerns if one.source == agent and one.task_id == asked_as)


def known_before(
    own: Iterable[ConcernRecord], concern: Concern, earlier_gates: Iterable[GateRecord]
) -> ConcernRecord | None:
    """Return the record of a concern that is raised once more; None where it has to be put on record.

    One that is open stays the only one, and so does one that its raiser had taken back. One that a person has ended
    counts for what would be done then: `earlier_gates` are those that asked about the same action.
    """
    seen = {identity for gate in earlier_gates for identity in gate.concerns}
    same = (one for one in own if (one.concern.about, one.concern.message) == (concern.about, concern.message))
    return next((one for one in same if one.is_open or is_taken_back(one) or one.id in seen), None)


def is_taken_back(record: ConcernRecord) -> bool:
    """Say whether whoever raised a concern has ended it."""
    return record.disposition is not None and record.disposition.author == record.source


def taken_back(own: Iterable[ConcernRecord], looked_at: Sequence[str], at: datetime) -> list[tuple[str, Disposition]]:
    """Return the concerns that end, by id, since their raiser says that it is ready now.

    What somebody else has opened again stays open, and so does one about its raiser: somebody else has to look (O10).
    """
    ends = [
        (
            one,
            Disposition(
                verdict="resolved",
                author=one.source,
                reason=f"{one.source} was asked again, and says that it is ready now",
                looked_at=tuple(looked_at),
                at=at,
            ),
        )
        for one in own
        if all(again.by == one.source for again in one.reopened)
    ]
    return [(one.id, end) for one, end in ends if not why_not_disposed(one, end)]
