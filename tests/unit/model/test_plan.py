import pytest
from pydantic import ValidationError

from echelon.model.graph import Dependency, TaskGraph, TaskSpec
from echelon.planning.planner import plan


def graph(agents: int) -> TaskGraph:
    return TaskGraph(name="j", goal="g", tasks=tuple(TaskSpec(id=f"t{n}", goal="do") for n in range(agents)))


def test_equal_plans_have_equal_digests_and_different_ones_different() -> None:
    assert plan(graph(12)).digest == plan(graph(12)).digest
    assert plan(graph(12)).digest != plan(graph(13)).digest


def test_the_path_leads_from_the_primary_to_the_node() -> None:
    made = plan(graph(12))

    assert made.path(made.primary.id) == (made.primary.id,)
    path = made.path(made.agent_of["t11"])
    assert [made.nodes[node].parent for node in path] == [None, *path[:-1]]


@pytest.mark.parametrize(
    ("tasks", "complaint"),
    [
        ((TaskSpec(id="a", goal="x"), TaskSpec(id="a", goal="y")), "used twice: a"),
        ((TaskSpec(id="a", goal="x", depends_on=(Dependency(task="b"),)),), "unknown tasks: b"),
    ],
)
def test_a_graph_that_contradicts_itself_is_refused(tasks: tuple[TaskSpec, ...], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TaskGraph(name="j", goal="g", tasks=tasks)


def test_a_changed_copy_forgets_what_was_worked_out_from_the_original():
    tasks = (TaskSpec(id="a", goal="look"), TaskSpec(id="b", goal="look"))
    made = plan(TaskGraph(name="job", goal="find risks", tasks=tasks))
    known = (made.digest, made.nodes, made.agent_of)
    other = made.model_copy(update={"tree": made.tree[:2], "goal": "other"})

    assert other.digest != known[0]
    assert (list(other.nodes), other.agent_of) == (["primary", "a"], {"a": "a"})
