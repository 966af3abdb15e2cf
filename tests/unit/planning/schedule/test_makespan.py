import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.graph import CapacityLimit, TaskSpec
from echelon.model.plan import Makespan
from echelon.model.priors import Priors
from echelon.planning.phases import assign_phases
from echelon.planning.schedule.makespan import Schedule, duration_findings, makespan
from echelon.planning.tree import build_tree
from tests.unit.planning.building import needing, uses

#: Coordination that costs nothing, so that only the tasks count.
FREE = Priors(dispatch_seconds=0, sync_seconds=0, integration_seconds=0)


def timed(*seconds: float | None, after: dict[int, int] | None = None) -> list[TaskSpec]:
    links = after or {}
    return [
        TaskSpec(id=f"t{i}", goal="look", seconds=s, depends_on=uses(f"t{links[i]}") if i in links else ())
        for i, s in enumerate(seconds)
    ]


def predict(tasks: list[TaskSpec], width: int | None = None, priors: Priors = FREE) -> Makespan:
    limits = (CapacityLimit(at_once=width),) if width else ()
    return makespan(
        Schedule(agents=tasks, phases=assign_phases(tasks), tree=build_tree(tasks), priors=priors, limits=limits)
    )


@pytest.mark.parametrize(
    ("seconds", "width", "predicted"),
    [
        ((3, 1, 2), None, 3),
        ((3, 1, 2), 5, 3),
        ((3, 1, 2), 2, 3),  # one agent takes 3, the other 1 then 2
        ((1, 2, 3), 2, 4),  # 1 then 3 beside 2: in order, not longest first
        ((3, 1, 2), 1, 6),
        ((0, 0), 1, 0),
    ],
)
def test_tasks_go_in_their_order_to_the_agent_that_is_free_first(seconds: tuple, width: int | None, predicted: float):
    assert predict(timed(*seconds), width).predicted == predicted


def test_phases_are_barriers():
    # t2 uses t1 (1 s) yet waits for t0 (5 s) to end the phase; the critical path knows no barriers.
    assert predict(timed(5, 1, 2, after={2: 1})) == Makespan(predicted=7, critical_path=5, work=8, coordination=0)


def test_without_any_duration_nothing_is_predicted():
    assert predict(timed(None, None)) == Makespan(predicted=None, critical_path=None, work=None)
    assert duration_findings(timed(None, None)) == ()
    assert predict([]) == Makespan(predicted=None, critical_path=None, work=None)


def test_a_missing_duration_is_taken_as_the_mean_and_said_so():
    tasks = timed(2, None, 4)
    (finding,) = duration_findings(tasks)

    assert predict(tasks).work == 9
    assert (finding.rule, finding.level, finding.where) == ("V6", "info", "t1")
    assert finding.message.startswith("1 of 3 tasks state no duration")


def test_complete_durations_need_no_finding():
    assert duration_findings(timed(1, 2)) == ()


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=40), st.integers(1, 12))
def test_the_forecast_lies_between_its_bounds(seconds: list[float], width: int):
    made = predict(timed(*seconds), width)

    assert made.predicted is not None
    assert made.critical_path is not None
    assert made.work is not None
    assert made.predicted >= max(made.critical_path, made.work / width) - 1e-5
    # Graham: list scheduling is at most work / width + (1 - 1 / width) * longest.
    assert made.predicted <= made.work / width + made.critical_path + 1e-5


def test_a_task_that_needs_a_phase_waits_for_all_of_it():
    assert predict(needing(2, 2)).critical_path == 5


@pytest.mark.parametrize(
    ("priors", "predicted"),
    [
        pytest.param(FREE, 7, id="nothing: 5, then 2"),
        pytest.param(FREE.model_copy(update={"sync_seconds": 0.5}), 8, id="a sync point behind each of two phases"),
        pytest.param(FREE.model_copy(update={"dispatch_seconds": 0.1}), 7.2, id="the longest is started first"),
        # Only the primary of the first phase integrates: in the second it has a single report.
        pytest.param(FREE.model_copy(update={"integration_seconds": 1}), 8, id="one integration"),
    ],
)
def test_coordination_takes_its_time(priors: Priors, predicted: float):
    made = predict(timed(5, 1, 2, after={2: 1}), priors=priors)

    assert made.predicted == pytest.approx(predicted)
    assert made.coordination == pytest.approx(predicted - 7)


def test_every_level_of_the_tree_integrates_in_turn():
    # 9 agents need two levels: a team integrates, then the primary.
    made = predict(timed(*[1.0] * 9), priors=FREE.model_copy(update={"integration_seconds": 1}))

    assert made.predicted == 3


def test_starting_agents_takes_the_processor_one_after_the_other():
    made = predict(timed(*[1.0] * 100), priors=FREE.model_copy(update={"dispatch_seconds": 0.01}))

    assert made.predicted == pytest.approx(2.0)
