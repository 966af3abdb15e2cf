"""What a task graph never contains, whoever makes it."""

import pytest
from pydantic import ValidationError

from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec


@pytest.mark.parametrize(
    ("used", "verified", "said"),
    [
        (("a",), (), "tasks that depend on themselves: a"),
        (("x",), (), r"dependencies on unknown tasks: x \(of a\)"),
        ((), ("x",), r"dependencies on unknown tasks: x \(of a\)"),
        (tuple("xyzuvw"), (), r"u \(of a\), v \(of a\), w \(of a\), x \(of a\), y \(of a\) and 1 more"),
    ],
)
def test_a_graph_names_the_ids_at_fault(used: tuple[str, ...], verified: tuple[str, ...], said: str) -> None:
    task = TaskSpec(id="a", goal="g", depends_on=tuple(Dependency(task=one) for one in used), verifies=verified)

    with pytest.raises(ValidationError, match=said):
        TaskGraph(name="n", goal="g", tasks=(task,))


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan")])
def test_a_duration_is_a_finite_number_that_is_not_negative(seconds: float) -> None:
    with pytest.raises(ValidationError):
        TaskSpec(id="a", goal="g", seconds=seconds)


def test_a_dependency_has_one_coupling() -> None:
    twice = (Dependency(task="b", coupling=Coupling.TIGHT), Dependency(task="b", coupling=Coupling.NONE))
    tasks = (TaskSpec(id="a", goal="g", depends_on=twice), TaskSpec(id="b", goal="g"))

    with pytest.raises(ValidationError, match=r"twice on another, with different couplings: a \(on b\)"):
        TaskGraph(name="n", goal="g", tasks=tasks)
