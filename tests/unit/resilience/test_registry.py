"""All callers of a dependency share one breaker."""

import sys

import pytest

from echelon.model.errors import InvalidInput, InvalidJob
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


def test_a_process_has_one_registry_for_each_redis() -> None:
    first = BreakerRegistry.shared("redis://127.0.0.1:1/0")

    assert first is BreakerRegistry.shared("redis://127.0.0.1:1/0")
    assert first is not BreakerRegistry.shared()
    assert first.shared_through == "process"


def test_what_nobody_called_can_be_neither_isolated_nor_reset() -> None:
    registry = BreakerRegistry()
    registry.get("provider")

    with pytest.raises(InvalidInput, match="no breaker is named 'provder'; there are: provider"):
        registry.isolate("provder", "maintenance")


@pytest.mark.parametrize("url", ["localhost:6379", "http://:hush@host", "redis://:hush@host:port/0"])
def test_a_wrong_address_is_named_without_telling_its_password(url: str) -> None:
    with pytest.raises(InvalidInput, match="redis://host:port/db") as refused:
        BreakerRegistry(redis_url=url)

    assert "hush" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_without_the_library_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.retry", None)  # as the interpreter treats a module that is not there

    with pytest.raises(InvalidInput, match=r"redis is not installed: pip install 'echelon\[redis\]'"):
        BreakerRegistry(redis_url="redis://127.0.0.1:1/0")
