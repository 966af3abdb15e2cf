"""The eight anti-patterns but the one of texts, each with the size at which it begins (L)."""

from typing import Any

import pytest

from echelon.lint.rules import lint
from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.organisation import Organisation
from echelon.model.plan import Finding
from echelon.planning.planner import plan
from echelon.scaling.scalability import flat_ceiling
from tests.unit.planning.building import chained, in_a_row, labelled


def found(tasks: Any, rule: str, *, span: int = 8, fixed: bool = False, **wishes: Any) -> list[Finding]:
    graph = TaskGraph(name="job", goal="find risks", tasks=tuple(tasks), organisation=Organisation(**wishes))
    return [one for one in lint(graph, plan(graph, span=span, agents_fixed=fixed)) if one.rule == rule]


def levels(findings: list[Finding]) -> list[str]:
    return [finding.level.value for finding in findings]


def some(number: int) -> tuple[TaskSpec, ...]:
    return labelled([None] * number)


#: rule, independent tasks, wishes → levels of the findings
TABLE: tuple[tuple[str, int, dict[str, Any], list[str]], ...] = (
    ("L1", 10, {"agents": 10}, []),
    ("L1", 10, {"agents": 11}, ["warning"]),
    ("L1", 30, {"structure": "flat"}, ["warning"]),  # the ceiling of flat
    ("L1", 5, {"structure": "flat"}, []),
    ("L1", 5, {"single_agent_success": 0.44}, []),
    ("L1", 5, {"single_agent_success": 0.45, "agents": 5}, ["warning"]),
    ("L1", 5, {"single_agent_success": 0.9}, []),  # the plan has one agent then
    ("L2", 10, {"structure": "flat"}, []),
    ("L2", 11, {"structure": "flat"}, ["error"]),
    ("L2", 11, {"structure": "hierarchical"}, []),
    ("L3", 1, {"sync": "continuous"}, []),
    ("L3", 10, {"sync": "continuous"}, ["warning"]),
    ("L3", 11, {"sync": "continuous"}, ["error"]),
    ("L3", 11, {"sync": "phase"}, []),
    ("L4", 10, {"visibility": "everything"}, []),
    ("L4", 11, {"visibility": "everything"}, ["error"]),
    ("L4", 300, {"visibility": "exceptions"}, []),
    ("L7", 1, {"approval": "everything"}, []),
    ("L7", 10, {"approval": "everything"}, ["warning"]),
    ("L7", 11, {"approval": "everything"}, ["error"]),
    ("L7", 11, {"approval": "selected"}, []),
    ("L8", 5, {"structure": "flat"}, []),
    ("L8", 5, {"structure": "federated"}, ["error"]),
    ("L8", 5, {"structure": "hierarchical"}, ["warning"]),
    ("L8", 80, {"structure": "multi_tier"}, []),
    ("L8", 80, {"structure": "single", "agents": 80}, ["error"]),
    ("L8", 80, {"structure": "flat"}, []),  # told by L2
    ("L8", 9, {"structure": "flat"}, ["warning"]),
    ("L8", 300, {"visibility": "everything"}, []),  # told by L4
    ("L8", 199, {"visibility": "sampling"}, ["warning"]),
    ("L8", 200, {"visibility": "sampling"}, []),
    ("L8", 3, {"sync": "interval"}, ["warning"]),
    ("L8", 4, {"sync": "interval"}, []),
    ("L8", 30, {"sync": "event"}, []),
    ("L8", 31, {"sync": "event"}, ["warning"]),
)


@pytest.mark.parametrize(
    ("rule", "tasks", "wishes", "expected"), [pytest.param(*row, id=f"{row[0]}-{row[1]}-{row[2]}") for row in TABLE]
)
def test_a_wish_is_held_against_the_rules(rule: str, tasks: int, wishes: dict[str, Any], expected: list[str]) -> None:
    assert levels(found(some(tasks), rule, **wishes)) == expected


def test_more_agents_than_the_graph_has_work_for_are_told_how_many_it_has() -> None:
    # 6 tasks, the longest chain has 3: nobody is more than twice as fast as one agent.
    tasks = chained("a", "b: a", "c: b", "d", "e: d", "f: d")
    told = found(tasks, "L1", agents=3)[0]

    assert "only 2.0 times its longest chain (3 tasks" in told.message
    assert told.fix.startswith("ask for 2 agents at most")


def test_the_ceiling_of_flat_is_the_one_of_the_simulation() -> None:
    most = flat_ceiling()

    assert found(some(most), "L1", structure="flat") == []
    assert str(most) in found(some(most + 1), "L1", structure="flat")[0].message


@pytest.mark.parametrize(("agents", "span", "expected"), [(10, 12, []), (11, 12, ["warning"]), (11, 8, [])])
def test_a_large_span_makes_a_plan_flat(agents: int, span: int, expected: list[str]) -> None:
    assert levels(found(some(agents), "L2", span=span)) == expected


def test_phases_of_one_task_that_nothing_asks_for_are_too_many_sync_points() -> None:
    tasks = [TaskSpec(id=f"t{i}", goal="look", phase=f"p{i}") for i in range(6)]
    graph = TaskGraph(name="job", goal="find risks", tasks=tuple(tasks))
    told = [one for one in lint(graph, in_a_row(plan(graph))) if one.rule == "L3"]

    assert levels(told) == ["warning"]
    assert "6 of 6 phases hold a single task, and 6 wait one for the other, though the dep" in told[0].message


@pytest.mark.parametrize(
    "tasks",
    [
        [TaskSpec(id=f"t{i}", goal="look", touches=("x",)) for i in range(6)],
        [TaskSpec(id=f"t{i}", goal="look", phase=f"p{i}", needs=(f"p{i - 1}",) if i else ()) for i in range(6)],
        [TaskSpec(id=f"t{i}", goal="look", phase=f"p{i % 2}") for i in range(6)],
        [TaskSpec(id=f"t{i}", goal="look", phase=f"p{i}") for i in range(6)],
    ],
    ids=["shared thing", "phases that need each other", "few phases", "phases side by side"],
)
def test_phases_that_something_asks_for_are_left_alone(tasks: list[TaskSpec]) -> None:
    assert found(tasks, "L3") == []


def test_agents_that_depend_on_nearly_everybody_have_no_scope() -> None:
    tasks = chained(*(f"t{i}: {' '.join(f't{j}' for j in range(i))}" for i in range(12)))

    assert "11 others on average" in found(tasks, "L4", fixed=True)[0].message


def tight(number: int, loose: int) -> list[TaskSpec]:
    links = [Dependency(task="t0", coupling=Coupling.TIGHT, reason="one transaction")] * number
    links += [Dependency(task="t0")] * loose
    used = [TaskSpec(id=f"t{i}", goal="look", depends_on=(link,)) for i, link in enumerate(links, start=1)]
    return [TaskSpec(id="t0", goal="look"), *used]


@pytest.mark.parametrize(
    ("number", "loose", "expected"),
    [(3, 0, []), (4, 9, ["warning"]), (4, 10, [])],  # 4/13 is 31 %, 4/14 is 29 %
)
def test_tight_couplings_above_a_third_or_so_are_told(number: int, loose: int, expected: list[str]) -> None:
    assert levels(found(tight(number, loose), "L5")) == expected


def test_a_tight_chain_through_three_domains_is_told_with_its_tasks() -> None:
    def linked(task: str, used: str) -> TaskSpec:
        links = (Dependency(task=used, coupling=Coupling.TIGHT, reason="so"),) if used else ()
        return TaskSpec(id=task, goal="look", domain=f"domain {task}", depends_on=links)

    tasks = [linked("a", ""), linked("b", "a"), linked("c", "b")]

    assert "crosses 2 boundaries of domains: a -> b -> c" in found(tasks, "L5", fixed=True)[0].message
    assert found(tasks[:2], "L5", fixed=True) == []
    assert found(tasks, "L5") == []  # one agent does it all, so that there is nothing to cross


def test_most_tasks_behind_gates_are_approval_of_everything() -> None:
    tasks = [TaskSpec(id=f"t{i}", goal="pay", irreversible=i < 5) for i in range(9)]

    assert "5 of 9 tasks are irreversible" in found(tasks, "L7")[0].message
    assert found([*tasks, TaskSpec(id="x", goal="look")], "L7") == []
