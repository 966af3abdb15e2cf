import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.concern import PERSON
from echelon.model.errors import InvalidInput
from echelon.model.graph import TaskSpec
from echelon.model.plan import InfrastructureRole
from echelon.planning.infrastructure import infrastructure_count, infrastructure_for, is_judged, roles_for
from echelon.planning.tree import build_tree
from tests.unit.planning.building import labelled

agents = st.integers(0, 1_000_000)


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


@pytest.mark.parametrize(
    ("agents", "stated", "judged"),
    [
        pytest.param(9, True, False, id="R11-below-10-phases-state-it"),
        pytest.param(10, True, True, id="R11-on-request-from-10"),
        pytest.param(49, False, False, id="R11-nobody-asked"),
        pytest.param(50, False, True, id="R11-from-50"),
    ],
)
def test_results_are_judged_from_50_agents_on_and_on_request_from_10(agents: int, stated: bool, judged: bool):
    assert is_judged(agents, stated=stated) is judged


def test_a_plan_has_those_who_run_in_its_job_and_no_others():
    tree = build_tree(labelled(f"d{i % 8}" for i in range(500)))

    assert infrastructure_for(tree) == ()
    assert [one.id for one in infrastructure_for(tree, ("proof",), ("second_look",))] == [
        "infrastructure:verification/proof",
        "infrastructure:audit/second_look",
    ]


def test_they_report_to_a_person_and_to_no_coordinator():
    """O11: nobody whose work they check can hold back what they say."""
    tree = build_tree(labelled(f"d{i % 6}" for i in range(300)))
    made = infrastructure_for(tree, ("proof",), ("second_look",))

    assert {one.reports_to for one in made} == {PERSON}
    assert PERSON not in {node.id for node in tree}
    assert all(one.serves == tree[0].members for one in made)


def test_ids_differ_from_those_of_tasks():
    tasks = [TaskSpec(id="infrastructure:audit/look", goal="look"), *labelled([None] * 59)]
    (made,) = infrastructure_for(build_tree(tasks), auditors=("look",))

    assert made.id == "coordination:infrastructure:audit/look"


def test_a_negative_number_of_agents_is_refused():
    with pytest.raises(InvalidInput, match=r"-1 agents.*0 or more"):
        infrastructure_count(-1)
