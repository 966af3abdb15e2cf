import pytest

from echelon.model.graph import TaskGraph, TaskSpec
from echelon.planning.planner import plan
from echelon.visibility.comparison import compare
from tests.unit.visibility.building import MEASURES

PLAN = plan(
    TaskGraph(
        name="job",
        goal="find risks",
        tasks=tuple(TaskSpec(id=f"t{i}", goal="look", seconds=10, tokens=50_000) for i in range(3)),
    )
)


def off(**measured: float | None) -> dict[str, float | None]:
    return {one.name: one.off for one in compare(PLAN, MEASURES.model_copy(update=measured))}


def test_a_forecast_stands_beside_what_was_measured():
    time, coordination, tokens = compare(
        PLAN, MEASURES.model_copy(update={"makespan_seconds": 12.0, "tokens": 170_000})
    )

    assert time.predicted is not None
    assert time.predicted.low == time.predicted.high == PLAN.makespan.predicted
    assert (time.measured, coordination.measured, tokens.measured) == (12.0, 0.125, 170_000)


def test_how_far_a_forecast_was_off_is_a_share_of_it():
    predicted = PLAN.makespan.predicted
    assert predicted is not None

    assert off(makespan_seconds=predicted * 1.1)["makespan, seconds"] == pytest.approx(0.1)
    assert off(makespan_seconds=predicted * 0.5)["makespan, seconds"] == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("ratio", "expected"),
    # R4: three agents usually spend 10 to 15 % on coordination.
    [(0.10, 0.0), (0.12, 0.0), (0.15, 0.0), (0.30, 1.0), (0.05, -0.5), (None, None)],
)
def test_inside_of_a_range_nothing_is_off(ratio: float | None, expected: float | None):
    assert off(coordination_ratio=ratio)["coordination ratio"] == (
        None if expected is None else pytest.approx(expected)
    )


def test_what_is_not_known_is_never_zero():
    assert off(makespan_seconds=None, tokens=None, coordination_ratio=None) == {
        "makespan, seconds": None,
        "coordination ratio": None,
        "tokens": None,
    }
