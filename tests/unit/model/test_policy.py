"""Policies as data: None inherits, False switches off, and what makes no sense is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from echelon.model.policy import (
    DEFAULT_RESILIENCE,
    BreakerPolicy,
    BulkheadPolicy,
    Resilience,
    RetryBudgetPolicy,
)
from echelon.model.usage import Budget, Price, Usage

OFF_OR_INHERITED = [st.none(), st.just(False)]
POLICIES = st.builds(
    Resilience,
    timeout_seconds=st.one_of(*OFF_OR_INHERITED, st.sampled_from([1.0, 60.0])),
    idle_seconds=st.one_of(*OFF_OR_INHERITED, st.just(5.0)),
    attempts=st.none() | st.integers(1, 5),
    breaker=st.one_of(*OFF_OR_INHERITED, st.just("provider")),
    breaker_policy=st.none() | st.just(BreakerPolicy(half_open_calls=2)),
    provider=st.one_of(*OFF_OR_INHERITED, st.just("other")),
    bulkhead=st.one_of(*OFF_OR_INHERITED, st.just(BulkheadPolicy(max_concurrency=4))),
    budget=st.one_of(*OFF_OR_INHERITED, st.just(Budget(tokens=100, final_call=0.2))),
    domain_budget=st.one_of(*OFF_OR_INHERITED, st.just(Budget(calls=5))),
    retry_budget=st.one_of(*OFF_OR_INHERITED, st.just(RetryBudgetPolicy(retries=3))),
)


@given(POLICIES, POLICIES)
def test_what_is_stated_holds_and_what_is_not_is_inherited(inner: Resilience, outer: Resilience) -> None:
    both = inner.over(outer)
    for name in Resilience.model_fields:
        own = getattr(inner, name)

        assert getattr(both, name) == (getattr(outer, name) if own is None else own)
    assert isinstance(both.bulkhead, BulkheadPolicy | bool | None)  # a policy inside stays a policy


@given(POLICIES, POLICIES, POLICIES)
def test_levels_can_be_joined_in_any_grouping(agent: Resilience, phase: Resilience, job: Resilience) -> None:
    assert agent.over(phase).over(job) == agent.over(phase.over(job))


@given(POLICIES)
def test_a_policy_survives_json(policy: Resilience) -> None:
    assert Resilience.model_validate_json(policy.model_dump_json()) == policy


@pytest.mark.parametrize(
    "mistake",
    [
        {"timeout_seconds": True},
        {"timeout_seconds": 0},
        {"timeout_seconds": -1},
        {"idle_seconds": 0},
        {"attempts": 0},
        {"attempts": True},
        {"attempts": False},  # one attempt is `attempts=1`
        {"breaker": True},
        {"bulkhead": True},
        {"bulkhead": {"max_concurrency": 0}},
        {"bulkhead": {"max_concurrency": 1, "max_queue": -1}},
        {"retry_budget": {"retries": 0}},
        {"budget": True},
        {"budget": 0},
        {"budget": {"tokens": 0}},
        {"domain_budget": 100},
        {"timeout": 3},
    ],
    ids=repr,
)
def test_a_policy_that_makes_no_sense_is_refused(mistake: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Resilience.model_validate(mistake)


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        (Resilience(), None),
        (Resilience(breaker="a"), "a"),
        (Resilience(breaker="a", provider="b"), "b"),
        (Resilience(breaker="a", provider=False), "a"),
        (Resilience(breaker=False, provider="b"), "b"),
        (Resilience(breaker=False), None),
    ],
)
def test_the_dependency_is_the_provider_or_what_the_breaker_guards(policy: Resilience, name: str | None) -> None:
    assert policy.dependency == name


def test_whole_numbers_of_seconds_are_seconds() -> None:
    assert Resilience(timeout_seconds=5).timeout_seconds == 5
    assert DEFAULT_RESILIENCE.retry_budget == RetryBudgetPolicy()


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(tokens_in=1_000_000, tokens_out=500_000), 3 + 7.5),
        (Usage(tokens_in=0, tokens_out=0), 0.0),
        (Usage(tokens_in=10), None),  # half of it is not known, so none of it is
        (Usage(), None),
    ],
)
def test_a_price_tells_what_a_usage_costs_and_unknown_is_never_zero(usage: Usage, cost: float | None) -> None:
    assert Price(input=3, output=15).of(usage) == cost


@given(tokens=st.integers(0, 10**7), read=st.floats(0, 1), price=st.tuples(st.floats(0, 90), st.floats(0, 90)))
def test_no_call_costs_more_than_the_estimate_for_its_tokens(
    tokens: int, read: float, price: tuple[float, float]
) -> None:
    tokens_in = round(tokens * read)
    each = Price(input=price[0], output=price[1])
    cost = each.of(Usage(tokens_in=tokens_in, tokens_out=tokens - tokens_in))

    assert cost is not None
    assert cost <= each.at_most(tokens) * (1 + 1e-9)


def test_costs_add_up_and_stay_unknown_only_when_nobody_knows() -> None:
    assert (Usage(cost=1.5) + Usage(cost=0.5)).cost == 2
    assert (Usage(cost=1.5) + Usage()).cost == 1.5
    assert (Usage() + Usage()).cost is None


@pytest.mark.parametrize(
    ("budget", "usual"),
    [
        (Budget(tokens=100), Budget(tokens=100)),
        (
            Budget(seconds=10, tokens=100, calls=10, cost=2, final_call=0.25),
            Budget(seconds=7.5, tokens=75, calls=7, cost=1.5),
        ),
        (Budget(tokens=1, calls=1, final_call=0.5), Budget(tokens=1, calls=1)),
        (Budget(calls=2, final_call=0.1), Budget(calls=1)),
    ],
)
def test_what_is_kept_back_for_the_final_call_is_no_part_of_the_usual_budget(budget: Budget, usual: Budget) -> None:
    assert budget.usual == usual


def test_a_budget_in_an_old_plan_still_keeps_its_share_back() -> None:
    assert Budget.model_validate_json('{"tokens": 100, "landing": 0.2}') == Budget(tokens=100, final_call=0.2)
