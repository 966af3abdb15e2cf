"""X12, D4: which sync points a phase waits for, and what follows: who stands side by side, and who is at the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.graph import TaskSpec
from echelon.model.plan import PhasePlan, Plan, SyncPoint
from echelon.model.terms import OpenPhase
from echelon.planning.phases import assign_phases
from echelon.planning.planner import plan
from echelon.planning.schedule.phase_graph import (
    ancestors,
    connected,
    depths,
    direct_needs,
    final_phases,
    needs_of_phases,
    phases_awaited,
    side_by_side,
)
from tests.unit.planning.building import graph, uses


def in_phase(name: str, *needs: str, touches: tuple[str, ...] = (), uses_tasks: tuple[str, ...] = ()) -> TaskSpec:
    return TaskSpec(id=f"{name}/t", goal="do", phase=name, needs=needs, touches=touches, depends_on=uses(*uses_tasks))


def needs_in(*tasks: TaskSpec, order: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    return needs_of_phases(plan(graph(tasks), phase_order=order, agents_fixed=True).phases)


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([in_phase("a"), in_phase("b")], {"a": (), "b": ()}),
        ([in_phase("a"), in_phase("b", "a"), in_phase("c")], {"a": (), "b": ("a",), "c": ()}),
        ([in_phase("a"), in_phase("b", uses_tasks=("a/t",))], {"a": (), "b": ("a",)}),
        ([in_phase("a", touches=("x",)), in_phase("b", touches=("x",))], {"a": (), "b": ("a",)}),
        (
            [in_phase("a", touches=("x",)), in_phase("b"), in_phase("c", touches=("x",))],
            {"a": (), "b": (), "c": ("a",)},
        ),
        ([in_phase("a"), in_phase("b", "found on the way")], {"a": (), "b": ()}),
    ],
    ids=["nothing", "a phase", "a task", "a shared thing", "a shared thing two behind", "a phase without tasks"],
)
def test_a_phase_waits_for_what_its_tasks_need_and_for_nothing_else(
    tasks: list[TaskSpec], expected: dict[str, tuple[str, ...]]
) -> None:
    assert needs_in(*tasks, order=tuple(task.phase or "" for task in tasks)) == expected


def test_a_phase_that_is_continued_waits_for_its_first_part() -> None:
    """Two tasks of a graph that change one thing never stand in the same phase."""
    tasks = [
        TaskSpec(id="a1", goal="do", phase="a", touches=("x",)),
        TaskSpec(id="a2", goal="do", phase="a", touches=("x",)),
        TaskSpec(id="b", goal="do", phase="b", needs=("a",)),
    ]
    needs = needs_of_phases(connected(tasks, assign_phases(tasks, phase_order=("a", "b"))))
    first, second, last = needs

    assert needs == {first: (), second: (first,), last: (first, second)}


def plan_of(needs: dict[str, tuple[str, ...] | None]) -> tuple[PhasePlan, ...]:
    return tuple(
        PhasePlan(name=name, tasks=(), sync=SyncPoint(owner="primary"), needs=before) for name, before in needs.items()
    )


def test_in_a_plan_of_an_earlier_version_each_phase_waits_for_the_one_before() -> None:
    old = plan_of({"a": None, "b": None, "c": None})

    assert needs_of_phases(old) == {"a": (), "b": ("a",), "c": ("b",)}
    assert final_phases(old) == ("c",)


DIAMOND: dict[str, tuple[str, ...]] = {"a": (), "b": ("a",), "c": ("a",), "d": ("a", "b", "c"), "e": ()}


def test_of_a_diamond_with_one_beside_it() -> None:
    assert ancestors(DIAMOND, "d") == {"a", "b", "c"}
    assert ancestors(DIAMOND, "e") == frozenset()
    assert direct_needs(DIAMOND)["d"] == ("b", "c")
    assert depths(DIAMOND) == {"a": 0, "b": 1, "c": 1, "d": 2, "e": 0}
    assert side_by_side(DIAMOND)["b"] == ("c", "e")
    assert side_by_side(DIAMOND)["d"] == ("e",)
    assert final_phases(plan_of({**DIAMOND})) == ("d", "e")


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """Draw phases, producers first, each with some of those before it as needs."""
    names = [f"p{number}" for number in range(draw(st.integers(1, 12)))]
    return {
        name: tuple(draw(st.lists(st.sampled_from(names[:at]), unique=True))) if at else ()
        for at, name in enumerate(names)
    }


@given(graphs())
def test_what_is_left_out_of_the_needs_is_waited_for_all_the_same(needs: dict[str, tuple[str, ...]]) -> None:
    less = direct_needs(needs)

    for name, before in needs.items():
        assert set(less[name]) <= set(before)
        assert ancestors(less, name) == ancestors(needs, name)
        assert all(depths(needs)[one] < depths(needs)[name] for one in before)


@given(graphs())
def test_two_phases_are_side_by_side_or_one_waits_for_the_other(needs: dict[str, tuple[str, ...]]) -> None:
    beside = side_by_side(needs)

    for name in needs:
        for other in needs:
            ways = [other in beside[name], other in ancestors(needs, name), name in ancestors(needs, other)]
            assert sum(ways) == (name != other)
        assert (name in beside[name]) is False


def opened(made: Plan, **after: tuple[str, ...]) -> Plan:
    phases = tuple(
        OpenPhase(phase=name, after=needs, finder=f"find_{name}", agent="look") for name, needs in after.items()
    )
    return made.model_copy(update={"open": phases})


def test_phases_that_are_planned_on_the_way_stand_between_those_they_wait_for_and_those_that_wait_for_them() -> None:
    tasks = [in_phase("survey"), in_phase("aside"), in_phase("report", "survey", "aside", "fix", "inspect")]
    made = plan(graph(tasks), phase_order=("aside", "survey", "report"), agents_fixed=True)
    awaited = phases_awaited(opened(made, fix=("inspect",), inspect=("survey",)))

    assert awaited == {
        "aside": (),
        "survey": (),
        "inspect": ("survey",),
        "fix": ("inspect",),
        "report": ("aside", "survey", "fix", "inspect"),
    }
    assert list(awaited) == ["aside", "survey", "inspect", "fix", "report"]
    assert direct_needs(awaited)["report"] == ("aside", "fix")


def test_without_such_phases_it_is_what_the_plan_says() -> None:
    made = plan(graph([in_phase("a"), in_phase("b", "a")]), phase_order=("a", "b"), agents_fixed=True)

    assert phases_awaited(made) == needs_of_phases(made.phases)
