"""A person decides a conflict with the disposition of the concern that its owner raised, and with no other (X9, O1)."""

import pytest

from echelon.model.concern import Concern, ConcernRecord, Disposition
from echelon.oversight.conflicts.answered import answer_to, evidence_of, why_not_settled
from echelon.testing.judging_events import conflict
from echelon.testing.run_events import concern_raised, disposition

OPEN = conflict().model_copy(update={"settled": None})
SIDE = OPEN.conflict.sides[0].name


def raised(*, step: str = "", source: str = OPEN.owner, end: Disposition | None = None) -> ConcernRecord:
    said = Concern(about="b", message="they differ", confidence=0.5, impact=0.9, evidence=(evidence_of(OPEN),))
    record = concern_raised("c1").record
    changes = {"concern": said, "step": step, "source": source, "disposition": end}
    return record.model_copy(update=changes)


@pytest.mark.parametrize(
    ("record", "wanted", "refused"),
    [
        (raised(), disposition(counts=SIDE), ""),
        (raised(), disposition(), ""),  # it decides nothing
        (raised(), disposition(counts="nobody"), "is no side of the conflict"),
        (raised(), disposition(verdict="accepted", counts=SIDE), "--as resolved, not accepted"),
        (raised(step="k"), disposition(counts=SIDE), "is not about a conflict"),  # an agent says so
        (raised(source="another"), disposition(counts=SIDE), "is not about a conflict"),
    ],
)
def test_only_the_concern_of_the_owner_takes_a_side(record: ConcernRecord, wanted: Disposition, refused: str) -> None:
    why = why_not_settled(record, {OPEN.id: OPEN}, wanted)

    assert refused in why
    assert bool(why) == bool(refused)


def test_the_first_answer_decides_and_none_does_where_nobody_has_named_a_side() -> None:
    answered = raised(end=disposition("mia", counts=SIDE))
    ended = raised(end=disposition("mia"))

    settled = answer_to(OPEN, [ended, answered])

    assert settled is not None
    assert (settled.chosen, settled.by, settled.reason) == (SIDE, "mia", disposition("mia").reason)
    assert answer_to(OPEN, [raised(), ended, raised(step="k", end=disposition("mia", counts=SIDE))]) is None
    assert answer_to(OPEN.model_copy(update={"settled": settled}), [answered]) is None
