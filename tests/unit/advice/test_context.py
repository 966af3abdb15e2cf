"""What the context of the work changes in advice (§Why divergences exist, §Team size): a row of the source each."""

from typing import Any

import pytest

from echelon.advice.advise import advise
from echelon.advice.values import Advice, AdviceQuestion
from echelon.model.organisation import Structure
from tests.unit.advice.asking import BOUNDARIES, asked, fields, price, why

#: context, agents → what it changes against the same question without it, and where the reason stands.
CONTEXTS: tuple[tuple[str, int, dict[str, Any], dict[str, Any], str, str], ...] = (
    ("duration-subsecond", 8, {"task_duration": "subsecond"}, {"sync": "event", "sync_frequency": "frequent"}, "sync",
     "over before a sync point could come"),
    ("duration-subsecond-many", 60, {"task_duration": "subsecond"}, {"sync": "event"}, "sync", "only there"),
    ("duration-minutes", 3, {"task_duration": "minutes"}, {"sync": "phase"}, "sync", "collected at the end of a phase"),
    ("duration-hours", 2, {"task_duration": "hours"}, {"sync": "phase"}, "sync", "collected at the end of a phase"),
    ("duration-days", 15, {"task_duration": "days"}, {"sync": "interval"}, "sync", "as in a ceremony"),
    ("horizon-bounded", 15, {"time_horizon": "bounded"}, {"coupling_across": "medium"}, "coupling across",
     "paid for a limited time"),
    ("horizon-indefinite", 15, {"time_horizon": "indefinite"}, {"control": "distributed"}, "priority", "fails once"),
    ("horizon-indefinite-many", 40, {"time_horizon": "indefinite"},
     {"structure": Structure.FEDERATED, "manner": "redundant_domains"}, "priority", "--priority resilience"),
    ("creative-few", 5, {"work": "creative"}, {"coupling": "medium", "manner": "direct"}, "coupling", "as one piece"),
    ("creative", 15, {"work": "creative"}, {"coupling": "medium", "coupling_across": "medium"}, "coupling across",
     "read as one piece"),
    ("creative-many", 50, {"work": "creative"}, {"levels": 3, "manner": "deep_tiers"}, "priority", "under one view"),
    ("operational", 15, {"work": "operational"}, {"control": "distributed"}, "control", "each part can meet its own"),
    ("known", 5, {"predictability": "known"}, {"contracts": "strict"}, "contracts", "known in advance"),
    ("known-few", 3, {"predictability": "known"}, {"sync": "phase"}, "sync", "set in advance"),
    ("emerging", 15, {"predictability": "emerging"},
     {"sync": "adaptive", "contracts": "flexible"}, "sync", "turn up"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("agents", "context", "changed", "aspect", "reason"), [pytest.param(*row[1:], id=f"A-{row[0]}") for row in CONTEXTS]
)
def test_each_context_changes_the_answer_and_says_why_and_at_what_price(
    agents: int, context: dict[str, Any], changed: dict[str, Any], aspect: str, reason: str
):
    without, advice = asked(agents=agents), asked(agents=agents, **context)

    assert fields(advice, changed) == changed
    assert all(getattr(without, name) != value for name, value in changed.items())
    assert reason in why(advice, aspect)
    assert price(advice, aspect)


@pytest.mark.parametrize(
    ("said", "where", "parts"),
    [
        pytest.param(
            {"agents": 15, "change_rate": "high", "task_duration": "days"},
            "task_duration",
            ("task duration days asks for sync interval (regular)", "changes while agents work"),
            id="duration",
        ),
        pytest.param(
            {"agents": 5, "time_horizon": "bounded"}, "time_horizon", ("coupling across medium", "one team"), id="team"
        ),
        pytest.param(
            {"agents": 60, "work": "creative"}, "work", ("control centralised", "cannot hold more"), id="centre"
        ),
        pytest.param(
            {"agents": 15, "work": "creative", "time_horizon": "indefinite"},
            "time_horizon",
            ("priority resilience", "coherence comes first"),
            id="horizon-of-creative-work",
        ),
        pytest.param(
            {"agents": 15, "predictability": "emerging", "error_consequence": "catastrophic"},
            "predictability",
            ("contracts flexible", "must not pass"),
            id="danger",
        ),
        pytest.param(
            {"agents": 1, "task_duration": "days"}, "task_duration", ("no other to synchronise with",), id="alone"
        ),
    ],
)
def test_a_context_that_does_not_decide_is_named_with_what_does(
    said: dict[str, Any], where: str, parts: tuple[str, ...]
):
    messages = [finding.message for finding in asked(**said).findings if finding.where == where]

    assert any(all(part in message for part in parts) for message in messages)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"error_consequence": "catastrophic"}, id="catastrophic"),
        pytest.param({"error_consequence": "significant"}, id="significant"),
        pytest.param({"work": "creative"}, id="creative"),
        pytest.param({"situation": "independent", "error_consequence": "catastrophic"}, id="situation"),
        pytest.param({"independent": True, "error_consequence": "catastrophic"}, id="said-independent"),
        pytest.param({"situation": "small-coherent"}, id="small-coherent"),
    ],
)
@pytest.mark.parametrize("agents", [2, 5, 8])
def test_what_is_coupled_closely_is_never_called_parallel(agents: int, said: dict[str, Any]):
    advice = asked(agents=agents, **said)

    assert advice.manner == "direct"
    assert advice.coupling in {"medium", "tight"}


def test_independence_that_danger_overrules_is_named():
    advice = asked(agents=5, independent=True, error_consequence="catastrophic")

    assert [finding.where for finding in advice.findings] == ["independent"]
    assert "coordinated as if they depended" in advice.findings[0].message


@pytest.mark.parametrize(
    ("agents", "level", "part"),
    [
        pytest.param(1, "none", "no other agents", id="alone"),
        pytest.param(3, "minimal", "enough for so few", id="team-size-small"),
        pytest.param(9, "minimal", "enough for so few", id="team-size-small-last"),
        pytest.param(10, "moderate", "checks and audits by others", id="team-size-medium"),
        pytest.param(49, "moderate", "log of concerns", id="team-size-medium-last"),
        pytest.param(50, "substantial", "1 × state manager", id="team-size-large"),
        pytest.param(1_000, "substantial", "3 × audit", id="team-size-large-1000"),
    ],
)
def test_infrastructure_is_minimal_moderate_or_substantial_by_size(agents: int, level: str, part: str):
    advice = asked(agents=agents)

    assert advice.infrastructure_level == level
    assert part in why(advice, "infrastructure")


def tiers(advice: Advice) -> list[tuple[str, str, str]]:
    return [(tier.where, tier.policy, tier.frequency) for tier in advice.sync_tiers]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({"agents": 1}, [], id="alone"),
        pytest.param({"agents": 5}, [("all agents", "phase", "regular")], id="team-size-small"),
        pytest.param(
            {"agents": 20},
            [("inside a team", "phase", "regular"), ("between teams", "milestone", "rare")],
            id="team-size-medium",
        ),
        pytest.param(
            {"agents": 300, "change_rate": "high"},
            [
                ("inside a team", "adaptive", "frequent"),
                ("between the teams of a domain", "adaptive", "regular"),
                ("between domains", "phase", "regular"),
            ],
            id="team-size-large",
        ),
        pytest.param(
            {"agents": 15, "domain_coupling": "tight"},
            [("inside a team", "interval", "frequent"), ("between teams", "interval", "frequent")],
            id="tight-domains",
        ),
        pytest.param(
            {"agents": 15, "error_consequence": "catastrophic"},
            [("inside a team", "interval", "frequent"), ("between teams", "interval", "frequent")],
            id="catastrophic",
        ),
        pytest.param(
            {"agents": 60, "task_duration": "subsecond"},
            [("inside a team", "event", "frequent"), ("between teams", "phase", "regular")],
            id="subsecond",
        ),
    ],
)
def test_each_level_synchronises_at_a_pace_of_its_own(said: dict[str, Any], expected: list[tuple[str, str, str]]):
    assert tiers(asked(**said)) == expected


@pytest.mark.parametrize("priority", [None, "coherence", "speed", "resilience"])
def test_leads_are_led_by_leads_only_from_three_coordinating_levels(priority: Any):
    for agents in (*BOUNDARIES[1:], 21, 22, 64, 65):
        advice = advise(AdviceQuestion(agents=agents, priority=priority))
        said = f"{why(advice, 'manner')} {why(advice, 'structure')}"

        assert ("leads themselves" in said) <= (advice.levels >= 3)
        assert priority or agents not in {65, 100} or "leads themselves need leads" in said


def test_a_federation_for_resilience_is_not_said_to_be_one_for_its_size():
    assert "no agent can hold the whole" not in why(asked(agents=30, priority="resilience"), "structure")
    assert "no agent can hold the whole" in why(asked(agents=300, priority="resilience"), "structure")


def test_pairs_are_counted_in_a_mesh_and_within_scope():
    # 40 agents: 40 × 39 / 2 pairs; each sees the 7 others of a full team.
    assert "780 pairs (R7); each seeing the 7 others of a full team is 280 views, n × k (V4)" in why(
        asked(agents=40), "depth"
    )


@pytest.mark.parametrize("agents", range(2, 60))
def test_a_mesh_is_affordable_only_where_there_is_no_hierarchy(agents: int):
    advice = asked(agents=agents)

    assert ("mesh" in advice.profile.topology) == (advice.structure is Structure.FLAT)
