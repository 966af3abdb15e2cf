import doctest

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.model.errors import InvalidInput
from echelon.model.graph import CapacityLimit, TaskSpec
from echelon.model.plan import Structure
from echelon.planning import planner
from echelon.planning.planner import plan
from echelon.planning.regime import profile
from tests.unit.planning.building import chained, graph, label_mixes, labelled


def texts(made, rule: str) -> str:
    return " / ".join(reason.text for reason in made.reasons if reason.rule == rule)


def test_the_example_of_the_documentation_is_true():
    assert doctest.testmod(planner).failed == 0


def test_an_empty_graph_gives_a_valid_plan_without_agents():
    made = plan(graph(()))

    assert (made.n_agents, made.structure, made.levels, len(made.tree), made.phases) == (0, Structure.SINGLE, 1, 1, ())
    assert made.owners == {"primary": "primary"}
    assert "no tasks" in made.reasons[0].text


def test_a_single_task_has_a_primary_and_one_agent():
    made = plan(graph(chained("a")))

    assert (made.structure, made.levels, made.primary.members) == (Structure.SINGLE, 1, ("a",))
    assert made.path("a") == ("primary", "a")


def test_a_plan_carries_what_was_decided():
    tasks = labelled([f"d{i // 100}" for i in range(600)])
    made = plan(graph(tasks), limits=[CapacityLimit(at_once=10)])

    assert (made.job, made.goal, made.span, made.tasks) == ("job", "find risks", 8, tasks)
    assert (made.n_agents, made.structure) == (600, Structure.FEDERATED)
    assert made.profile == profile(600)
    assert made.pairs.structure == len(made.tree) - 1
    assert {phase.sync.owner for phase in made.phases} == {made.primary.id}
    assert texts(made, "R1").startswith("600 agents: federated, because")
    assert "6 of 6 given domains kept" in texts(made, "D2")
    assert "20% to 25%" in texts(made, "R4")


@pytest.mark.parametrize(
    ("tasks", "rule", "part"),
    [
        (chained("a"), "R1", "1 agent: single, because there is nothing to coordinate"),
        (chained("a", "b"), "R1", "independent"),
        (chained("a", "b: a", "c: a"), "R1", "depend on each other"),
        (chained(*(f"t{i}" for i in range(9))), "D2", "no domains given"),
        (chained("a", "b: a", "c: a"), "D4", "2 phases, by the levels of the dependencies"),
        ((TaskSpec(id="a", goal="look", phase="one"),), "D4", "1 phase, declared by the job"),
        ((TaskSpec(id="a", goal="look", touches=("x",)),), "D4", "kept apart"),
        (chained("a", "b"), "D6", "2 tasks, 1 integration and 0 dependencies between teams"),
        (chained("a", "b", "c", "d"), "R7", "4 pairs along the tree instead of 6 in a mesh"),
        (chained("a", "b"), "R2", "1 coordinating level (1 recommended): no one has more than 8 direct reports"),
    ],
)
def test_reasons_say_why_in_plain_sentences(tasks: tuple[TaskSpec, ...], rule: str, part: str):
    assert part in texts(plan(graph(tasks)), rule)


@pytest.mark.parametrize("priority", ["coherence", "speed", "resilience"])
def test_a_priority_is_among_the_reasons(priority):
    assert f"priority {priority}" in texts(plan(graph(labelled([None] * 30)), priority=priority), "R1")


def test_resilience_federates_a_multi_tier_plan():
    assert plan(graph(labelled([None] * 30)), priority="resilience").structure is Structure.FEDERATED


def test_findings_of_tree_and_forecast_are_reported():
    tasks = [TaskSpec(id=f"t{i}", goal="look", domain=f"d{i // 2}", seconds=1 if i else None) for i in range(20)]

    assert [finding.rule for finding in plan(graph(tasks)).findings] == ["D2", "V6"]


def test_phases_follow_the_order_given():
    tasks = [TaskSpec(id="a", goal="look", phase="one"), TaskSpec(id="b", goal="look", phase="two")]

    assert [phase.name for phase in plan(graph(tasks), phase_order=("two", "one")).phases] == ["two", "one"]


@pytest.mark.parametrize(
    ("tasks", "options"),
    [
        (chained("a: b", "b: a"), {}),
        (chained("a"), {"span": 1}),
        (chained("a"), {"priority": "fast"}),
    ],
)
def test_what_cannot_be_planned_is_refused(tasks, options):
    with pytest.raises(InvalidInput):
        plan(graph(tasks), **options)


def test_a_task_called_primary_does_not_take_the_root():
    made = plan(graph(chained("primary", "b: primary", "c: primary")))

    assert made.primary.id == "lead:primary"
    assert made.phases[0].sync.owner == "lead:primary"
    assert made.owners["primary"] == "primary"


@settings(deadline=None, max_examples=25)
@given(label_mixes(most=800), st.integers(2, 12))
def test_equal_graphs_give_equal_plans(labels: list[str | None], span: int):
    first, second = (plan(graph(labelled(labels)), span=span) for _ in range(2))

    assert first == second
    assert first.digest == second.digest
