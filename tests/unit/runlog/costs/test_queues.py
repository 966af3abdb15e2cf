"""M9: the depth of queues over the time of a run, and whether it grew."""

import pytest

from echelon.runlog.costs.queues import depth_of, queues_of
from echelon.runlog.state import RunState, fold
from tests.unit.runlog.costs.three_levels import LEAD, log


@pytest.mark.parametrize(
    ("times", "most", "mean", "growth"),
    [
        ([(0, 10)], 1, 1.0, 0.0),  # one waits all the time: the queue is flat
        ([(0, 2), (2, 4)], 1, 0.4, -1.44),  # 12 / 100 * ((4-5)² - (0-5)²) / 2 = 12 / 100 * -12
        ([(5, 10)], 1, 0.5, 1.5),  # 12 / 100 * (25 - 0) / 2
        ([(8, 10)] * 3, 3, 0.6, 2.88),  # 3 * 12 / 100 * (25 - 9) / 2
        ([(0, 2)] * 3, 3, 0.6, -2.88),
        ([(4, 6)], 1, 0.2, 0.0),  # in the middle it leans to neither side
    ],
)
def test_depth_and_growth_are_sums_over_waits(
    times: list[tuple[float, float]], most: int, mean: float, growth: float
) -> None:
    found = depth_of("slots", "limit", times, 10)

    assert (found.most, found.mean, found.growth) == (most, pytest.approx(mean), pytest.approx(growth))


def test_coordinators_and_limits_have_queues() -> None:
    found = {queue.name: queue for queue in queues_of(fold(log()))}

    # a1 waited for a slot from 1 to 3, the lead had everything from 13 to 17, the verifier (at the primary) from 13 to
    # 14; the run took 58 s. Tasks that wait for their sync point stand before no coordinator.
    assert {name: (queue.before, queue.most) for name, queue in found.items()} == {
        "slots": ("limit", 1),
        LEAD: ("coordinator", 1),
        "primary": ("coordinator", 1),
    }
    assert found[LEAD].mean == pytest.approx(4 / 58)
    assert found["slots"].growth == pytest.approx(12 * ((3 - 29) ** 2 - (1 - 29) ** 2) / 2 / 58**2)


def test_a_run_that_has_not_begun_has_none() -> None:
    assert queues_of(RunState()) == ()
