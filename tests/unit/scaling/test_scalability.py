import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.model.errors import InvalidInput
from echelon.model.scaling import Measured, Parameters
from echelon.scaling.scalability import (
    FLAT_EXAMPLE,
    MOST_AGENTS,
    ceiling,
    extra_time,
    fit,
    flat_ceiling,
    flat_fit,
    flat_speedup,
)


def measured(law: Parameters, agents: list[int]) -> list[Measured]:
    return [Measured(agents=n, throughput=law.single * flat_speedup(n, law)) for n in agents]


@pytest.mark.parametrize(
    ("agents", "speedup"), [(1, 1.0), (5, 3.0), (10, 4.0), (15, 4.0), (20, 3.0)], ids=lambda value: f"S-{value}"
)
def test_one_fitted_pair_reproduces_the_flat_example(agents: int, speedup: float):
    assert flat_speedup(agents, flat_fit().parameters) == pytest.approx(speedup, abs=0.5)


def test_the_fit_to_the_example_says_how_near_it_is():
    found = flat_fit()

    assert found.r_squared > 0.94
    assert found.largest_error < 0.35
    assert found.parameters.single == 1.0


def test_flat_coordination_delivers_less_beyond_ten_agents():
    law = flat_fit().parameters

    assert flat_ceiling() == 10
    assert flat_speedup(10, law) > max(flat_speedup(9, law), flat_speedup(11, law))


@settings(deadline=None, max_examples=25)
@given(
    st.floats(0, 1),
    st.floats(0, 0.1),
    st.floats(1e-3, 1e6),
    st.lists(st.integers(1, 500), min_size=4, max_size=9, unique=True),
)
def test_points_of_a_law_are_fitted_by_a_law(contention: float, coherency: float, single: float, agents: list[int]):
    points = measured(Parameters(contention=contention, coherency=coherency, single=single), agents)
    found = fit(points)

    assert found.largest_error <= 1e-6 * max(point.throughput for point in points)


@pytest.mark.parametrize(
    ("contention", "coherency"), [(0.05, 0.002), (0.3, 0.0), (0.0, 0.01), (0.0, 0.0), (1.0, 0.0), (0.5, 0.1)]
)
def test_the_parameters_behind_exact_points_are_found(contention: float, coherency: float):
    law = Parameters(contention=contention, coherency=coherency, single=7.0)
    found = fit(measured(law, [1, 2, 4, 8, 16, 32])).parameters

    assert found.contention == pytest.approx(contention, abs=1e-8)
    assert found.coherency == pytest.approx(coherency, abs=1e-8)
    assert found.single == pytest.approx(7.0)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(1, 300), st.floats(0.01, 1e4)), min_size=3, max_size=12, unique_by=lambda p: p[0])
)
def test_any_points_get_a_fit_that_no_near_parameters_beat(pairs: list[tuple[int, float]]):
    points = [Measured(agents=agents, throughput=throughput) for agents, throughput in pairs]
    found = fit(points).parameters

    def error(law: Parameters) -> float:
        return sum((law.single * flat_speedup(p.agents, law) - p.throughput) ** 2 for p in points)

    nearby = [
        found.model_copy(update={name: getattr(found, name) * factor})
        for name in ("contention", "coherency", "single")
        for factor in (0.99, 1.01)
    ]
    assert found.contention >= 0
    assert found.coherency >= 0
    highest = max(point.throughput for point in points)
    allowed = [law for law in nearby if law.single <= 100 * highest]  # nobody alone does 100 times the best
    assert error(found) <= min(map(error, allowed)) + 1e-4 * highest**2


def test_throughput_that_only_grows_faster_than_the_agents_is_fitted_without_loss():
    found = fit([Measured(agents=n, throughput=n**1.2) for n in (1, 2, 4, 8)]).parameters

    assert (found.contention, found.coherency) == (0.0, 0.0)


def test_the_unit_of_throughput_changes_nothing_but_the_unit():
    thousandfold = [Measured(agents=p.agents, throughput=p.throughput * 1000) for p in FLAT_EXAMPLE]
    one, other = fit(FLAT_EXAMPLE), fit(thousandfold)

    assert other.parameters.single == pytest.approx(1000 * one.parameters.single)
    assert other.parameters.contention == pytest.approx(one.parameters.contention)
    assert other.r_squared == pytest.approx(one.r_squared)


def test_equal_throughput_everywhere_has_no_variation_to_explain():
    assert fit([Measured(agents=n, throughput=2.0) for n in (1, 2, 3)]).r_squared == 0.0


@pytest.mark.parametrize("agents", [[], [1], [1, 5], [4, 4, 4, 9]])
def test_fewer_than_three_numbers_of_agents_are_refused(agents: list[int]):
    with pytest.raises(InvalidInput, match="3 are needed"):
        fit([Measured(agents=n, throughput=1.0) for n in agents])


@pytest.mark.parametrize(
    ("contention", "coherency", "peak"),
    # the square root of what contention leaves, by coherency
    [(0.0, 0.01, 10), (0.19, 0.01, 9), (0.0, 1e-6, 1000), (1.0, 0.5, 1), (1.5, 0.5, 1)],
)
def test_the_ceiling_is_where_throughput_stops_growing(contention: float, coherency: float, peak: int):
    found = ceiling(Parameters(contention=contention, coherency=coherency, single=3.0))

    assert found is not None
    assert (found.agents, found.found) == (peak, True)


@pytest.mark.parametrize("coherency", [0.0, 0.5 / MOST_AGENTS**2])
def test_without_a_bend_anybody_can_measure_there_is_no_ceiling(coherency: float):
    assert ceiling(Parameters(contention=0.1, coherency=coherency)) is None


def test_a_group_of_one_waits_for_nobody():
    assert extra_time(1, Parameters(contention=0.5, coherency=0.5)) == 0
