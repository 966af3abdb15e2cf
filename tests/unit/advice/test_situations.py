from typing import Any

import pytest

from echelon.advice.situations import PATTERNS
from echelon.advice.values import Situation
from echelon.model.organisation import Structure
from echelon.planning.regime import structure_for
from tests.unit.advice.asking import BOUNDARIES, asked, fields, price, why

SINGLE, FLAT, HIERARCHICAL, MULTI_TIER, FEDERATED = Structure


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        pytest.param(
            "small-coherent",
            {"agents": 5, "structure": FLAT, "manner": "direct", "coupling": "tight", "integration": "central"},
            id="A-small-coherent",
        ),
        pytest.param(
            "medium-expertise",
            {"agents": 15, "structure": HIERARCHICAL, "manner": "loose_domains"},
            id="A-medium-expertise",
        ),
        pytest.param(
            "large-speed",
            {"agents": 200, "structure": FEDERATED, "coupling": "loose", "communication": "asynchronous"},
            id="A-large-speed",
        ),
        pytest.param(
            "high-stakes",
            {"agents": 50, "manner": "deep_tiers", "levels": 3, "verification": "dedicated", "pauses": "mandatory"},
            id="A-high-stakes",
        ),
        pytest.param("exploratory", {"agents": 5, "sync": "adaptive", "contracts": "flexible"}, id="A-exploratory"),
        pytest.param("production", {"agents": 15, "sync": "phase", "contracts": "strict"}, id="A-production"),
        pytest.param(
            "independent",
            {"agents": 8, "manner": "parallel", "coupling": "none", "integration": "central"},
            id="A-independent",
        ),
        pytest.param(
            "interdependent",
            {"agents": 15, "structure": HIERARCHICAL, "sync_frequency": "frequent"},
            id="A-interdependent",
        ),
    ],
)
def test_each_situation_alone_gets_its_pattern_at_a_typical_size(situation: Situation, expected: dict[str, Any]):
    advice = asked(situation=situation)

    assert fields(advice, expected) == expected
    assert [(f.where, f.level) for f in advice.findings] == [("agents", "info")]
    assert str(expected["agents"]) in advice.findings[0].message
    assert why(advice, "situation") == PATTERNS[situation].text
    assert price(advice, "situation")


@pytest.mark.parametrize(
    ("situation", "n"),
    [
        ("small-coherent", 200),
        ("medium-expertise", 3),
        ("medium-expertise", 400),
        ("large-speed", 6),
        ("high-stakes", 4),
        ("high-stakes", 500),
        ("independent", 50),
        ("interdependent", 3),
        ("interdependent", 2000),
    ],
)
def test_where_a_situation_does_not_fit_the_number_the_number_decides(situation: Situation, n: int):
    advice = asked(agents=n, situation=situation)
    finding = next(finding for finding in advice.findings if finding.where == "situation")

    assert advice.structure is structure_for(n)
    assert "the number decides" in finding.message
    assert PATTERNS[situation].remains in finding.message
    assert finding.fix


def test_every_situation_whose_pattern_cannot_be_had_everywhere_says_what_remains():
    limited = [pattern for pattern in PATTERNS.values() if pattern.fits != frozenset(Structure)]

    assert len(limited) == 6
    assert all(pattern.remains for pattern in limited)


def test_high_stakes_keep_verification_and_pauses_at_every_size():
    for n in (1, 2, 8, 9, 100, 101, 10**6):
        advice = asked(agents=n, situation="high-stakes")

        assert advice.verification in {"independent", "audited", "dedicated"}
        assert advice.pauses == "mandatory"


def test_what_is_said_about_the_job_wins_over_what_its_situation_implies():
    advice = asked(agents=5, situation="exploratory", change_rate="low")

    assert advice.sync == "milestone"
    assert advice.question.change_rate == "low"
    assert "'exploratory' usually means change rate high, but change rate low is given" in advice.findings[0].message


@pytest.mark.parametrize(
    ("said", "where", "part"),
    [
        ({"agents": 101, "priority": "coherence"}, "priority", "above 100 agents"),
        ({"agents": 51, "priority": "coherence"}, "priority", "no centre holds more than about 50"),
        ({"agents": 8, "priority": "resilience"}, "priority", "one coordinator"),
        ({"agents": 200, "error_consequence": "catastrophic"}, "coupling", "inside each domain alone"),
        (
            {"agents": 200, "natural_domains": True, "domain_coupling": "tight"},
            "domain_coupling",
            "federated domains can only be coupled loosely",
        ),
        ({"agents": 15, "natural_domains": False, "domain_coupling": "tight"}, "domain_coupling", "passed over"),
        ({"agents": 15, "domain_coupling": "tight"}, "domain_coupling", "taken to be natural domains"),
        (
            {"agents": 15, "coupling_need": "loose", "error_consequence": "catastrophic"},
            "coupling_need",
            "the consequence decides",
        ),
        ({"agents": 5, "coupling_need": "none", "independent": False}, "coupling_need", "coupled loosely"),
        ({"agents": 5, "coupling_need": "tight", "independent": True}, "independent", "treated as dependent"),
        ({"situation": "independent", "coupling_need": "tight"}, "independent", "treated as dependent"),
        (
            {"agents": 5, "contract_need": "flexible", "error_consequence": "catastrophic"},
            "contracts",
            "contracts are strict",
        ),
        ({"agents": 200, "contract_need": "flexible"}, "contracts", "strict between domains"),
    ],
)
def test_what_contradicts_is_settled_and_named(said: dict[str, Any], where: str, part: str):
    found = [finding for finding in asked(**said).findings if finding.where == where]

    assert any(part in finding.message for finding in found)
    assert all(finding.fix and finding.rule for finding in found)


def test_a_coupling_wanted_for_one_agent_is_passed_over_and_no_pattern_remains():
    coupled = asked(agents=1, coupling_need="tight", independent=True)
    staked = asked(agents=1, situation="high-stakes")

    assert ["a single agent depends on no other" in finding.message for finding in coupled.findings] == [True]
    assert [finding.message.endswith("the number decides (single)") for finding in staked.findings] == [True]


def test_a_plain_question_has_no_findings():
    assert all(not asked(agents=n).findings for n in BOUNDARIES if n)
