"""Which integrations are audited: by how many there are, some of every domain, always the same ones (O4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.oversight.audit.sampling import Candidate, rate_for, sampled

candidates = st.lists(
    st.builds(Candidate, st.text(min_size=1), st.sampled_from([None, "pay", "ship"])), unique_by=lambda one: one.task_id
)


@pytest.mark.parametrize(("integrations", "rate"), [(1, 1.0), (9, 1.0), (10, 0.5), (49, 0.5), (50, 0.25), (200, 0.1)])
def test_the_more_integrations_there_are_the_smaller_the_share(integrations: int, rate: float) -> None:
    assert rate_for(integrations) == rate


@given(candidates, st.floats(0.01, 1), st.integers())
def test_some_of_every_domain_are_drawn(made: list[Candidate], rate: float, seed: int) -> None:
    drawn = sampled(made, rate, seed)

    assert {one.domain for one in made if one.task_id in drawn} == {one.domain for one in made}
    assert len(drawn) >= rate * len(made) - 1e-6


@given(candidates, st.floats(0, 1), st.integers(), st.randoms())
def test_the_same_seed_draws_the_same_ones_in_whatever_order(made: list[Candidate], rate: float, seed: int, by: object):
    turned = sorted(made, key=lambda one: by.random())  # type: ignore[attr-defined]

    assert set(sampled(turned, rate, seed)) == set(sampled(made, rate, seed))


def test_another_seed_draws_others() -> None:
    made = [Candidate(f"m{number}", None) for number in range(100)]

    assert sampled(made, 0.1, 1) != sampled(made, 0.1, 2)


def test_a_rate_of_zero_draws_none_and_one_draws_all() -> None:
    made = [Candidate("a", None), Candidate("b", "pay")]

    assert (sampled(made, 0.0, 0), sampled(made, 1.0, 0)) == ((), ("a", "b"))
