"""Which results everything else rests on (O3)."""

import pytest

from echelon.model.graph import Coupling, Dependency, TaskSpec
from echelon.model.oversight.terms import Gate
from echelon.model.terms import OpenPhase
from echelon.planning.schedule.critical import ON_CRITICAL_PATH, results_to_verify, tasks_without_float


def task(name: str, *uses: str, seconds: float | None = None, **more: object) -> TaskSpec:
    links = tuple(Dependency(task=one) for one in uses)
    return TaskSpec.model_validate({"id": name, "goal": "do", "depends_on": links, "seconds": seconds, **more})


def in_phase(phase: str, name: str, *needs: str, seconds: float | None = None, **more: object) -> TaskSpec:
    return task(f"{phase}/{name}", seconds=seconds, phase=phase, needs=needs, **more)


CHAINS = [
    pytest.param(
        [task("a", seconds=1), task("b", "a", seconds=1), task("c", seconds=5)], {"c"}, id="the-longest-chain"
    ),
    pytest.param([task("a"), task("b", "a"), task("c")], {"a", "b"}, id="equally-long-where-nobody-says"),
    pytest.param([task("a", seconds=2), task("b", seconds=2)], {"a", "b"}, id="two-of-them"),
    pytest.param(
        [task("a", seconds=1), task("b", "a", seconds=1), task("c", "a", seconds=1), task("d", "b", "c", seconds=1)],
        {"a", "b", "c", "d"},
        id="a-diamond",
    ),
    pytest.param(
        [in_phase("look", "a", seconds=9), in_phase("look", "b", seconds=1), in_phase("sum", "s", "look", seconds=1)],
        {"look/a", "sum/s"},
        id="a-sync-point-waits-for-the-slowest",
    ),
    pytest.param([], set(), id="nothing"),
]


@pytest.mark.parametrize(("tasks", "critical"), CHAINS)
def test_what_delays_everything_is_on_the_critical_path(tasks: list[TaskSpec], critical: set[str]) -> None:
    assert tasks_without_float(tasks) == critical


def test_a_dependency_that_is_none_holds_nothing_up() -> None:
    apart = TaskSpec(id="b", goal="do", depends_on=(Dependency(task="a", coupling=Coupling.NONE),), seconds=9)

    assert tasks_without_float([task("a", seconds=1), apart]) == {"b"}


def test_what_a_gated_step_uses_is_verified_directly_or_as_a_whole_phase() -> None:
    tasks = [
        in_phase("look", "a", seconds=1),
        in_phase("look", "b", seconds=1),
        in_phase("other", "c", seconds=50),
        in_phase("publish", "p", "look", seconds=1, irreversible=True),
    ]

    assert results_to_verify(tasks) == {
        "look/a": "in front of the gate of publish/p",
        "look/b": "in front of the gate of publish/p",
        "other/c": ON_CRITICAL_PATH,
    }


def test_what_waits_for_a_person_has_a_gate_whatever_it_does() -> None:
    tasks = [task("a", seconds=1), task("b", "a", seconds=1, gate=Gate(reason="look")), task("c", seconds=9)]

    assert results_to_verify(tasks) == {"a": "in front of the gate of b", "c": ON_CRITICAL_PATH}


def test_what_is_planned_on_the_way_and_cannot_be_undone_has_a_gate_too() -> None:
    later = OpenPhase(phase="publish", after=("look",), finder="find", agent="publish", irreversible=True)
    tasks = [in_phase("look", "a", seconds=1), in_phase("other", "b", seconds=9)]

    assert results_to_verify(tasks, [later])["look/a"] == "in front of the gate of publish"
