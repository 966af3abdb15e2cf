import pytest

from echelon.model.graph import Coupling, Dependency, TaskSpec
from echelon.model.plan import HandoffCount, Node, NodeKind, Range
from echelon.planning.handoffs import handoffs, hubs_of
from echelon.planning.tree import build_tree
from tests.unit.planning.building import chained, needing, uses


def counts(made: HandoffCount) -> tuple[int, int, int]:
    return made.before, made.after, made.crossing


def test_handoffs_without_domains_cross_nothing():
    tasks = chained("a", "b: a", "c: a b")

    assert counts(handoffs(tasks, build_tree(tasks))) == (3, 3, 0)


def test_crossing_counts_other_domains_that_consume_not_consumers():
    # a (x) is used by two of y, one of z and one of x: two other domains. c (y) is used by a of z: one.
    consumed = {"a": [], "b": ["a"], "c": ["a"], "d": ["a"], "e": ["a", "c"]}
    domains = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "z"}
    tasks = [
        TaskSpec(id=task_id, goal="look", domain=domains[task_id], depends_on=uses(*producers))
        for task_id, producers in consumed.items()
    ]

    assert counts(handoffs(tasks, build_tree(tasks))) == (5, 5, 3)


def test_without_labels_a_domain_is_what_the_primary_leads_directly():
    # All use t0, whose team has room for 7 of them: the 8th, or however many there are, is one crossing.
    tasks = [TaskSpec(id=f"t{i}", goal="look", depends_on=uses("t0") if i else ()) for i in range(9)]

    assert counts(handoffs(tasks, build_tree(tasks))) == (8, 8, 1)


def test_a_coupling_of_none_is_no_handoff():
    tasks = [
        TaskSpec(id="a", goal="look"),
        TaskSpec(id="b", goal="look", depends_on=(Dependency(task="a", coupling=Coupling.NONE),)),
    ]

    assert handoffs(tasks, build_tree(tasks)).before == 0


def test_what_one_agent_holds_needs_no_handoff():
    tasks = chained("a", "b: a", "c: b")
    tree = (
        Node(id="primary", kind=NodeKind.PRIMARY, parent=None, members=("ab", "c")),
        Node(id="ab", kind=NodeKind.AGENT, parent="primary", members=("a", "b")),
        Node(id="c", kind=NodeKind.AGENT, parent="primary", members=("c",)),
    )

    assert counts(handoffs(tasks, tree)) == (2, 1, 0)


@pytest.mark.parametrize(
    ("producers", "consumers", "expected"),
    [
        (1, 1, (1, 1, 1)),
        (5, 1, (5, 5, 2)),  # one domain gives, one takes
        (5, 100, (500, 105, 2)),
    ],
)
def test_a_whole_phase_is_handed_on_through_its_sync_point(producers, consumers, expected):
    tasks = needing(producers, consumers)

    assert counts(handoffs(tasks, build_tree(tasks))) == expected


def test_between_teams_counts_the_other_teams_that_use_a_task_and_lone_agents_as_teams():
    tree = (
        Node(id="primary", kind=NodeKind.PRIMARY, parent=None, members=("x", "y", "alone")),
        Node(id="x", kind=NodeKind.TEAM, parent="primary", members=("a", "b")),
        Node(id="y", kind=NodeKind.TEAM, parent="primary", members=("c", "d")),
        Node(id="alone", kind=NodeKind.AGENT, parent="primary", members=("alone",)),
        *(Node(id=i, kind=NodeKind.AGENT, parent="x" if i in "ab" else "y", members=(i,)) for i in "abcd"),
    )
    tasks = chained("a", "b: a", "c: a", "d: a b", "alone: a c")

    # a: y and alone. b: y. c: alone.
    assert handoffs(tasks, tree).between_teams == 4


def test_in_a_flat_tree_no_handoff_leaves_the_team():
    tasks = chained("a", "b: a", "c: a b")

    assert handoffs(tasks, build_tree(tasks)).between_teams == 0


def test_what_vanished_is_priced_in_tokens():
    tasks = chained("a", "b: a", "c: b")
    tree = (
        Node(id="primary", kind=NodeKind.PRIMARY, parent=None, members=("ab", "c")),
        Node(id="ab", kind=NodeKind.AGENT, parent="primary", members=("a", "b")),
        Node(id="c", kind=NodeKind.AGENT, parent="primary", members=("c",)),
    )

    # P4: 10 to 30 thousand tokens for the one handoff that is none any more.
    assert handoffs(tasks, tree).tokens_saved == Range(low=10_000, high=30_000)


def test_a_hub_has_more_links_than_two_spans():
    # At a span of 2: more than 4 links. The root has 4 consumers, then 5.
    assert hubs_of(chained("a", *(f"c{i}: a" for i in range(4))), span=2) == frozenset()
    assert hubs_of(chained("a", *(f"c{i}: a" for i in range(5))), span=2) == {"a"}


def test_what_a_hub_hands_on_is_made_at_a_sync_point():
    tasks = chained("a", *(f"c{i}: a" for i in range(40)), "d: c39")
    made = handoffs(tasks, build_tree(tasks))

    assert 0 < made.at_sync_points <= made.between_teams


def test_nothing_crosses_domains_inside_of_one_agent():
    tasks = [task.model_copy(update={"domain": task.id}) for task in chained("a", "b: a")]
    tree = (
        Node(id="primary", kind=NodeKind.PRIMARY, parent=None, members=("ab",)),
        Node(id="ab", kind=NodeKind.AGENT, parent="primary", members=("a", "b")),
    )

    assert counts(handoffs(tasks, tree)) == (1, 0, 0)


def test_whole_phases_are_handed_on_between_teams_at_their_sync_point():
    tasks = needing(9, 9)
    made = handoffs(tasks, build_tree(tasks))

    assert made.between_teams == made.at_sync_points > 0
