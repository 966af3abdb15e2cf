from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.model.errors import InvalidInput
from echelon.model.graph import Coupling, Dependency, TaskSpec
from echelon.model.plan import Node, NodeKind
from echelon.planning.outline import agents_below, cohesion, label_findings, levels_of
from echelon.planning.regime import Priority, allowed_levels, minimum_levels, recommended_levels
from echelon.planning.tree import build_tree
from tests.unit.planning.building import label_mixes, labelled, uses
from tests.unit.planning.linking import Links, acyclic, clique_at, links

PRIORITIES: tuple[Priority | None, ...] = (None, "coherence", "speed", "resilience")
many = settings(deadline=None, max_examples=50)


def linked(consumers: Links, labels: Sequence[str | None] | None = None) -> tuple[TaskSpec, ...]:
    """Build tasks t0, t1, … from the indexes of those that use each."""
    used: dict[int, list[str]] = defaultdict(list)
    for producer, used_by in enumerate(consumers):
        for consumer in used_by:
            used[consumer].append(f"t{producer}")
    return tuple(
        TaskSpec(id=f"t{i}", goal="look", domain=labels[i] if labels else None, depends_on=uses(*used[i]))
        for i in range(len(consumers))
    )


def teams(tree: tuple[Node, ...]) -> dict[str, str | None]:
    """Return who leads each task."""
    return {node.id: node.parent for node in tree if node.kind is NodeKind.AGENT}


def kinds(tree: tuple[Node, ...]) -> dict[str, int]:
    return dict(Counter(node.kind.value for node in tree))


def shape(tree: tuple[Node, ...]) -> dict[str, tuple[str, ...]]:
    return {node.id: node.members for node in tree if node.kind is not NodeKind.AGENT}


def assert_is_a_tree(tree: tuple[Node, ...], tasks: tuple[TaskSpec, ...], span: int) -> None:
    """Assert the hard rules of R2 and D6."""
    seen: set[str] = set()
    children: dict[str, list[str]] = defaultdict(list)
    for node in tree:
        assert node.id not in seen
        assert (node.parent is None) == (node is tree[0])
        assert node.parent is None or node.parent in seen
        seen.add(node.id)
        if node.parent is not None:
            children[node.parent].append(node.id)
    coordinators = [node for node in tree if node.kind is not NodeKind.AGENT]
    for node in coordinators:
        assert list(node.members) == children[node.id]
        assert len(node.members) <= span
        assert node is tree[0] or len(node.members) > 1
    held = [task for node in tree if node.kind is NodeKind.AGENT for task in node.members]
    assert sorted(held) == sorted(task.id for task in tasks)
    assert all(node.members == (node.id,) for node in tree if node.kind is NodeKind.AGENT)


@many
@given(label_mixes(), st.integers(2, 12), st.sampled_from(PRIORITIES))
def test_every_tree_keeps_span_depth_and_ownership(labels: list[str | None], span: int, priority: Priority | None):
    tasks = labelled(labels)
    tree = build_tree(tasks, span, priority)

    assert_is_a_tree(tree, tasks, span)
    assert levels_of(tree) <= allowed_levels(len(tasks), span)


@many
@given(label_mixes(most=1500))
def test_labels_that_are_not_reported_have_a_lead_of_their_own(labels: list[str | None]):
    tasks = labelled(labels)
    tree = build_tree(tasks)
    sizes = agents_below(tree)
    led = {node.domain for node in tree if sizes[node.id] == labels.count(node.domain)}
    reported = {label for labels in cohesion(tree) for label in labels}

    assert {label for label in labels if label} == led - {None} | reported
    assert not led & reported


@many
@given(label_mixes(most=600), st.integers(2, 12))
def test_a_node_bears_a_label_exactly_when_all_agents_below_do(labels: list[str | None], span: int):
    tasks = labelled(labels)
    tree = build_tree(tasks, span)
    below: dict[str, set[str | None]] = defaultdict(set)
    of = {task.id: task.domain for task in tasks}
    for node in reversed(tree):
        below[node.id] |= {of[node.id]} if node.kind is NodeKind.AGENT else set()
        if node.parent:
            below[node.parent] |= below[node.id]

    assert {node.id: node.domain for node in tree} == {
        node_id: next(iter(found)) if len(found) == 1 else None for node_id, found in below.items()
    }


@many
@given(st.integers(1, 5000), st.integers(2, 12))
def test_without_labels_there_are_as_few_levels_as_the_span_allows(n: int, span: int):
    assert levels_of(build_tree(labelled([None] * n), span)) == minimum_levels(n, span)


@many
@given(st.integers(1, 5000))
def test_coherence_takes_the_recommended_depth(n: int):
    assert levels_of(build_tree(labelled([None] * n), priority="coherence")) == recommended_levels(n)


@many
@given(st.integers(1, 3000), st.integers(2, 12))
def test_siblings_without_labels_are_alike_in_size(n: int, span: int):
    tree = build_tree(labelled([None] * n), span)
    sizes = agents_below(tree)
    for node in tree:
        below = [sizes[member] for member in node.members if node.kind is not NodeKind.AGENT]

        assert max(below, default=0) - min(below, default=0) <= 1


def test_the_tree_of_one_more_agent_never_has_fewer_levels():
    levels = [
        levels_of(build_tree(labelled([None] * n))) for n in (*range(1, 80), *range(500, 530), *range(4090, 4100))
    ]

    assert all(a <= b for a, b in pairwise(levels))


def test_500_agents_make_the_reference_tree():
    tree = build_tree(labelled([None] * 500))

    assert kinds(tree) == {"primary": 1, "domain": 8, "team": 64, "agent": 500}


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (0, {"primary": 1}),
        (1, {"primary": 1, "agent": 1}),
        (8, {"primary": 1, "agent": 8}),
        (9, {"primary": 1, "team": 2, "agent": 9}),
        (64, {"primary": 1, "team": 8, "agent": 64}),
        (65, {"primary": 1, "domain": 2, "team": 9, "agent": 65}),  # 33 → 5 teams, 32 → 4 teams
    ],
)
def test_unlabelled_agents_get_team_leads_then_domain_leads(n: int, expected: dict[str, int]):
    assert kinds(build_tree(labelled([None] * n))) == expected


def test_resilience_divides_the_top_as_widely_as_the_span_allows():
    assert len(build_tree(labelled([None] * 30))[0].members) == 4
    assert len(build_tree(labelled([None] * 30), priority="resilience")[0].members) == 8


def test_a_small_domain_has_agents_directly_below_its_lead():
    tree = build_tree(labelled(["a"] * 5 + ["b"] * 6))

    assert shape(tree) == {
        "primary": ("domain:a", "domain:b"),
        "domain:a": ("t0", "t1", "t2", "t3", "t4"),
        "domain:b": ("t5", "t6", "t7", "t8", "t9", "t10"),
    }


def test_a_large_domain_gets_teams():
    tree = build_tree(labelled(["a"] * 60 + ["b"] * 9))

    assert shape(tree)["domain:b"] == ("team:b/1", "team:b/2")
    assert len(shape(tree)["domain:a"]) == 8


def test_a_single_domain_is_led_by_the_primary_itself():
    tree = build_tree(labelled(["a"] * 20))

    assert tree[0].members == ("team:a/1", "team:a/2", "team:a/3")
    assert tree[0].domain == "a"


def test_a_domain_of_one_agent_gets_no_lead():
    assert shape(build_tree(labelled(["a"] * 6 + ["b"] * 5 + ["c"])))["primary"] == ("domain:a", "domain:b", "t11")


def test_a_small_job_stays_flat_whatever_its_labels():
    tree = build_tree(labelled(["a", "a", "b", "b"]))

    assert kinds(tree) == {"primary": 1, "agent": 4}
    assert [node.domain for node in tree] == [None, "a", "a", "b", "b"]
    assert label_findings(tree) == ()


def test_more_domains_than_the_span_are_grouped_by_their_common_prefix():
    labels = [f"{top}.{sub}" for top in ("api", "db", "web") for sub in "abcd" for _ in range(5)]

    assert build_tree(labelled(labels))[0].members == ("domain:api", "domain:db", "domain:web")


def test_strangers_in_a_group_name_it_by_the_first_and_the_last():
    labels = [f"d{i:02}" for i in range(20) for _ in range(3)]

    assert build_tree(labelled(labels))[0].members == ("domain:d00..d06", "domain:d07..d12", "domain:d13..d19")


def test_agents_without_label_report_to_the_primary_while_there_is_room():
    assert build_tree(labelled(["a"] * 6 + ["b"] * 6 + [None] * 2))[0].members == ("domain:a", "domain:b", "t12", "t13")


def test_agents_without_label_are_grouped_when_there_is_no_room():
    tree = build_tree(labelled(["a"] * 6 + ["b"] * 6 + [None] * 9))

    assert set(tree[0].members) >= {"domain:a", "domain:b", "team:1", "team:2"}
    assert levels_of(tree) == 2


def test_labels_that_do_not_fit_into_the_depth_share_leads_and_are_named():
    # 10 domains of 2 need 80 places, two levels have 64: three domains must share.
    tree = build_tree(labelled([f"d{i}" for i in range(10) for _ in range(2)]))
    (finding,) = label_findings(tree)

    assert levels_of(tree) == 2
    assert cohesion(tree) == (("d0", "d1", "d2"), ())
    assert (finding.rule, finding.level, finding.where) == ("D2", "warning", "d0, d1, d2")
    assert finding.message.startswith("these domains share a lead with other domains: ")


def test_a_single_label_that_shares_a_lead_is_named():
    (finding,) = label_findings(build_tree(labelled([*(f"d{i}" for i in range(8) for _ in range(2)), None])))

    assert finding.message.startswith("this domain shares a lead with other domains: 'd0';")


def test_a_label_too_large_for_its_place_is_divided_and_named():
    tree = build_tree(labelled(["x"] * 9 + ["y"]))
    (finding,) = label_findings(tree)

    assert cohesion(tree) == ((), ("x",))
    assert finding.message.startswith("this domain is divided over several leads: 'x';")


def test_many_shared_labels_are_counted_in_the_message_and_all_named_as_the_place():
    tree = build_tree(labelled([f"d{i:02}" for i in range(24) for _ in range(2)]))
    (finding,) = label_findings(tree)

    assert finding.where.count(",") > 6
    assert "more;" in finding.message


def test_labels_stay_whole_when_a_level_within_the_recommendation_makes_room():
    # 9 domains of 7: two levels would do for 63 agents, three are recommended and keep every domain.
    tree = build_tree(labelled([f"d{i}" for i in range(9) for _ in range(7)]))

    assert levels_of(tree) == 3
    assert cohesion(tree) == ((), ())


def test_node_ids_never_collide_with_task_ids():
    ids = ["primary", "lead:primary", "domain:a", "team:1", *(f"t{i}" for i in range(12))]
    tasks = tuple(TaskSpec(id=task_id, goal="look", domain="a" if i < 6 else "b") for i, task_id in enumerate(ids))
    tree = build_tree(tasks)

    assert tree[0].id == "lead:lead:primary"
    assert len({node.id for node in tree}) == len(tree)


def test_groups_with_the_same_name_are_told_apart():
    # `core` is a domain and the prefix of a group.
    labels = (
        ["core"] * 5
        + [f"core.x{i}" for i in range(9) for _ in range(5)]
        + [f"web.x{i}" for i in range(9) for _ in range(5)]
    )
    tree = build_tree(labelled(labels))

    assert {"domain:core", "domain:core~2"} <= {node.id for node in tree}


def test_members_follow_the_order_of_the_tasks_within_a_label():
    tasks = labelled(["b", "a"] * 6)

    assert shape(build_tree(tasks))["domain:a"] == ("t1", "t3", "t5", "t7", "t9", "t11")


@pytest.mark.parametrize("span", [1, 0, -3])
def test_a_span_below_two_is_refused(span: int):
    with pytest.raises(InvalidInput, match=f"span of {span}"):
        build_tree(labelled([None]), span)


def test_a_span_wider_than_eight_is_allowed():
    assert kinds(build_tree(labelled([None] * 30), span=40)) == {"primary": 1, "agent": 30}


@many
@given(acyclic(most=90), st.integers(2, 12), st.sampled_from(PRIORITIES))
def test_clusters_keep_the_span_and_cost_no_level(consumers: Links, span: int, priority: Priority | None):
    tasks = linked(consumers)
    tree = build_tree(tasks, span, priority)
    even = build_tree(labelled([None] * len(tasks)), span, priority)

    assert_is_a_tree(tree, tasks, span)
    assert levels_of(tree) == levels_of(even)
    assert tree == build_tree(tasks, span, priority)


@many
@given(acyclic(most=90), st.integers(2, 12), st.sampled_from(PRIORITIES), st.data())
def test_labels_are_kept_whatever_the_dependencies(
    consumers: Links, span: int, priority: Priority | None, data: st.DataObject
):
    name = st.sampled_from(("a", "a.b", "c", None))
    labels = data.draw(st.lists(name, min_size=len(consumers), max_size=len(consumers)))
    tasks = linked(consumers, labels)
    tree = build_tree(tasks, span, priority)

    assert_is_a_tree(tree, tasks, span)
    assert levels_of(tree) <= allowed_levels(len(tasks), span)
    assert cohesion(tree) == cohesion(build_tree(labelled(labels), span, priority))


def alternating(tasks: int, kinds: int) -> Links:
    """Link the tasks whose numbers have the same remainder: nobody's neighbour in the list is one in the graph."""
    return links(tasks, *((i, i + kinds) for i in range(tasks - kinds)))


def test_those_who_depend_on_each_other_share_a_team():
    tree = build_tree(linked(alternating(24, 3)))

    assert [shape(tree)[f"team:{i + 1}"] for i in range(3)] == [
        tuple(f"t{j}" for j in range(i, 24, 3)) for i in range(3)
    ]


def test_teams_that_hand_on_to_each_other_share_a_domain():
    # Nine chains of 24: a chain is three teams, and all its teams report to one domain lead.
    tree = build_tree(linked(alternating(216, 9)))
    lead_of = {node.id: node.parent for node in tree}
    domains = [{lead_of[teams(tree)[f"t{j}"] or ""] for j in range(i, 216, 9)} for i in range(9)]

    assert levels_of(tree) == 3
    assert all(len(leads) == 1 for leads in domains)


def test_teams_inside_a_label_follow_its_dependencies():
    tree = build_tree(linked(alternating(24, 3), ["a"] * 24))

    assert {teams(tree)[f"t{j}"] for j in range(1, 24, 3)} == {"team:a/2"}
    assert tree[0].domain == "a"


def test_a_label_that_must_be_divided_is_divided_along_its_dependencies():
    # Two chains of 8 in one label and a task beside it: in two levels x cannot have a lead above two teams.
    tree = build_tree(linked([*alternating(16, 2), []], ["x"] * 16 + ["y"]))
    leads = [{teams(tree)[f"t{j}"] for j in range(i, 16, 2)} for i in range(2)]

    assert cohesion(tree).divided == ("x",)
    assert all(len(found) == 1 for found in leads)


def test_an_agent_that_shares_no_team_reports_to_the_lead_above():
    tree = build_tree(linked(links(9, *clique_at(0, 8))))

    assert tree[0].members == ("team:1", "t8")


def test_a_coupling_of_none_draws_nobody_together():
    tasks = [
        TaskSpec(id=f"t{i}", goal="look", depends_on=(Dependency(task="t0", coupling=Coupling.NONE),) if i > 7 else ())
        for i in range(16)
    ]

    assert shape(build_tree(tasks)) == shape(build_tree(labelled([None] * 16)))


def test_a_dependency_on_a_task_outside_draws_nobody_together():
    tasks = [TaskSpec(id=f"t{i}", goal="look", depends_on=uses("elsewhere")) for i in range(16)]

    assert shape(build_tree(tasks)) == shape(build_tree(labelled([None] * 16)))


def test_coherence_takes_the_recommended_depth_with_dependencies_too():
    tree = build_tree(linked(alternating(60, 3)), priority="coherence")

    assert levels_of(tree) == recommended_levels(60)


@pytest.mark.parametrize(("n", "parts"), [(30, 8), (500, 8), (9, 4)])
def test_resilience_divides_clusters_widely_too(n: int, parts: int):
    consumers = links(n, *((i, i + 1) for i in range(0, n - 1, 2)))

    assert len(build_tree(linked(consumers), priority="resilience")[0].members) == parts


def test_a_long_chain_is_no_trouble():
    tree = build_tree(linked(alternating(5000, 1)))

    assert levels_of(tree) == minimum_levels(5000)
