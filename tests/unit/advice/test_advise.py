import doctest
import re
from typing import Any

import pytest

from echelon.advice import advise as module
from echelon.advice.advise import SIGNALS
from echelon.model.errors import InvalidInput
from echelon.model.organisation import Structure
from tests.unit.advice.asking import asked, fields, price, why

SINGLE, FLAT, HIERARCHICAL, MULTI_TIER, FEDERATED = Structure


def test_the_example_of_the_documentation_is_true():
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("said", "structure", "manner"),
    [
        pytest.param({"agents": 1}, SINGLE, "alone", id="R1-1"),
        pytest.param({"agents": 2, "independent": True}, FLAT, "parallel", id="R1-2-independent"),
        pytest.param({"agents": 8, "independent": True}, FLAT, "parallel", id="R1-8-independent"),
        pytest.param({"agents": 2, "independent": False}, FLAT, "direct", id="R1-2-dependent"),
        pytest.param({"agents": 8, "independent": False}, FLAT, "direct", id="R1-8-dependent"),
        pytest.param(
            {"agents": 9, "natural_domains": True, "domain_coupling": "tight"},
            HIERARCHICAL,
            "tight_domains",
            id="R1-9-tight-domains",
        ),
        pytest.param(
            {"agents": 20, "natural_domains": True, "domain_coupling": "loose"},
            HIERARCHICAL,
            "loose_domains",
            id="R1-20-loose-domains",
        ),
        pytest.param({"agents": 15}, HIERARCHICAL, "capability_teams", id="R1-15-no-domains"),
        pytest.param({"agents": 21, "priority": "coherence"}, MULTI_TIER, "deep_tiers", id="R1-21-coherence"),
        pytest.param({"agents": 100, "priority": "speed"}, MULTI_TIER, "flat_tiers", id="R1-100-speed"),
        pytest.param({"agents": 21, "priority": "resilience"}, FEDERATED, "redundant_domains", id="R1-21-resilience"),
        pytest.param({"agents": 100, "priority": "resilience"}, FEDERATED, "redundant_domains", id="R1-100-resilience"),
        pytest.param({"agents": 60}, MULTI_TIER, "tiers", id="R1-60-no-priority"),
        pytest.param({"agents": 101}, FEDERATED, "contracted_domains", id="R1-101"),
        pytest.param({"agents": 10**9, "priority": "coherence"}, FEDERATED, "contracted_domains", id="R1-huge"),
    ],
)
def test_every_branch_of_the_decision_tree(said: dict[str, Any], structure: Structure, manner: str):
    advice = asked(**said)

    assert (advice.structure, advice.manner) == (structure, manner)
    assert {"R1", "R2"} <= {reason.rule for reason in advice.reasons}


def test_tightly_coupled_domains_synchronise_often_and_loose_ones_do_not_wait():
    tight = asked(agents=15, natural_domains=True, domain_coupling="tight")
    loose = asked(agents=15, natural_domains=True, domain_coupling="loose")

    assert (tight.sync_frequency, tight.coupling_across) == ("frequent", "tight")
    assert "frequent sync across domains" in why(tight, "sync")
    assert (loose.sync_frequency, loose.coupling_across, loose.communication) == ("regular", "loose", "asynchronous")


def test_independent_tasks_are_integrated_once_at_one_point():
    assert "at one point, once" in why(asked(agents=6), "manner")


def test_a_federation_has_boundaries_contracts_loose_coherence_and_verification():
    advice = asked(agents=300)

    for part in ("boundaries", "contract", "coheres loosely", "verification"):
        assert part in why(advice, "manner")
    assert (advice.contracts, advice.coupling_across, advice.verification) == ("strict", "loose", "dedicated")


@pytest.mark.parametrize(
    ("n", "levels", "depth"),
    [(1, 1, 1), (5, 1, 1), (8, 1, 1), (9, 2, 2), (20, 2, 2), (50, 2, 3), (100, 3, 3), (500, 3, 4), (10**9, 10, 11)],
)
def test_levels_are_as_few_as_the_span_allows_and_depth_is_the_recommended_one(n: int, levels: int, depth: int):
    assert (asked(agents=n).levels, asked(agents=n).depth) == (levels, depth)
    assert asked(agents=n, priority="coherence").levels == depth


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        pytest.param(
            size,
            {"structure": structure, "visibility": seen, "integration": made, "sync": sync},
            id=f"A-team-size-{name}",
        )
        for name, size, structure, seen, made, sync in (
            ("small", 3, FLAT, "comprehensive", "central", "as_needed"),
            ("small-last", 8, FLAT, "comprehensive", "central", "phase"),
            ("medium", 15, HIERARCHICAL, "exceptions", "staged", "phase"),
            ("medium-last", 49, MULTI_TIER, "exceptions", "staged", "phase"),
            ("large", 300, FEDERATED, "statistical", "distributed", "phase"),
        )
    ],
)
def test_team_size_decides_pattern_visibility_and_integration(n: int, expected: dict[str, Any]):
    assert fields(asked(agents=n), expected) == expected


@pytest.mark.parametrize(
    ("n", "agents", "sync"),
    [
        pytest.param(5, 0, "at any time", id="A-team-size-small-minimal"),
        pytest.param(30, 0, "", id="A-team-size-medium"),
        pytest.param(80, 4, "each level at a pace of its own", id="A-team-size-large-substantial"),
    ],
)
def test_team_size_decides_how_much_is_spent_on_coordination(n: int, agents: int, sync: str):
    advice = asked(agents=n)

    assert sum(need.agents for need in advice.infrastructure) == agents
    assert sync in why(advice, "sync")


@pytest.mark.parametrize(
    ("need", "expected"),
    [
        pytest.param("tight", {"coupling": "tight", "communication": "synchronous"}, id="D3-tight"),
        pytest.param("medium", {"coupling": "medium", "communication": "asynchronous"}, id="D3-medium"),
        pytest.param("loose", {"coupling": "loose", "communication": "asynchronous"}, id="D3-loose"),
        pytest.param("none", {"coupling": "none", "manner": "parallel"}, id="D3-none"),
    ],
)
def test_the_coupling_that_is_needed_decides_how_agents_talk(need: str, expected: dict[str, Any]):
    assert fields(asked(agents=5, coupling_need=need), expected) == expected


@pytest.mark.parametrize(
    "said",
    [
        {"agents": 5, "independent": False},
        {"agents": 15},
        {"agents": 40},
        {"agents": 400},
        {"agents": 40, "priority": "speed"},
    ],
)
def test_coupling_is_loose_unless_something_asks_for_more(said: dict[str, Any]):
    assert asked(**said).coupling == "loose"


def test_coherence_couples_one_step_closer_but_never_closer_than_tight():
    coherent = {"agents": 40, "priority": "coherence"}

    assert asked(**coherent).coupling == "medium"
    assert asked(**coherent, error_consequence="significant").coupling == "tight"
    assert asked(**coherent, error_consequence="catastrophic").coupling == "tight"


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        pytest.param(
            "high", {"sync": "adaptive", "sync_frequency": "frequent", "contracts": "flexible"}, id="X3-change-high"
        ),
        pytest.param("medium", {"sync": "phase", "sync_frequency": "regular"}, id="X3-change-medium"),
        pytest.param("low", {"sync": "milestone", "sync_frequency": "rare", "contracts": "strict"}, id="X3-change-low"),
    ],
)
@pytest.mark.parametrize("n", [4, 15, 60, 600])
def test_the_change_rate_decides_when_to_synchronise(n: int, rate: str, expected: dict[str, Any]):
    assert fields(asked(agents=n, change_rate=rate), expected) == expected


@pytest.mark.parametrize(
    ("consequence", "expected"),
    [
        pytest.param(
            "catastrophic",
            {"coupling": "tight", "verification": "independent", "pauses": "mandatory", "contracts": "strict"},
            id="A-O3-O5-catastrophic",
        ),
        pytest.param("significant", {"coupling": "medium", "pauses": "before_irreversible"}, id="A-O5-significant"),
        pytest.param("minor", {"coupling": "loose", "pauses": "none", "verification": "escalation"}, id="A-minor"),
    ],
)
def test_the_consequence_of_an_error_decides_coupling_checks_and_pauses(consequence: str, expected: dict[str, Any]):
    assert fields(asked(agents=3, error_consequence=consequence), expected) == expected


def test_significant_errors_are_tracked_and_minor_ones_are_detected_and_fixed():
    assert "exception is tracked" in why(asked(agents=3, error_consequence="significant"), "coupling")
    assert "detecting and fixing" in why(asked(agents=3, error_consequence="minor"), "coupling")


@pytest.mark.parametrize(
    ("n", "verification"),
    [
        pytest.param(1, "none", id="R4-1"),
        pytest.param(3, "escalation", id="R4-3"),
        pytest.param(4, "independent", id="R4-4"),
        pytest.param(10, "independent", id="R4-10"),
        pytest.param(11, "audited", id="R4-11"),
        pytest.param(49, "audited", id="R3-49"),
        pytest.param(50, "dedicated", id="R3-50"),
    ],
)
def test_verification_follows_the_countermeasures_of_the_size(n: int, verification: str):
    assert asked(agents=n).verification == verification


@pytest.mark.parametrize(("n", "pauses"), [(30, "none"), (31, "mandatory")])
def test_above_30_agents_pauses_are_set_in_advance(n: int, pauses: str):
    assert asked(agents=n).pauses == pauses


@pytest.mark.parametrize(
    ("said", "aspect", "choice", "given_up"),
    [
        pytest.param(
            {"agents": 30, "priority": "coherence"}, "control", "centralised", ("single point of failure", "50 agents"),
            id="A-centralised",
        ),
        pytest.param({"agents": 50}, "control", "centralised", ("single point of failure",), id="A-centralised-limit"),
        pytest.param({"agents": 51}, "control", "distributed", ("less coherence", "more hops"), id="A-distributed"),
        pytest.param(
            {"agents": 30, "priority": "resilience"}, "control", "distributed", ("less coherence",),
            id="A-distributed-resilience",
        ),
        pytest.param(
            {"agents": 15, "priority": "speed"}, "control", "distributed", ("less coherence",), id="A-distributed-speed"
        ),
        pytest.param(
            {"agents": 15, "coupling_need": "tight"}, "communication", "synchronous", ("blocked", "throughput"),
            id="A-synchronous",
        ),
        pytest.param(
            {"agents": 15, "coupling_need": "medium"}, "communication", "asynchronous", ("later", "harder to trace"),
            id="A-asynchronous-medium",
        ),
        pytest.param(
            {"agents": 15}, "communication", "asynchronous", ("later", "harder to trace"), id="A-asynchronous-loose"
        ),
        pytest.param(
            {"agents": 5, "contract_need": "strict"}, "contracts", "strict", ("harder to adapt", "new version"),
            id="C5-strict",
        ),
        pytest.param({"agents": 15}, "contracts", "strict", ("harder to adapt",), id="C5-strict-teams"),
        pytest.param(
            {"agents": 15, "contract_need": "flexible"}, "contracts", "flexible", ("less reliable", "harder to debug"),
            id="C5-flexible",
        ),
        pytest.param({"agents": 5}, "contracts", "flexible", ("more work to integrate",), id="C5-flexible-small"),
    ],
)  # fmt: skip
def test_every_trade_off_names_its_price(said: dict[str, Any], aspect: str, choice: str, given_up: tuple[str, ...]):
    advice = asked(**said)

    assert getattr(advice, aspect) == choice
    assert all(part in price(advice, aspect) for part in given_up)


@pytest.mark.parametrize("n", [0, -1, -(10**9)])
def test_fewer_than_one_agent_is_refused(n: int):
    with pytest.raises(InvalidInput, match=f"{n} agents: the number must be 1 or more"):
        asked(agents=n)


@pytest.mark.parametrize("n", [10**12 + 1, 10**4200])
def test_a_number_that_can_only_be_a_slip_is_refused(n: int):
    with pytest.raises(InvalidInput, match="more than 1,000,000,000,000 agents"):
        asked(agents=n)


def test_neither_number_nor_situation_is_refused():
    with pytest.raises(InvalidInput, match=r"--agents 20.*--situation small-coherent, "):
        asked(priority="speed")


def test_signals_have_their_thresholds_and_a_single_agent_has_none():
    assert asked(agents=2).signals == SIGNALS
    assert asked(agents=1).signals == ()
    assert ["70 %" in SIGNALS[0], "20 %" in SIGNALS[1], "integrations get worse" in SIGNALS[2]] == [True] * 3


def test_a_single_agent_pays_only_for_being_alone():
    assert [reason.aspect for reason in asked(agents=1).reasons if reason.price] == ["structure"]


@pytest.mark.parametrize("situation", [None, "small-coherent", "high-stakes", "production", "independent"])
@pytest.mark.parametrize("consequence", [None, "minor", "significant", "catastrophic"])
@pytest.mark.parametrize("rate", ["high", "low"])
def test_a_single_agent_reads_of_nothing_that_takes_two(rate: Any, consequence: Any, situation: Any):
    advice = asked(
        agents=1, change_rate=rate, error_consequence=consequence, situation=situation, priority="coherence",
        independent=False, coupling_need="tight", domain_coupling="tight",
    )  # fmt: skip
    said = " ".join(reason.text for reason in advice.reasons)

    assert not set(re.findall(r"\w+", said)) & {"team", "teams", "pair", "pairs", "lead", "leads", "coordinator"}
    assert "all confirm" not in said
    assert advice.sync == "none"


@pytest.mark.parametrize(
    ("consequence", "verification", "pauses"),
    [
        pytest.param("catastrophic", "a person or another agent looks again", "a person confirms", id="O3-bad"),
        pytest.param("significant", "no handoff", "a person confirms", id="O5-significant"),
        pytest.param("minor", "no handoff", "waits at its gate", id="O5-minor"),
    ],
)
def test_for_a_single_agent_somebody_else_looks_where_errors_are_bad(consequence: Any, verification: str, pauses: str):
    advice = asked(agents=1, error_consequence=consequence)

    assert verification in why(advice, "verification")
    assert pauses in why(advice, "pauses")


@pytest.mark.parametrize(("n", "said"), [(2, "1 pair (R7)"), (3, "3 pairs (R7)")])
def test_pairs_are_counted_as_people_count(n: int, said: str):
    assert why(asked(agents=n), "depth").endswith(said)


def test_up_to_three_agents_meet_as_needed_as_their_profile_says_or_are_told_why_not():
    few, hurried = asked(agents=3), asked(agents=3, change_rate="high")

    assert (few.sync, few.profile.sync) == ("as_needed", "as needed")
    assert hurried.sync == "adaptive"
    assert "before the as-needed sync that is usual for so few (R4)" in why(hurried, "sync")
    assert "as-needed" not in why(asked(agents=4, change_rate="high"), "sync")
