"""V6, F5, X12: phases side by side share the limits; the forecast lies between the longest chain and all in a row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.graph import CapacityLimit, TaskGraph, TaskSpec
from echelon.model.plan import Makespan
from echelon.model.priors import Priors
from echelon.planning.planner import plan
from echelon.planning.schedule.limited import Dispatcher

FREE = Priors(dispatch_seconds=0, sync_seconds=0, integration_seconds=0)


def some(phase: str, *seconds: float, needs: tuple[str, ...] = ()) -> list[TaskSpec]:
    return [
        TaskSpec(id=f"{phase}{number}", goal="do", phase=phase, seconds=each, needs=needs)
        for number, each in enumerate(seconds)
    ]


def foreseen(tasks: list[TaskSpec], width: int | None = None, priors: Priors = FREE, *, row: bool = False) -> Makespan:
    """Forecast tasks in phases; in a `row`, one behind the other whatever they need."""
    names = tuple(dict.fromkeys(task.phase or "" for task in tasks))
    if row:
        before = {name: names[:at] for at, name in enumerate(names)}
        tasks = [task.model_copy(update={"needs": before[task.phase or ""]}) for task in tasks]
    limits = (CapacityLimit(at_once=width),) if width else ()
    graph = TaskGraph(name="job", goal="go", tasks=tuple(tasks), priors=priors)
    return plan(graph, phase_order=names, limits=limits, agents_fixed=True).makespan


def started(work: Dispatcher) -> list[tuple[str, float]]:
    return [(one.task, one.end) for one in work.starts()]


def test_one_group_goes_in_its_order_to_the_slot_that_is_free_first() -> None:
    tasks = some("a", 3, 1, 2)
    work = Dispatcher((CapacityLimit(at_once=2),), {"a0": 3, "a1": 1, "a2": 2})
    work.add("a", tasks, 0.0)

    assert started(work) == [("a0", 3), ("a1", 1), ("a2", 3)]


def test_two_groups_take_turns_in_the_slots() -> None:
    left, right = some("l", 1, 1, 1), some("r", 1, 1, 1)
    work = Dispatcher((CapacityLimit(at_once=1),), {task.id: 1.0 for task in [*left, *right]})
    work.add("l", left, 0.0)
    work.add("r", right, 0.0)

    assert [task for task, _ in started(work)] == ["l0", "r0", "l1", "r1", "l2", "r2"]


def test_a_group_that_may_start_later_does_not_keep_slots_from_others() -> None:
    now, later = some("n", 4, 4), some("z", 1)
    work = Dispatcher((CapacityLimit(at_once=1),), {"n0": 4, "n1": 4, "z0": 1})
    work.add("z", later, 5.0)
    work.add("n", now, 0.0)

    assert started(work) == [("n0", 4), ("n1", 8), ("z0", 9)]


@pytest.mark.parametrize(
    ("tasks", "width", "predicted"),
    [
        ([*some("a", 65), *some("b", 60)], None, 65),  # side by side: the longer of both
        ([*some("a", 5, 5), *some("b", 5, 5)], 2, 10),  # 20 s of work in two slots
        ([*some("a", 5), *some("b", 60), *some("c", 60, needs=("a",))], None, 65),  # c does not wait for b
        ([*some("a", 5), *some("b", 60), *some("c", 60, needs=("a", "b"))], None, 120),
    ],
    ids=["two", "two that share slots", "its own needs", "both"],
)
def test_phases_without_a_need_between_them_take_what_the_longest_chain_does(
    tasks: list[TaskSpec], width: int | None, predicted: float
) -> None:
    assert foreseen(tasks, width).predicted == predicted


@st.composite
def jobs(draw: st.DrawFn) -> list[TaskSpec]:
    """Draw phases with tasks, each of which needs some of those before it."""
    names = [f"p{number}-" for number in range(draw(st.integers(1, 6)))]
    tasks: list[TaskSpec] = []
    for at, name in enumerate(names):
        needs = tuple(draw(st.lists(st.sampled_from(names[:at]), unique=True))) if at else ()
        tasks += some(name, *draw(st.lists(st.integers(1, 20), min_size=1, max_size=5)), needs=needs)
    return tasks


@given(jobs(), st.sampled_from((None, 1, 2, 7)))
def test_the_forecast_is_never_below_the_longest_chain_and_never_above_all_work_in_one_slot(
    tasks: list[TaskSpec], width: int | None
) -> None:
    made = foreseen(tasks, width)

    assert made.predicted is not None
    assert made.critical_path is not None
    assert made.work is not None
    assert made.critical_path <= made.predicted <= made.work
    assert (made.bound_seconds or 0.0) <= made.predicted


@given(jobs())
def test_without_limits_a_graph_takes_its_longest_chain_and_never_longer_than_phases_in_a_row(
    tasks: list[TaskSpec],
) -> None:
    made, row = foreseen(tasks), foreseen(tasks, row=True)

    assert made.predicted == made.critical_path
    assert made.predicted is not None
    assert row.predicted is not None
    assert made.predicted <= row.predicted


@given(jobs(), st.sampled_from((1, 2, 7)))
def test_coordination_only_adds(tasks: list[TaskSpec], width: int) -> None:
    made = foreseen(tasks, width, Priors(dispatch_seconds=0.1, sync_seconds=1, integration_seconds=2))

    assert made.coordination is not None
    assert made.coordination > 0
    assert made.predicted is not None
    assert made.predicted >= (foreseen(tasks, width).critical_path or 0.0)
