"""No two coordinators direct one agent, by construction of the plan: a run cannot have that conflict (X9)."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.coordination.stage import Stage, stage_of
from echelon.model.plan import NodeKind
from echelon.oversight.conflicts.finding import nearest_owner
from echelon.planning.planner import plan
from tests.unit.planning.building import graph, label_mixes, labelled


def directed_by(stage: Stage) -> list[tuple[str, str]]:
    """Return each task with the coordinator that hands it out."""
    return [
        *((task, stage.node.id) for task in stage.tasks),
        *(one for part in stage.parts for one in directed_by(part)),
    ]


@settings(deadline=None)  # a large plan takes longer than most examples
@given(label_mixes(most=300), st.integers(2, 9))
def test_each_task_is_handed_out_by_one_coordinator_to_one_agent(labels: list[str | None], span: int) -> None:
    made = plan(graph(labelled(labels)), span=span)
    holders = Counter(task for node in made.tree if node.kind is NodeKind.AGENT for task in node.members)
    parents = Counter(member for node in made.tree if node.kind is not NodeKind.AGENT for member in node.members)

    assert set(holders.values()) == {1}
    assert set(parents.values()) <= {1}
    for phase in made.phases:
        directed = directed_by(stage_of(made, phase.tasks))
        assert Counter(task for task, _ in directed) == Counter(phase.tasks)
        # And whoever hands out two tasks decides between them, or somebody above does.
        for (task, by), (other, _) in pairwise(directed):
            owner = nearest_owner(made, (made.agent_of[task], made.agent_of[other])).id
            assert owner in made.path(by)
