import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.errors import InvalidInput
from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.oversight.terms import Gate
from echelon.model.plan import SyncPoint
from echelon.planning.phases import assign_phases, declared_order
from echelon.planning.schedule.order import producers_of
from tests.unit.planning.building import chained


def task(
    task_id: str, *, phase: str | None = None, uses: str = "", touches: str = "", irreversible: bool = False
) -> TaskSpec:
    return TaskSpec(
        id=task_id,
        goal="look",
        phase=phase,
        depends_on=tuple(Dependency(task=used) for used in uses.split()),
        touches=tuple(touches.split()),
        irreversible=irreversible,
    )


def final(task_id: str, *, phase: str | None = None, uses: str = "", touches: str = "") -> TaskSpec:
    return task(task_id, phase=phase, uses=uses, touches=touches, irreversible=True)


def asked(task_id: str, *, uses: str = "") -> TaskSpec:
    """Return a task that can be undone, and waits for a person all the same."""
    return task(task_id, uses=uses).model_copy(update={"gate": Gate(reason="needs a yes")})


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


def gated(tasks: Sequence[TaskSpec], *order: str) -> list[str]:
    """Draw phases as texts like `a b`, and `[c] c d` where c has to be confirmed first."""
    phases = assign_phases(tasks, phase_order=order)
    return [f"[{' '.join(p.gate)}] {' '.join(p.tasks)}" if p.gate else " ".join(p.tasks) for p in phases]


GATES = {
    "O5 nothing irreversible, no gate": ([task("a"), task("b", uses="a")], ["a", "b"]),
    "O5 alone": ([final("x")], ["[x] x"]),
    "O5 behind the others of its level": ([final("x"), task("a")], ["a", "[x] x"]),
    "O5 one gate for all": ([final("x"), task("a"), final("y", uses="a")], ["a", "[x y] x y"]),
    "O5 others go on in front of it": (
        [task("a"), final("x", uses="a"), task("b", uses="a"), task("c", uses="b")],
        ["a", "b", "c", "[x] x"],
    ),
    "O5 what needs it comes after it": (
        [task("a"), final("x", uses="a"), task("b", uses="x"), task("c", uses="a"), task("d", uses="b c")],
        ["a", "c", "[x] x", "b", "d"],
    ),
    "O5 one after the other": ([final("x"), final("y", uses="x")], ["[x] x", "[y] y"]),
    "O5 with work between": ([final("x"), task("a", uses="x"), final("y", uses="a")], ["[x] x", "a", "[y] y"]),
    "O5 same thing, two gates": ([final("x", touches="t"), final("y", touches="t")], ["[x] x", "[y] y"]),
    "O5 work goes on after the gate it needs": (
        [final("x", touches="t"), final("y", touches="t"), task("a", uses="x"), task("b", uses="y")],
        ["[x] x", "a", "[y] y", "b"],
    ),
    "O5 a gate of what can be undone holds up nothing else, and all gates are asked in one go": (
        [asked("a"), task("b"), task("c"), task("d", uses="b c"), asked("e", uses="d"), task("f", uses="a e")],
        ["b c", "d", "[a e] a e", "f"],
    ),
    "O5 gates of both kinds": ([final("x"), asked("a"), task("b")], ["b", "[x a] x a"]),
    "O5 a thing shared across the gate": ([final("x", touches="t"), task("a", touches="t")], ["a", "[x] x"]),
}


@pytest.mark.parametrize(("tasks", "expected"), GATES.values(), ids=GATES.keys())
def test_tasks_with_a_gate_stand_behind_one_that_holds_up_nothing_else(tasks: list[TaskSpec], expected: list[str]):
    assert gated(tasks) == expected


def test_phases_are_numbered_without_gaps_where_a_gate_has_nothing_in_front_of_it():
    tasks = [final("x"), task("a", uses="x"), final("y", uses="a"), final("z", uses="y")]

    assert list(named(tasks)) == ["phase-1", "phase-2", "phase-3", "phase-4"]


def test_the_order_of_the_longest_chain_of_gates_decides_when_a_thing_is_shared():
    # y leads to z: x first would take a third gate.
    tasks = [final("x", touches="t"), final("y", touches="t"), task("a", uses="y"), final("z", uses="a")]

    assert gated(tasks) == ["[y] y", "a", "[x z] x z"]


def test_a_declared_phase_is_not_divided_and_its_gate_names_what_cannot_be_undone():
    tasks = [
        task("a", phase="make"),
        task("b", phase="ship"),
        final("x", phase="ship"),
        task("c", phase="ship", uses="x"),
        final("y", phase="ship", touches="t"),
        task("d", phase="ship", touches="t"),
    ]

    assert gated(tasks) == ["a", "[x y] b x y", "c d"]
    assert list(named(tasks)) == ["make", "ship", "ship/2"]


def test_an_irreversible_task_without_a_phase_continues_the_declared_one_behind_a_gate():
    tasks = [task("a", phase="make"), final("x"), task("b", phase="use", uses="x")]

    assert gated(tasks) == ["a", "[x] x", "b"]
    assert list(named(tasks)) == ["make", "make/2", "use"]


def test_declared_phases_take_as_few_continuations_as_possible():
    # As they come, each pair would get a phase of its own.
    crown = [
        task(
            f"t{i}",
            phase="edit",
            touches=" ".join(f"{min(i, j)}-{max(i, j)}" for j in range(12) if (i + j) % 2 and i // 2 != j // 2),
        )
        for i in range(12)
    ]

    assert named([*crown, task("z", phase="ship", touches="0-3")]) == {
        "edit": "t0 t2 t4 t6 t8 t10",
        "edit/2": "t1 t3 t5 t7 t9 t11",
        "ship": "z",
    }


@pytest.mark.parametrize(
    ("links", "span", "hubs"),
    [
        pytest.param(16, 8, (), id="D2 16 links at span 8"),
        pytest.param(17, 8, ("hub",), id="D2 17 links at span 8"),
        pytest.param(4, 2, (), id="D2 4 links at span 2"),
        pytest.param(5, 2, ("hub",), id="D2 5 links at span 2"),
    ],
)
def test_a_task_with_more_than_twice_the_span_of_links_is_a_hub_of_its_sync_point(links: int, span: int, hubs: tuple):
    producers = [task(f"p{i}") for i in range(links // 2)]
    hub = task("hub", uses=" ".join(one.id for one in producers))
    consumers = [task(f"c{i}", uses="hub") for i in range(links - len(producers))]
    no_link = TaskSpec(id="n", goal="look", depends_on=(Dependency(task="hub", coupling=Coupling.NONE),))
    phases = assign_phases([*producers, hub, *consumers, no_link], span=span)

    assert [phase.sync.hubs for phase in phases] == [(), hubs, ()]


@st.composite
def undeclared(draw: st.DrawFn) -> list[TaskSpec]:
    """Draw tasks that depend on earlier ones, touch things, and may be irreversible."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sets(st.integers(0, 30), max_size=3), st.sets(st.sampled_from("pqr"), max_size=2), st.booleans()
            ),
            max_size=25,
        )
    )
    return [
        task(
            f"t{i}",
            uses=" ".join(f"t{j}" for j in sorted({j % i for j in used} if i else ())),
            touches=" ".join(sorted(things)),
            irreversible=irreversible,
        )
        for i, (used, things, irreversible) in enumerate(rows)
    ]


def chain_of_gates(tasks: Sequence[TaskSpec]) -> dict[str, int]:
    """Return for each task the most irreversible tasks on one way to it."""
    gates: dict[str, int] = {}
    irreversible = {one.id: one.irreversible for one in tasks}
    for one in tasks:
        gates[one.id] = max((gates[used] + irreversible[used] for used in producers_of(one)), default=0)
    return gates


@given(undeclared())
def test_a_task_waits_for_no_gate_that_it_does_not_need(tasks: list[TaskSpec]):
    phases = assign_phases(tasks)
    position = {member: i for i, phase in enumerate(phases) for member in phase.tasks}
    needed: dict[str, set[str]] = {}
    for one in tasks:
        needed[one.id] = {one.id}.union(*(needed[used] for used in producers_of(one)))

    assert [one.id for one in tasks] == sorted(position, key=lambda task_id: int(task_id[1:]))
    assert all(phase.gate in {(), phase.tasks} for phase in phases)
    assert {task_id for phase in phases for task_id in phase.gate} == {one.id for one in tasks if one.irreversible}
    for one in tasks:
        in_front = [phase.gate for phase in phases[: position[one.id]] if phase.gate]

        assert one.irreversible or not in_front or needed[one.id] & set(in_front[-1])


@given(undeclared())
def test_there_are_as_few_gates_in_front_of_a_task_as_its_dependencies_allow(tasks: list[TaskSpec]):
    alone = [one.model_copy(update={"touches": ()}) for one in tasks]
    phases = assign_phases(alone)
    gates = chain_of_gates(alone)

    for i, phase in enumerate(phases):
        assert {gates[task_id] for task_id in phase.tasks} == {sum(bool(earlier.gate) for earlier in phases[:i])}


COOPERBENCH = Path(__file__).parents[3].parent / "shared" / "data" / "cooperbench" / "conflicts.json"


def overlapping(one: dict[str, list[list[int]]], other: dict[str, list[list[int]]]) -> bool:
    """Do two features change the same lines of a file? Ranges that merely meet at one line do not count in the data."""
    return any(
        first < other_last and other_first < last
        for file in one.keys() & other.keys()
        for first, last in one[file]
        for other_first, other_last in other[file]
    )


def test_features_of_real_projects_that_change_the_same_lines_take_as_few_phases_as_possible():
    """D4 on the code of real projects: the smallest number of phases is known for each."""
    if not COOPERBENCH.exists():
        pytest.skip(f"no {COOPERBENCH.name} beside the project")
    entries = json.loads(COOPERBENCH.read_text())

    assert entries
    for entry in entries:
        features = entry["features"]
        conflicts = [tuple(pair) for pair in entry["conflicts"]]
        found = {frozenset(pair) for pair in combinations(features, 2) if overlapping(*(features[one] for one in pair))}
        assert found == {frozenset(pair) for pair in conflicts}, entry["task"]
        things = {name: [f"{a}+{b}" for a, b in conflicts if name in {a, b}] for name in features}
        tasks = tuple(TaskSpec(id=name, goal="build", touches=tuple(things[name])) for name in features)
        phases = assign_phases(TaskGraph(name=entry["task"], goal="build all", tasks=tasks).tasks)
        together = {frozenset(pair) for phase in phases for pair in combinations(phase.tasks, 2)}

        assert not together & found, entry["task"]
        assert len(phases) == entry["min_phases"], entry["task"]
        assert sorted(name for phase in phases for name in phase.tasks) == sorted(features)
