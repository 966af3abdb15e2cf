import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from echelon.model.policy import DEFAULT_RESILIENCE, Resilience
from echelon.model.usage import Budget, Usage

TOKENS = st.none() | st.integers(0, 10**6)
USAGES = st.builds(Usage, tokens_in=TOKENS, tokens_out=TOKENS, calls=st.integers(0, 9), seconds=st.integers(0, 99))


@pytest.mark.parametrize(
    ("left", "right", "tokens"),
    [
        (Usage(), Usage(), None),  # not known is never zero
        (Usage(tokens_in=3), Usage(), 3),
        (Usage(tokens_in=3, tokens_out=4), Usage(tokens_in=1), 8),
        (Usage(tokens_out=0), Usage(), 0),
    ],
)
def test_what_is_unknown_stays_unknown_only_when_nobody_knows(left: Usage, right: Usage, tokens: int | None) -> None:
    assert (left + right).tokens == tokens


@given(USAGES, USAGES, USAGES)
def test_usage_is_summed_in_any_order(one: Usage, two: Usage, three: Usage) -> None:
    assert (one + two) + three == three + (two + one)
    assert one + Usage() == one


def test_a_budget_of_nothing_is_refused_and_none_is_no_bound() -> None:
    assert Budget() == Budget(seconds=None, tokens=None, calls=None)
    for bound in ("seconds", "tokens", "calls"):
        with pytest.raises(ValidationError):
            Budget.model_validate({bound: 0})


def test_a_policy_takes_from_the_outer_one_what_it_does_not_say_itself() -> None:
    agent, phase = Resilience(attempts=1), Resilience(attempts=5, timeout_seconds=7, breaker="provider")

    effective = agent.over(phase.over(DEFAULT_RESILIENCE))

    assert (effective.attempts, effective.timeout_seconds, effective.breaker) == (1, 7, "provider")
    assert effective.backoff_seconds == DEFAULT_RESILIENCE.backoff_seconds
