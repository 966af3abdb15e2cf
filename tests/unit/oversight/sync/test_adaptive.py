"""Adaptive sync keeps its bounds, settles where drift is constant, and costs hardly more than the best one (X3)."""

from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from echelon.model.sync.policy import DriftRatings, Level, SyncPolicyTerms
from echelon.oversight.sync.adaptive import STEP, best_interval, first_pace, next_pace
from echelon.testing.drifting import SHAPES, adaptive, best_fixed, rates_of

LEVELS: tuple[Level, ...] = ("low", "medium", "high")

levels = st.sampled_from(LEVELS)
ratings = st.builds(DriftRatings, velocity=levels, drift_cost=levels, sync_cost=levels, detectability=levels)
terms = st.builds(
    lambda ratings, least, more: SyncPolicyTerms(policy="adaptive", ratings=ratings, least=least, most=least + more),
    ratings,
    st.integers(1, 10),
    st.integers(0, 300),
)
ADAPTIVE = SyncPolicyTerms(policy="adaptive", least=1, most=150)


def first(**stated: Level) -> float:
    wide = SyncPolicyTerms(policy="adaptive", least=1, most=10_000, ratings=DriftRatings.model_validate(stated))
    return first_pace(wide).interval


@pytest.mark.parametrize(
    ("factor", "more_often"),
    [("velocity", True), ("drift_cost", True), ("sync_cost", False), ("detectability", False)],
)
def test_it_begins_by_the_table(factor: str, more_often: bool) -> None:
    intervals = [first(**{factor: level}) for level in LEVELS]

    assert intervals == sorted(intervals, reverse=more_often)
    assert len(set(intervals)) == 3


@given(terms, st.lists(st.tuples(st.integers(1, 200), st.floats(0, 1)), max_size=40))
def test_it_stays_within_its_bounds_and_changes_step_by_step(
    terms: SyncPolicyTerms, waves: list[tuple[int, float]]
) -> None:
    paces = [first_pace(terms)]
    for tasks, share in waves:
        paces.append(next_pace(paces[-1], terms, tasks, tasks * share))

    assert all(terms.least <= one.interval <= terms.most for one in paces)
    assert all(1 / STEP <= after.interval / before.interval <= STEP for before, after in pairwise(paces))


#: What is rarer than that cannot be told from nothing in so many tasks.
RARE = 0.005


@given(terms, st.floats(RARE, 0.5))
def test_it_settles_where_drift_is_constant_and_does_not_swing(terms: SyncPolicyTerms, rate: float) -> None:
    pace, intervals = first_pace(terms), list[float]()
    for _ in range(200):
        intervals.append(pace.interval)
        pace = next_pace(pace, terms, pace.size, rate * pace.size)

    turns = [after - before for before, after in pairwise(intervals) if after != before]
    assert all(one > 0 for one in turns) or all(one < 0 for one in turns), "it goes one way only"
    assert intervals[-1] == intervals[-10], "and stays there"
    assert intervals[-1] == pytest.approx(best_interval(terms, rate), rel=0.25)


@given(terms, st.floats(0, RARE))
def test_where_next_to_nothing_drifts_it_synchronises_as_seldom_as_for_rare_drift(
    terms: SyncPolicyTerms, rate: float
) -> None:
    pace = first_pace(terms)
    for _ in range(200):
        pace = next_pace(pace, terms, pace.size, rate * pace.size)

    assert pace.interval >= 0.75 * best_interval(terms, RARE)


@given(
    st.sampled_from(sorted(SHAPES)),
    st.floats(0.005, 0.05),
    st.floats(2, 40),
    st.integers(600, 3000),
    st.sampled_from(("low", "medium")),
)
@settings(max_examples=60, deadline=None)
def test_it_costs_hardly_more_than_the_best_fixed_interval(
    shape: str, low: float, factor: float, tasks: int, sync_cost: Level
) -> None:
    assume(low * factor <= 0.3)
    terms = ADAPTIVE.model_copy(update={"ratings": DriftRatings(sync_cost=sync_cost)})
    rates = rates_of(shape, tasks, low, low * factor)

    assert adaptive(rates, terms).cost <= 1.15 * best_fixed(rates, terms)


def test_nothing_revealed_makes_it_rare_and_much_makes_it_frequent() -> None:
    calm = busy = first_pace(ADAPTIVE)
    for _ in range(12):
        calm = next_pace(calm, ADAPTIVE, calm.size, 0)
        busy = next_pace(busy, ADAPTIVE, busy.size, busy.size)

    assert calm.interval > 4 * first_pace(ADAPTIVE).interval
    assert busy.size == 2
