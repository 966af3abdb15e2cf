"""Whether a result proceeds, is looked at, or is asked about: by its reach, what is new, what was used, the record."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.autonomy.terms import DEFAULT_TERMS, AutonomyTerms, Band
from echelon.model.autonomy.track import Reliability, Track
from echelon.model.errors import InvalidJob
from echelon.oversight.autonomy.deciding import Situation, decide, margin_for
from echelon.oversight.reach import Reach

GOOD = Reliability(0.9, 0.05, 40)  # 0.85 for sure
FAIR = Reliability(0.72, 0.05, 40)  # 0.67 for sure: not enough for 0.70
POOR = Reliability(0.5, 0.05, 40)

IRREVERSIBLE = Reach(steps=3, irreversible=True)


@pytest.mark.parametrize(
    ("situation", "band", "reason"),
    [
        (Situation(GOOD), Band.PROCEED, ""),
        (Situation(FAIR), Band.REVIEW, "the record of its agent says 0.72 ± 0.05 by 40 results, and 0.70 is asked for"),
        (Situation(FAIR, confirmed=True), Band.PROCEED, ""),
        (Situation(POOR, confirmed=True), Band.ESCALATE, "the record of its agent says 0.50 ± 0.05"),
        (Situation(POOR, stated=0.3), Band.ESCALATE, "the stated confidence is 0.30"),
        (Situation(Track().estimate()), Band.REVIEW, "its agent has no record yet"),
        (Situation(GOOD, crosses=("payments",)), Band.ESCALATE, "it reaches into payments"),
        (Situation(GOOD, exceeded="it used more tokens than its budget"), Band.ESCALATE, "more tokens"),
        (Situation(GOOD, novel="nobody has seen this"), Band.ESCALATE, "nobody has seen this"),
        (
            Situation(Reliability(0.45, 0.0, 0), stands_in="run r1"),
            Band.ESCALATE,
            "not the work itself: run r1 stands in",
        ),
        # 0.60 + 0.10 for what cannot be undone: the fair record does not do
        (Situation(Reliability(0.69, 0.01, 99), reach=IRREVERSIBLE), Band.ESCALATE, "0.70 is asked for"),
        (Situation(Reliability(0.88, 0.05, 99), reach=IRREVERSIBLE), Band.PROCEED, ""),
        (Situation(Reliability(0.84, 0.05, 99), reach=IRREVERSIBLE), Band.REVIEW, "0.80 is asked for"),
    ],
)
def test_what_becomes_of_a_result(situation: Situation, band: Band, reason: str) -> None:
    found = decide(situation, DEFAULT_TERMS)

    assert found.band is band
    assert reason in " | ".join(found.reasons)
    assert bool(found.reasons) == (band is not Band.PROCEED)


@pytest.mark.parametrize(
    ("situation", "beyond"),
    [
        (Situation(POOR), False),
        (Situation(GOOD, novel="new"), False),
        (Situation(GOOD, crosses=("payments",)), True),
        (Situation(GOOD, exceeded="too much"), True),
        (Situation(POOR, reach=IRREVERSIBLE), True),
        (Situation(FAIR, reach=Reach(steps=2)), False),
    ],
)
def test_a_lead_approves_inside_its_domain_and_budget_only(situation: Situation, beyond: bool) -> None:
    assert decide(situation, DEFAULT_TERMS).beyond_lead is beyond


@pytest.mark.parametrize(
    ("reach", "margin"),
    [
        (Reach(), 0.0),
        (Reach(steps=19), 0.0),
        (Reach(steps=20), 0.05),
        (Reach(irreversible=True), 0.10),
        (Reach(steps=20, irreversible=True), 0.15),
    ],
)
def test_the_more_depends_on_a_result_the_surer_its_agent_has_to_be(reach: Reach, margin: float) -> None:
    assert margin_for(reach, DEFAULT_TERMS) == margin


def test_thresholds_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InvalidJob, match=r"escalate=0\.9 lies above proceed=0\.7"):
        AutonomyTerms(escalate=0.9)


counts = st.integers(0, 60)


@given(right=counts, wrong=counts, stated=st.floats(0, 1), high=st.floats(0.7, 1))
def test_no_high_word_makes_an_agent_proceed_that_its_record_does_not(
    right: int, wrong: int, stated: float, high: float
) -> None:
    """What it says now was never tried: with nothing said like it before, its other results decide."""
    record = sum((Track.of(0.65, right=one < right) for one in range(right + wrong)), Track())
    said, silent = record.estimate(high), record.estimate()

    assert said.value <= max(silent.value, DEFAULT_TERMS.prior) + 1e-9
    assert said.width > 0
    assert 0 <= record.estimate(stated).value <= 1


@given(situation=st.builds(Situation, st.builds(Reliability, st.floats(0, 1), st.floats(0, 0.3), counts)), more=counts)
def test_more_reach_never_lets_a_result_proceed_that_did_not(situation: Situation, more: int) -> None:
    order = list(Band)
    wider: Any = situation._replace(reach=Reach(steps=more, irreversible=True))

    assert order.index(decide(wider, DEFAULT_TERMS).band) >= order.index(decide(situation, DEFAULT_TERMS).band)
