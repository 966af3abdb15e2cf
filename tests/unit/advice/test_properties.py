from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.advice.advise import advise
from echelon.advice.choices import (
    COMMUNICATION,
    CONTRACTS,
    CONTROL,
    COUPLING_ACROSS,
    INFRASTRUCTURE,
    INTEGRATION,
    MANNERS,
    SYNC,
    VISIBILITY,
)
from echelon.advice.prices import PRICES
from echelon.advice.safety import PAUSES, VERIFICATION
from echelon.advice.values import Advice, AdviceQuestion, Situation
from echelon.model.graph import TaskSpec
from echelon.model.organisation import Structure
from echelon.planning.infrastructure import infrastructure_count
from echelon.planning.planner import plan
from echelon.planning.regime import minimum_levels, next_transition, profile, recommended_levels, structure_for
from tests.unit.advice.asking import BOUNDARIES, asked, questions
from tests.unit.planning.building import graph

TABLES = (
    MANNERS,
    SYNC,
    COUPLING_ACROSS,
    CONTRACTS,
    CONTROL,
    COMMUNICATION,
    INTEGRATION,
    VISIBILITY,
    VERIFICATION,
    PAUSES,
    INFRASTRUCTURE,
)


def test_every_choice_of_every_table_has_a_price_unless_it_gives_nothing_up():
    free = {("manner", "alone"), ("coupling across", "none"), ("sync", "none"), ("verification", "none")}
    free |= {("pauses", "none"), ("infrastructure", "none"), ("infrastructure", "minimal")}
    aspects = (
        "manner",
        "sync",
        "coupling across",
        "contracts",
        "control",
        "communication",
        "integration",
        "visibility",
        "verification",
        "pauses",
        "infrastructure",
    )
    rows = {
        (aspect, row.choice[0] if isinstance(row.choice, tuple) else row.choice)
        for aspect, rows in zip(aspects, TABLES, strict=True)
        for row in rows
    }
    others = {key for key in PRICES if key[0] in {"structure", "coupling", "depth", "priority"}}

    assert rows - set(PRICES) == free
    assert set(PRICES) == (rows - free) | others
    assert {choice for aspect, choice in others if aspect == "structure"} == set(Structure)


@given(questions())
def test_every_question_gets_an_answer_with_reasons(question: AdviceQuestion):
    advice = advise(question)

    assert advice.profile == profile(advice.agents)
    assert advice.next_transition == next_transition(advice.agents)
    assert len({reason.aspect for reason in advice.reasons}) == len(advice.reasons) >= 14
    assert all(reason.text and reason.rule and reason.choice for reason in advice.reasons)
    assert advice == advise(question)
    assert Advice.model_validate_json(advice.model_dump_json()) == advice


@given(questions())
def test_choices_never_contradict_each_other(question: AdviceQuestion):
    advice = advise(question)

    assert advice.structure is structure_for(advice.agents, advice.question.priority)
    assert minimum_levels(advice.agents) <= advice.levels <= advice.depth == recommended_levels(advice.agents)
    assert (advice.communication == "synchronous") == (advice.coupling == "tight")
    assert (advice.manner == "parallel") <= (advice.coupling in {"none", "loose"})
    assert (advice.infrastructure_level == "substantial") == bool(advice.infrastructure)
    assert advice.structure is not Structure.FEDERATED or advice.coupling_across == "loose"
    assert sum(need.agents for need in advice.infrastructure) == infrastructure_count(advice.agents)
    assert (advice.verification == "dedicated") == bool(advice.infrastructure)


@given(questions())
def test_an_answered_question_gets_the_same_answer_again(question: AdviceQuestion):
    first = advise(question)
    again = advise(first.question)

    assert again.model_copy(update={"findings": ()}) == first.model_copy(update={"findings": ()})


ORDERS = {
    "structure": tuple(Structure),
    "control": ("centralised", "distributed"),
    "integration": ("central", "staged", "distributed"),
    "visibility": ("comprehensive", "exceptions", "statistical"),
    "verification": ("none", "escalation", "independent", "audited", "dedicated"),
    "pauses": ("none", "before_irreversible", "mandatory"),
}


@given(questions(), st.integers(1, 500))
def test_nothing_shrinks_as_agents_are_added(question: AdviceQuestion, more: int):
    fewer = advise(question)
    larger = advise(question.model_copy(update={"agents": fewer.agents + more}))

    assert fewer.levels <= larger.levels
    assert fewer.depth <= larger.depth
    assert sum(need.agents for need in fewer.infrastructure) <= sum(need.agents for need in larger.infrastructure)
    for name, order in ORDERS.items():
        assert order.index(getattr(fewer, name)) <= order.index(getattr(larger, name))


@pytest.mark.parametrize("priority", [None, "coherence", "speed", "resilience"])
def test_advice_and_plan_agree(priority: Any):
    for n in BOUNDARIES:
        tasks = tuple(TaskSpec(id=f"t{i}", goal="look") for i in range(n))
        made = plan(graph(tasks), priority=priority)
        advice = asked(agents=max(1, made.n_agents), priority=priority)

        assert (made.structure, made.levels) == (advice.structure, advice.levels)
        assert made.profile == profile(made.n_agents)


def test_every_combination_of_a_few_sizes_is_answered():
    rates, dangers, kinds = ("high", "low"), ("catastrophic", "minor"), (None, *get_args(Situation))
    for n, rate, danger, kind in product((1, 5, 15, 60, 400), rates, dangers, kinds):
        assert asked(agents=n, change_rate=rate, error_consequence=danger, situation=kind).reasons
