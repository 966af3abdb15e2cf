"""O1, O9, X13: where a concern goes, by tables; everything but its two weights can only raise it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.concern import HIGH, URGENCY, Concern, Route
from echelon.oversight.reach import NOTHING_BEHIND, Reach
from echelon.oversight.routing import HEDGES, HIGH_IMPACT_FROM, NO_RECORD, RAISED, TrackRecord, route_of

LOG, NORMAL, HUMAN, NOW = Route.PATTERN_LOG, Route.NORMAL, Route.HUMAN_REVIEW, Route.IMMEDIATE
GOOD, BAD, FEW = TrackRecord(right=4, dismissed=1), TrackRecord(right=1, dismissed=4), TrackRecord(right=4)


def concern(confidence: float, impact: float, message: str = "the lock is claimed twice") -> Concern:
    return Concern(about="locks.py", message=message, confidence=confidence, impact=impact)


@pytest.mark.parametrize(
    ("sure", "bad", "reach", "record", "message", "route"),
    [
        # what its source stated, by the table of O1
        (0.2, 0.2, NOTHING_BEHIND, NO_RECORD, "odd", LOG),
        (0.9, 0.2, NOTHING_BEHIND, NO_RECORD, "odd", NORMAL),
        (0.2, 0.9, NOTHING_BEHIND, NO_RECORD, "odd", HUMAN),
        (0.9, 0.9, NOTHING_BEHIND, NO_RECORD, "odd", NOW),
        # so many steps use what it comes from: 5 make 0.5 high, 20 make 0.4 high
        (0.2, 0.5, Reach(4), NO_RECORD, "odd", LOG),
        (0.2, 0.5, Reach(5), NO_RECORD, "odd", HUMAN),
        (0.9, 0.4, Reach(19), NO_RECORD, "odd", NORMAL),
        (0.9, 0.4, Reach(20), NO_RECORD, "odd", NOW),
        # work that cannot be undone is behind it: 0.4 is high, and far away 0.2
        (0.9, 0.4, Reach(1, irreversible=True), NO_RECORD, "odd", NOW),
        (0.9, 0.3, Reach(1, irreversible=True), NO_RECORD, "odd", NORMAL),
        (0.2, 0.2, Reach(20, irreversible=True), NO_RECORD, "odd", HUMAN),
        # its source was right before: 0.4 is sure enough
        (0.4, 0.9, NOTHING_BEHIND, GOOD, "odd", NOW),
        (0.4, 0.2, NOTHING_BEHIND, GOOD, "odd", NORMAL),
        (0.3, 0.9, NOTHING_BEHIND, GOOD, "odd", HUMAN),
        (0.4, 0.9, NOTHING_BEHIND, BAD, "odd", HUMAN),
        (0.9, 0.9, NOTHING_BEHIND, BAD, "odd", NOW),
        (0.4, 0.9, NOTHING_BEHIND, FEW, "odd", HUMAN),
        # toned down
        (0.2, 0.9, NOTHING_BEHIND, NO_RECORD, "Maybe the lock is odd", NOW),
        (0.2, 0.2, NOTHING_BEHIND, NO_RECORD, "I'm not sure that it is right", HUMAN),
        (0.9, 0.2, NOTHING_BEHIND, NO_RECORD, "it might be odd", NORMAL),
        (0.9, 0.5, Reach(5), NO_RECORD, "it might be odd", NOW),
        (0.2, 0.9, NOTHING_BEHIND, NO_RECORD, "the almighty lock", HUMAN),
    ],
)
def test_where_a_concern_goes(sure, bad, reach, record, message, route):
    found = route_of(concern(sure, bad, message), reach, record)

    assert found.route is route
    assert bool(found.reasons) is (found.route is not concern(sure, bad).route)


def test_the_reasons_say_what_raised_it():
    found = route_of(concern(0.4, 0.4, "perhaps it is odd"), Reach(7, irreversible=True), GOOD)

    assert found.route is NOW
    assert found.reasons == (
        "work that cannot be undone is behind it, and 7 steps",
        "4 of 5 earlier concerns of its source were right",
    )


weights = st.floats(0, 1)
reaches = st.builds(Reach, st.integers(0, 100), st.booleans())
records = st.builds(TrackRecord, st.integers(0, 20), st.integers(0, 20))
messages = st.one_of(st.just("it is odd"), st.sampled_from(HEDGES).map(lambda hedge: f"{hedge} it is odd"))


@given(weights, weights, reaches, records, messages)
def test_nothing_lowers_a_route(sure, bad, reach, record, message):
    stated = concern(sure, bad, message)

    assert URGENCY.index(route_of(stated, reach, record).route) <= URGENCY.index(stated.route)


@given(weights, weights, reaches, records, messages)
def test_more_behind_it_never_lowers_a_route(sure, bad, reach, record, message):
    stated, further = concern(sure, bad, message), Reach(reach.steps + 10, irreversible=True)
    near, far = route_of(stated, reach, record).route, route_of(stated, further, record).route

    assert URGENCY.index(far) <= URGENCY.index(near)


def test_the_tables_are_total_and_raise_only():
    assert HIGH_IMPACT_FROM[-1] == (0, False, HIGH)
    assert all(limit <= HIGH for _, _, limit in HIGH_IMPACT_FROM)
    assert RAISED.keys() == set(Route)
    assert all(URGENCY.index(up) <= URGENCY.index(route) for route, up in RAISED.items())
