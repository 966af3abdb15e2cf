import pytest

from echelon.model.graph import TaskSpec
from echelon.planning.labels import by_capability
from echelon.planning.planner import plan
from tests.unit.planning.building import graph, uses


def able(*capabilities: str | None, **update: object) -> list[TaskSpec]:
    return [TaskSpec(id=f"t{i}", goal="look", capability=c, **update) for i, c in enumerate(capabilities)]


def test_r1_without_domains_teams_are_formed_by_capability():
    made = plan(graph(tuple(able(*["law", "code", "art"] * 5))))

    assert [node.id for node in made.tree if node.parent == "primary"] == ["domain:art", "domain:code", "domain:law"]
    assert any("teams by capability, 3 of them" in reason.text for reason in made.reasons)


@pytest.mark.parametrize(
    ("agents", "expected"),
    [
        pytest.param(able("law", "code"), True, id="R1 abilities differ"),
        pytest.param(able("law", None), True, id="R1 some need none"),
        pytest.param(able("law", "law"), False, id="R1 all alike"),
        pytest.param(able("law", "code", domain="x"), False, id="D2 domains are given"),
        pytest.param(
            [*able("law"), TaskSpec(id="b", goal="look", capability="code", depends_on=uses("t0"))],
            False,
            id="D2 dependencies decide",
        ),
    ],
)
def test_capability_decides_only_where_nothing_better_is_known(agents: list[TaskSpec], expected: bool):
    assert by_capability(agents) is expected


def test_a_dot_in_a_capability_separates_nothing():
    made = plan(graph(tuple(able(*["a.x", "a.y"] * 6))))

    assert [node.id for node in made.tree if node.parent == "primary"] == ["domain:a·x", "domain:a·y"]
    assert {task.domain for task in made.tasks} == {None}
