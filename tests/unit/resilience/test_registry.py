"""All callers of a dependency share one breaker."""

import pytest

from echelon.model.errors import InvalidJob
from echelon.model.policy import BreakerPolicy
from echelon.resilience.registry import BreakerRegistry


def test_a_name_has_one_breaker() -> None:
    registry = BreakerRegistry()

    assert registry.get("provider") is registry.get("provider")
    assert registry.get("provider") is not registry.get("tool")
    assert {breaker.name for breaker in registry} == {"provider", "tool"}


def test_the_first_caller_may_set_the_policy_and_the_next_ones_share_it() -> None:
    registry, policy = BreakerRegistry(), BreakerPolicy(consecutive_failures=2)

    assert registry.get("provider", policy) is registry.get("provider")
    assert registry.get("provider", policy).policy == policy


def test_two_policies_for_one_dependency_are_a_mistake_in_the_job() -> None:
    registry = BreakerRegistry()
    registry.get("provider", BreakerPolicy(consecutive_failures=2))

    with pytest.raises(InvalidJob, match="two policies"):
        registry.get("provider", BreakerPolicy(consecutive_failures=3))


def test_a_process_has_one_registry() -> None:
    assert BreakerRegistry.shared() is BreakerRegistry.shared()
