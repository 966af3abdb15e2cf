from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.model.errors import InvalidInput
from echelon.model.graph import TaskSpec
from echelon.model.plan import InfrastructureAgent, InfrastructureRole
from echelon.planning.infrastructure import infrastructure_count, infrastructure_for, roles_for
from echelon.planning.tree import build_tree
from tests.unit.planning.building import labelled

agents = st.integers(0, 1_000_000)


def by_role(made: tuple[InfrastructureAgent, ...]) -> dict[InfrastructureRole, list[InfrastructureAgent]]:
    return {role: [agent for agent in made if agent.role is role] for role in InfrastructureRole}


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        pytest.param(0, 49, 0, id="R3-none-below-50"),
        pytest.param(50, 199, 4, id="R3-one-of-each-from-50"),
        pytest.param(200, 499, 6, id="R3-200"),
        pytest.param(500, 999, 8, id="R3-500"),
        pytest.param(1_000, 4_999, 10, id="R3-1000"),
        pytest.param(5_000, 49_999, 12, id="R3-5000"),
        pytest.param(50_000, 10**9, 24, id="R3-50000"),
    ],
)
def test_the_number_of_agents_decides_how_many_coordinate_only(first: int, last: int, count: int):
    assert {infrastructure_count(first), infrastructure_count(last)} == {count}


def test_from_50_agents_on_every_role_is_filled():
    assert set(roles_for(50)) == set(InfrastructureRole)


def test_at_500_agents_there_are_6_to_10():
    assert 6 <= infrastructure_count(500) <= 10


@given(agents)
def test_no_role_shrinks_as_agents_are_added(n: int):
    before, after = roles_for(n), roles_for(n + 1)

    assert all(after[role] >= count for role, count in before.items())


@given(agents)
def test_coordination_agents_are_few_beside_those_who_work(n: int):
    assert infrastructure_count(n) * 12 <= n


def test_what_is_returned_can_be_changed_without_changing_the_rule():
    roles_for(50).clear()

    assert infrastructure_count(50) == 4


def test_the_reference_tree_of_500_agents_gets_8_who_share_the_domains():
    tree = build_tree(labelled(f"d{i % 8}" for i in range(500)))
    made = infrastructure_for(tree, 500)

    assert len(made) == 8
    assert {agent.reports_to for agent in made} == {tree[0].id}
    for sharing in by_role(made).values():
        assert [len(agent.serves) for agent in sharing] == [4, 4]
        assert Counter(part for agent in sharing for part in agent.serves) == Counter(tree[0].members)


def test_below_50_agents_nobody_coordinates_only():
    assert infrastructure_for(build_tree(labelled([None] * 49)), 49) == ()


def test_verification_answers_to_the_primary_and_not_to_the_leads_it_checks():
    tree = build_tree(labelled(f"d{i % 6}" for i in range(300)))
    verifiers = by_role(infrastructure_for(tree, 300))[InfrastructureRole.VERIFICATION]

    assert len(verifiers) == 2
    for agent in verifiers:
        assert agent.reports_to == tree[0].id
        assert agent.reports_to not in agent.serves
        assert "primary" in agent.why


def test_where_there_are_more_of_a_role_than_domains_several_serve_the_same():
    tree = build_tree(labelled(["left"] * 300 + ["right"] * 300))
    made = by_role(infrastructure_for(tree, 1_200))[InfrastructureRole.AUDIT]

    assert [agent.serves for agent in made] == [("domain:left",), ("domain:right",), ("domain:left",)]


def test_ids_differ_from_those_of_tasks():
    tasks = [TaskSpec(id="infrastructure:audit/1", goal="look"), *labelled([None] * 59)]
    made = by_role(infrastructure_for(build_tree(tasks), 60))[InfrastructureRole.AUDIT]

    assert [agent.id for agent in made] == ["coordination:infrastructure:audit/1"]


@settings(deadline=None, max_examples=40)
@given(st.integers(50, 1_500), st.integers(2, 12), st.integers(1, 30))
def test_every_part_is_served_by_every_role_and_nobody_is_idle(n: int, span: int, domains: int):
    tree = build_tree(labelled(f"d{i % domains}" for i in range(n)), span)
    made = infrastructure_for(tree, n)

    assert len(made) == infrastructure_count(n)
    assert len({agent.id for agent in made} | {node.id for node in tree}) == len(made) + len(tree)
    for sharing in by_role(made).values():
        assert all(agent.serves for agent in sharing)
        assert {part for agent in sharing for part in agent.serves} == set(tree[0].members)


def test_a_negative_number_of_agents_is_refused():
    with pytest.raises(InvalidInput, match=r"-1 agents.*0 or more"):
        infrastructure_count(-1)
