import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from cyclopts import App, CycloptsError

from echelon.cli.advise import advise
from echelon.cli.arguments.refusals import refusal
from echelon.model.errors import InvalidInput

#: Keys of the answer that other programs rely on: more may come, none may go.
KEYS = {
    "structure",
    "levels",
    "depth",
    "profile",
    "sync",
    "coupling",
    "contracts",
    "control",
    "communication",
    "verification",
    "pauses",
    "infrastructure",
    "next_transition",
    "reasons",
}


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    app = App(exit_on_error=False, print_error=False, result_action="return_value")
    app.command(advise)

    def call(*arguments: str) -> str:
        assert app(["advise", *arguments]) == 0
        return capsys.readouterr().out

    return call


def answer(ask: Callable[..., str], *arguments: str) -> dict[str, Any]:
    return json.loads(ask(*arguments, "--json"))


def test_the_answer_for_machines_has_the_keys_others_rely_on(ask: Callable[..., str]):
    made = answer(ask, "--agents", "40")

    assert set(made) >= KEYS
    assert set(made["profile"]) >= {"overhead", "countermeasures", "topology", "integration", "visibility", "sync"}
    assert set(made["next_transition"]) == {"at", "agents_away", "change", "why"}
    assert set(made["reasons"][0]) >= {"rule", "text", "price"}


def test_all_options_reach_the_question(ask: Callable[..., str]):
    made = answer(
        ask,
        *("--agents", "15", "--dependent", "--domains", "--domain-coupling", "tight", "--priority", "speed"),
        *("--change-rate", "low", "--error-consequence", "significant", "--situation", "medium-expertise"),
        *("--coupling-need", "medium", "--contract-need", "flexible"),
        *("--task-duration", "days", "--time-horizon", "bounded", "--work", "creative", "--predictability", "known"),
    )

    assert made["question"] == {
        "agents": 15,
        "independent": False,
        "natural_domains": True,
        "domain_coupling": "tight",
        "priority": "speed",
        "coupling_need": "medium",
        "contract_need": "flexible",
        "change_rate": "low",
        "error_consequence": "significant",
        "situation": "medium-expertise",
        "task_duration": "days",
        "time_horizon": "bounded",
        "work": "creative",
        "predictability": "known",
    }


def test_people_read_the_recommendation_first(ask: Callable[..., str]):
    said = ask("--agents", "15", "--domains", "--domain-coupling", "tight")

    assert said.startswith("15 agents: hierarchical, tight domains, 2 levels of coordination. Each domain has a lead")
    assert "at 21 agents (6 away): organise in tiers" in said
    assert "70 % coordination" in said
    assert "single point of failure" in said
    assert "Findings" not in said


def test_people_see_what_was_assumed_and_how_contradictions_were_settled(ask: Callable[..., str]):
    assert "typical of 'high-stakes'" in ask("--situation", "high-stakes")
    assert "the number decides" in ask("--situation", "small-coherent", "--agents", "200")


def test_people_see_when_each_level_meets_and_what_coordination_needs(ask: Callable[..., str]):
    said = ask("--agents", "40", "--task-duration", "days")

    assert "inside a team: interval, regular, between teams: milestone, rare" in said
    assert re.search(r"infrastructure +moderate", said)


@pytest.mark.parametrize("agents", ["3", "8", "20", "60", "300"])
def test_nothing_that_is_advised_is_taken_for_a_secret(ask: Callable[..., str], agents: str):
    assert "[secret]" not in ask("--agents", agents)


def test_people_see_where_fewer_levels_are_built_than_recommended_and_who_coordinates(ask: Callable[..., str]):
    said = ask("--agents", "500")

    assert "3 levels (4 recommended) of coordination" in said
    assert "2 × state manager" in said


def test_a_single_agent_is_told_of_no_signals_and_the_last_size_of_no_change(ask: Callable[..., str]):
    assert "Signals" not in ask("--agents", "1")
    assert "next change" not in ask("--agents", "1000000000")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--agents", "0"), "0 agents: the number must be 1 or more"),
        (("--agents", "-5"), "-5 agents: the number must be 1 or more"),
        ((), "give their number .* or a situation"),
    ],
)
def test_what_cannot_be_answered_is_refused(ask: Callable[..., str], arguments: tuple[str, ...], line: str):
    with pytest.raises(InvalidInput, match=line):
        ask(*arguments)


def test_an_unknown_situation_is_refused_with_the_known_ones(ask: Callable[..., str]):
    with pytest.raises(CycloptsError) as caught:
        ask("--situation", "odd")

    assert "takes one of small-coherent, medium-expertise, large-speed" in refusal(caught.value)
