"""How much agents see when each sees its scope only: n × k, against all pairs (V4, R7)."""

import pytest

from echelon.model.graph import TaskSpec
from echelon.planning.planner import plan
from echelon.planning.scope import scoped_views, teams_of
from tests.unit.planning.building import graph, labelled, needing, uses


@pytest.mark.parametrize(
    ("tasks", "views"),
    [
        pytest.param(labelled([None]), 0, id="alone"),
        pytest.param(labelled([None] * 5), 20, id="one-team"),  # each sees the 4 others
        # Two teams of five, of which t0 and t9 see each other as well: 2 × 5 × 4 + 2.
        pytest.param(
            tuple(
                TaskSpec(id=f"t{i}", goal="look", domain="ab"[i // 5], depends_on=uses("t0") if i == 9 else ())
                for i in range(10)
            ),
            42,
            id="two-teams-and-a-dependency",
        ),
        pytest.param(needing(5, 5), 40, id="through-a-sync-point"),  # 2 × 5 × 4
    ],
)  # fmt: skip
def test_agents_see_their_team_and_what_they_depend_on(tasks: tuple[TaskSpec, ...], views: int):
    made = plan(graph(tasks), agents_fixed=True)

    assert scoped_views(made.tasks, made.tree) == made.pairs.scoped == views


def test_scope_grows_with_agents_and_a_mesh_with_their_square():
    small, large = (plan(graph(labelled([None] * n))).pairs for n in (64, 640))

    assert (large.scoped or 0) <= 11 * (small.scoped or 0)
    assert large.mesh > 100 * small.mesh


def test_an_agent_without_a_team_is_its_own():
    made = plan(graph(labelled([*["a"] * 8, *["b"] * 8, "c"])), agents_fixed=True)
    teams = teams_of(made.tree)

    assert set(teams) == {f"t{i}" for i in range(17)}
    assert teams["t0"] != teams["t8"] != teams["t16"]
