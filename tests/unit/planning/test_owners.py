from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.model.graph import Coupling, Dependency, TaskSpec
from echelon.model.plan import NodeKind
from echelon.planning.owners import assign_owners, nearest_common
from echelon.planning.schedule.order import producers_of
from echelon.planning.tree import build_tree
from tests.unit.planning.building import chained, label_mixes, uses


def test_tasks_belong_to_their_agents_and_integrations_to_their_coordinators():
    tasks = chained("a", "b: a")

    assert assign_owners(tasks, build_tree(tasks)) == {"a": "a", "b": "b", "primary": "primary"}


def test_a_dependency_between_teams_belongs_to_the_nearest_common_coordinator():
    labels = ["x"] * 12 + ["y"] * 12
    links = {5: "t0", 11: "t0", 23: "t0"}  # t0 and t5 are in one team, t11 in its domain, t23 in the other domain
    tasks = tuple(
        TaskSpec(id=f"t{i}", goal="look", domain=label, depends_on=uses(links[i]) if i in links else ())
        for i, label in enumerate(labels)
    )
    owners = assign_owners(tasks, build_tree(tasks))

    assert {key: owner for key, owner in owners.items() if "->" in key} == {"t0->t11": "primary", "t0->t23": "primary"}


def test_below_the_top_the_domain_lead_owns_what_crosses_its_teams():
    # Everybody in x uses t0, more than fit into one team with it.
    labels = ["x"] * 40 + ["y"] * 40
    tasks = tuple(
        TaskSpec(id=f"t{i}", goal="look", domain=label, depends_on=uses("t0") if 0 < i < 40 else ())
        for i, label in enumerate(labels)
    )
    owners = assign_owners(tasks, build_tree(tasks))

    assert {owner for key, owner in owners.items() if "->" in key} == {"domain:x"}


def test_a_coupling_of_none_has_no_owner():
    tasks = tuple(
        TaskSpec(id=f"t{i}", goal="look", depends_on=(Dependency(task="t0", coupling=Coupling.NONE),) if i == 8 else ())
        for i in range(9)
    )

    assert not [key for key in assign_owners(tasks, build_tree(tasks)) if "->" in key]


def test_a_node_is_its_own_nearest_common_superior():
    tree = build_tree(chained("a", "b"))
    nodes = {node.id: node for node in tree}

    assert nearest_common("a", "a", nodes) == "a"
    assert nearest_common("a", "primary", nodes) == "primary"


@settings(deadline=None, max_examples=40)
@given(label_mixes(most=2000), st.integers(2, 12), st.randoms(use_true_random=False))
def test_everything_that_can_be_owned_has_exactly_one_existing_owner(labels: list, span: int, random):
    tasks = tuple(
        TaskSpec(
            id=f"t{i}",
            goal="look",
            domain=label,
            depends_on=uses(f"t{random.randrange(i)}") if i else (),
        )
        for i, label in enumerate(labels)
    )
    tree = build_tree(tasks, span)
    nodes = {node.id: node for node in tree}
    owners = assign_owners(tasks, tree)
    parent = {task.id: nodes[owners[task.id]].parent for task in tasks}
    between_teams = {f"{a}->{task.id}" for task in tasks for a in producers_of(task) if parent[a] != parent[task.id]}
    coordinators = {node.id for node in tree if node.kind is not NodeKind.AGENT}

    assert set(owners) == {task.id for task in tasks} | coordinators | between_teams
    assert all(owners[key] in coordinators for key in between_teams | coordinators)
    assert all(nodes[owners[task.id]].kind is NodeKind.AGENT for task in tasks)
