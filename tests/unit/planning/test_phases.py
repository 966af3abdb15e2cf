import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.errors import InvalidInput
from echelon.model.graph import Dependency, TaskSpec
from echelon.model.plan import SyncPoint
from echelon.planning.order import producers_of
from echelon.planning.phases import assign_phases, declared_order
from tests.unit.planning.building import chained


def task(task_id: str, *, phase: str | None = None, uses: str = "", touches: str = "") -> TaskSpec:
    depends_on = tuple(Dependency(task=used) for used in uses.split())
    return TaskSpec(id=task_id, goal="look", phase=phase, depends_on=depends_on, touches=tuple(touches.split()))


def named(tasks: tuple[TaskSpec, ...] | list[TaskSpec], *order: str) -> dict[str, str]:
    return {phase.name: " ".join(phase.tasks) for phase in assign_phases(tasks, phase_order=order)}


def test_without_declared_phases_the_levels_of_the_dependencies_are_the_phases():
    assert named(chained("a", "b", "c: a", "d: a c", "e: b")) == {"phase-1": "a b", "phase-2": "c e", "phase-3": "d"}


def test_no_tasks_need_no_phases():
    assert assign_phases(()) == ()


def test_a_phase_ends_with_a_sync_point_owned_by_the_root():
    (phase,) = assign_phases([task("a")])

    assert phase.sync == SyncPoint(owner="primary", policy="phase")


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ((), {"inspect": "a", "report": "b"}),
        (("report", "inspect"), {"report": "b", "inspect": "a"}),
        (("report",), {"report": "b", "inspect": "a"}),
        (("plan", "inspect", "inspect"), {"inspect": "a", "report": "b"}),
    ],
)
def test_declared_phases_run_in_the_order_given_then_as_they_appear(order: tuple[str, ...], expected: dict[str, str]):
    tasks = [task("a", phase="inspect"), task("b", phase="report")]

    assert list(named(tasks, *order).items()) == list(expected.items())
    assert declared_order(tasks, order) == tuple(expected)


def test_a_task_without_a_phase_runs_as_soon_as_its_producers_are_done():
    tasks = [
        task("a", phase="one"),
        task("b", phase="two", uses="a"),
        task("x"),
        task("y", uses="b"),
        task("z", uses="a"),
    ]

    assert named(tasks) == {"one": "a x", "one/2": "z", "two": "b", "two/2": "y"}


def test_a_declared_phase_with_dependencies_inside_is_continued():
    tasks = [task("a", phase="build"), task("b", phase="build", uses="a"), task("c", phase="build/2")]

    assert named(tasks) == {"build": "a", "build/2'": "b", "build/2": "c"}


def test_a_dependency_against_the_declared_order_is_refused():
    with pytest.raises(InvalidInput, match=r"'a' of phase 'one' uses 'b'"):
        named([task("a", phase="one", uses="b"), task("b", phase="two")], "one", "two")


def test_tasks_that_touch_the_same_thing_never_share_a_phase():
    tasks = [
        task("a", touches="x"),
        task("b", touches="x y"),
        task("c", touches="y"),
        task("d"),
        task("e", touches="x"),
    ]

    assert named(tasks) == {"phase-1": "a c d", "phase-2": "b", "phase-3": "e"}


def test_things_are_kept_apart_within_a_declared_phase_only():
    tasks = [
        task("a", phase="one", touches="x"),
        task("b", phase="one", touches="x"),
        task("c", phase="two", touches="x"),
    ]

    assert named(tasks) == {"one": "a", "one/2": "b", "two": "c"}


def test_a_thing_named_twice_by_one_task_is_harmless():
    assert named([task("a", touches="x x")]) == {"phase-1": "a"}


def test_a_very_long_chain_is_no_problem():
    n = 20_000
    tasks = chained("t0", *(f"t{i}: t{i - 1}" for i in range(1, n)))

    assert len(assign_phases(tasks)) == n


def test_a_thing_touched_by_everybody_is_no_problem():
    n = 20_000

    assert len(assign_phases([task(f"t{i}", touches="x") for i in range(n)])) == n


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 30), max_size=3),
            st.lists(st.sampled_from("pqr"), max_size=2),
            st.sampled_from([None, "one", "two"]),
        ),
        max_size=30,
    ),
    st.booleans(),
)
def test_producers_run_in_earlier_phases_and_shared_things_in_different_ones(rows: list, declared: bool):
    tasks = [
        task(
            f"t{i}",
            uses=" ".join(f"t{j % i}" for j in used if i),
            touches=" ".join(things),
            phase="one" if declared and phase and i < len(rows) / 2 else "two" if declared and phase else None,
        )
        for i, (used, things, phase) in enumerate(rows)
    ]
    try:
        phases = assign_phases(tasks, phase_order=("one", "two"))
    except InvalidInput:
        # An undeclared task was drawn after a task of phase two, and is used by one of phase one.
        assert declared
        return
    position = {member: i for i, phase in enumerate(phases) for member in phase.tasks}

    assert len(position) == sum(len(phase.tasks) for phase in phases) == len(tasks)
    assert len({phase.name for phase in phases}) == len(phases)
    assert all(position[used] < position[one.id] for one in tasks for used in producers_of(one))
    for phase in phases:
        things = [thing for one in tasks if position[one.id] == phases.index(phase) for thing in set(one.touches)]

        assert len(things) == len(set(things))
