import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.errors import CallerError, IllegalTransition
from echelon.model.status import ENDED, TRANSITIONS, Status, advance

PENDING, AT_WORK, DONE, FAILED, BLOCKED = (
    Status.PENDING,
    Status.IN_PROGRESS,
    Status.COMPLETED,
    Status.FAILED,
    Status.BLOCKED,
)

#: The whole table (C2), written a second time: a change of meaning must be made in two places.
ALLOWED = {
    (PENDING, AT_WORK),
    (PENDING, BLOCKED),
    (PENDING, FAILED),
    (AT_WORK, DONE),
    (AT_WORK, FAILED),
    (AT_WORK, BLOCKED),
    (BLOCKED, PENDING),
    (BLOCKED, AT_WORK),
    (BLOCKED, FAILED),
    (FAILED, PENDING),
    (FAILED, AT_WORK),
}


@pytest.mark.parametrize("current", Status)
@pytest.mark.parametrize("wanted", Status)
def test_a_status_changes_along_the_table_and_no_other_way(current: Status, wanted: Status) -> None:
    if (current, wanted) in ALLOWED:
        assert advance(current, wanted) is wanted
        return
    with pytest.raises(IllegalTransition) as refused:
        advance(current, wanted)

    assert (refused.value.current, refused.value.wanted) == (current, wanted)
    assert str(refused.value) == f"a step that is {current} cannot become {wanted}"
    assert isinstance(refused.value, CallerError)


@given(st.lists(st.sampled_from(Status), max_size=30))
def test_whatever_is_asked_of_a_step_it_never_leaves_completed(wishes: list[Status]) -> None:
    current, walked = PENDING, [PENDING]
    for wanted in wishes:
        try:
            current = advance(current, wanted)
        except IllegalTransition:
            continue
        walked.append(current)

    assert set(itertools.pairwise(walked)) <= ALLOWED
    assert DONE not in walked[:-1]


def test_every_status_has_its_row_and_can_come_to_an_end() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert {DONE, FAILED, BLOCKED} == ENDED
    assert all(TRANSITIONS[status] & ENDED for status in Status if status not in {DONE, FAILED})
