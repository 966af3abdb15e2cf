from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.errors import InvalidInput
from echelon.model.scaling import Curve, Parameters
from echelon.planning.overhead import overhead
from echelon.planning.regime import minimum_levels, overhead_floor
from echelon.scaling.comparison import compare
from echelon.scaling.rounds import play
from echelon.scaling.scalability import fit, flat_fit, flat_speedup
from echelon.scaling.simulation import (
    DEFAULT_TASKS_PER_SYNC,
    flat,
    level_sizes,
    spread,
    structured,
    tree,
    tree_speedup,
)

LAW = flat_fit().parameters
laws = st.builds(Parameters, contention=st.floats(0, 0.5), coherency=st.floats(0, 0.05))


def speedups(curve: Curve) -> list[float]:
    return [point.speedup for point in curve.points]


def test_structure_at_100_agents_delivers_five_times_the_best_of_flat():
    best = flat(range(1, 201), LAW).ceiling.throughput

    assert tree([100], LAW).points[0].throughput >= 5 * best
    assert structured([100], LAW).points[0].throughput >= 5 * best
    assert compare([100]).advantage.ratio >= 5


@pytest.mark.parametrize("span", [2, 5, 8, 12])
def test_up_to_the_span_the_tree_is_the_flat_group(span: int):
    agents = range(1, span + 1)

    assert speedups(tree(agents, LAW, span)) == pytest.approx(speedups(flat(agents, LAW)))


def test_the_ninth_agent_divides_the_group_and_throughput_jumps():
    # nine in one group become five and four: queues of 4.5 and 2 on the mean, instead of one of 9
    assert tree_speedup(9, LAW, 8, 1) > 1.4 * flat_speedup(9, LAW)


@given(st.integers(1, 99_999), st.integers(1, 12))
def test_more_agents_deliver_more_under_a_tree_of_the_usual_span(agents: int, tasks: int):
    assert tree_speedup(agents + 1, LAW, 8, tasks) > tree_speedup(agents, LAW, 8, tasks)


@given(st.integers(1, 5000))
def test_more_agents_deliver_more_when_structured(agents: int):
    here, more = speedups(structured([agents, agents + 1], LAW))

    assert more > here


@pytest.mark.parametrize("agents", [*range(2, 130), 200, 256, 500, 512, 700, 1000])
def test_r4_structured_overhead_lies_in_the_usual_band(agents: int):
    point = structured([agents], LAW).points[0]
    band = overhead(agents).band
    floor = overhead_floor(agents)

    assert band.low - 1e-9 <= point.overhead <= band.high + 1e-9
    assert floor is None or point.overhead >= floor.low


@given(laws, st.integers(1, 20_000), st.integers(2, 30), st.integers(1, 20))
def test_r4_no_parameters_promise_less_overhead_than_is_expected(law: Parameters, agents: int, span: int, tasks: int):
    point = structured([agents], law, span, tasks).points[0]

    assert point.overhead >= overhead(agents).predicted - 1e-9
    assert point.speedup <= tree_speedup(agents, law, span, tasks) + 1e-9


def test_the_default_is_the_fewest_tasks_per_sync_that_keep_queues_within_the_usual_overhead():
    def beyond(tasks: int) -> list[int]:
        lost = {n: 1 - tree_speedup(n, LAW, 8, tasks) / n for n in range(2, 1001)}
        return [n for n, share in lost.items() if share > overhead(n).band.high]

    assert beyond(DEFAULT_TASKS_PER_SYNC) == []
    assert beyond(DEFAULT_TASKS_PER_SYNC - 1)


@given(laws, st.integers(1, 3000), st.integers(2, 20), st.integers(1, 10))
def test_rarer_sync_points_never_cost_throughput(law: Parameters, agents: int, span: int, tasks: int):
    assert tree_speedup(agents, law, span, tasks + 1) >= tree_speedup(agents, law, span, tasks)


@given(st.integers(1, 100_000), st.integers(2, 40))
def test_r2_nobody_has_more_reports_than_the_span_and_no_level_is_in_vain(agents: int, span: int):
    sizes = level_sizes(agents, span)

    assert sizes[-1] == 1
    assert all(below <= above * span for below, above in pairwise(sizes))
    assert len(sizes) - 1 == minimum_levels(agents, span)


def test_overhead_is_the_share_of_time_that_is_lost():
    (point,) = flat([10], Parameters(contention=0.1, coherency=0.0, single=2.0)).points

    assert point.speedup == pytest.approx(10 / 1.9)
    assert point.throughput == pytest.approx(2 * 10 / 1.9)
    assert point.overhead == pytest.approx(1 - 1 / 1.9)


def test_the_ceiling_of_flat_is_known_wherever_the_range_ends():
    assert flat([1, 2], LAW).ceiling == flat([50, 60], LAW).ceiling
    assert flat([1, 2], LAW).ceiling.agents == 10


def test_a_curve_that_still_grows_has_no_ceiling_but_its_end():
    assert structured(range(1, 50), LAW).ceiling.found is False
    assert flat(range(1, 50), Parameters(contention=0.1, coherency=0.0)).ceiling.agents == 49


def test_a_wide_span_can_have_its_ceiling_within_the_range():
    # one level up to 30 agents is flat, whose peak is at 10
    assert tree(range(1, 31), LAW, 30).ceiling.model_dump(exclude={"throughput"}) == {"agents": 10, "found": True}


@pytest.mark.parametrize(("span", "tasks", "said"), [(1, 1, "span of 1"), (8, 0, "once in 0 tasks")])
def test_a_tree_that_cannot_be_built_is_refused(span: int, tasks: int, said: str):
    with pytest.raises(InvalidInput, match=said):
        structured([10], LAW, span, tasks)
    with pytest.raises(InvalidInput, match=said):
        play([10], LAW, span, tasks)


@given(st.integers(1, 10_000), st.integers(0, 10_000), st.integers(2, 30))
def test_numbers_are_spread_over_the_whole_range(first: int, more: int, most: int):
    numbers = spread(first, first + more, most)

    assert len(numbers) <= most
    assert (numbers[0], numbers[-1]) == (first, first + more)
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("agents", [1, 2, 7, 10, 20, 64])
def test_rounds_without_variation_are_exactly_the_law(agents: int):
    (played,) = play([agents], LAW, variation=0.0)

    assert played.throughput == pytest.approx(flat_speedup(agents, LAW))


@pytest.mark.parametrize(("agents", "span", "tasks"), [(8, 8, 1), (64, 8, 1), (64, 8, 6), (27, 3, 2), (512, 8, 6)])
def test_rounds_of_a_full_tree_without_variation_are_exactly_the_formula(agents: int, span: int, tasks: int):
    (played,) = play([agents], LAW, span, tasks, variation=0.0)

    assert played.throughput == pytest.approx(tree_speedup(agents, LAW, span, tasks))


@pytest.mark.parametrize(("variation", "within"), [(0.05, 0.10), (0.2, 0.16)])
def test_rounds_with_variation_agree_with_both_formulas(variation: float, within: float):
    agents = [1, 2, 5, 10, 20, 50, 100, 200]
    played_flat = [point.throughput for point in play(agents, LAW, variation=variation)]
    played_tree = [point.throughput for point in play(agents, LAW, 8, variation=variation)]

    assert played_flat == pytest.approx(speedups(flat(agents, LAW)), rel=within)
    assert played_tree == pytest.approx(speedups(tree(agents, LAW)), rel=within)


@pytest.mark.parametrize(
    ("agents", "speedup"), [(5, 3.0), (10, 4.0), (15, 4.0), (20, 3.0)], ids=lambda value: f"S-{value}"
)
def test_played_rounds_reproduce_the_flat_example(agents: int, speedup: float):
    assert play([agents], LAW)[0].throughput == pytest.approx(speedup, abs=0.5)


def test_the_law_fitted_to_played_rounds_has_the_same_ceiling():
    found = fit(play(spread(1, 40, 10), LAW))

    assert found.r_squared > 0.99
    assert flat([1], found.parameters).ceiling.agents == pytest.approx(10, abs=1)


def test_the_same_seed_plays_the_same_and_another_does_not():
    assert play([5, 9], LAW) == play([5, 9], LAW)
    assert play([9], LAW) == play([5, 9], LAW)[1:]
    assert play([9], LAW, seed=1) != play([9], LAW, seed=2)


def test_where_coordination_is_everything_rounds_still_end():
    assert play([3], Parameters(contention=1.0, coherency=0.0))[0].throughput == pytest.approx(1.0)


def test_few_or_many_agents_are_compared_without_playing_what_would_take_long():
    assert compare([7]).played_flat.fit is None  # type: ignore[union-attr]
    assert compare([2000, 3000]).played_tree.points == ()  # type: ignore[union-attr]
    assert compare(range(1, 3001)).played_flat.points[-1].agents == 1000  # type: ignore[union-attr]
