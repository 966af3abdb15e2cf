"""Ceremony without work, phases of one agent, leads without anything to do (L8, D4, X2)."""

from typing import Any

import pytest

from echelon.lint.rules import lint
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.organisation import Organisation
from echelon.model.plan import Finding, Plan
from echelon.planning.planner import plan
from tests.unit.planning.building import chained, in_a_row, labelled, uses


def found(tasks: Any, rule: str, made: Plan | None = None, **wishes: Any) -> list[Finding]:
    graph = TaskGraph(name="job", goal="find risks", tasks=tuple(tasks), organisation=Organisation(**wishes))
    made = made or plan(graph, agents_fixed=True)
    return [finding for finding in lint(graph, made) if finding.rule == rule]


def levels(findings: list[Finding]) -> list[str]:
    return [finding.level.value for finding in findings]


def sized(tokens: int | None, number: int) -> list[TaskSpec]:
    """Build tasks of so many tokens; one uses all the others."""
    tasks = [TaskSpec(id=f"t{i}", goal="look", tokens=tokens) for i in range(number - 1)]
    return [*tasks, TaskSpec(id="all", goal="sum up", tokens=tokens, depends_on=uses(*(t.id for t in tasks)))]


@pytest.mark.parametrize(
    ("tokens", "number", "expected"),
    [
        # 4 agents: 3 handoffs and 4 reports, 10,000 tokens each at least: 70,000 against 4 × 17,000 of work.
        pytest.param(17_000, 4, ["warning"], id="L8-4-dear"),
        pytest.param(18_000, 4, [], id="L8-4-worth-it"),
        pytest.param(None, 4, [], id="L8-4-unknown"),
        pytest.param(1_000, 1, [], id="L8-alone"),
        pytest.param(1_000, 9, [], id="L8-9-not-small"),
        pytest.param(0, 4, [], id="L8-no-tokens-at-all"),
    ],
)
def test_few_agents_whose_handoffs_cost_more_than_their_work_are_large_ceremony(
    tokens: int | None, number: int, expected: list[str]
) -> None:
    assert levels(found(sized(tokens, number), "L8")) == expected


def checked(**made: Any) -> list[TaskSpec]:
    work = [TaskSpec(id=f"t{i}", goal="make", **made) for i in range(3)]
    checks = [TaskSpec(id=f"v{i}", goal="check", verifies=(f"t{i}",)) for i in range(3)]
    return [*work, *checks]


@pytest.mark.parametrize(
    ("tasks", "wishes", "expected"),
    [
        pytest.param(checked(), {}, ["3 checks of harmless work"], id="L8-checks-of-harmless-work"),
        pytest.param(checked(error_consequence="significant"), {}, [], id="L8-checks-of-danger"),
        pytest.param(labelled([None] * 3), {"approval": "everything"}, ["3 approvals"], id="L8-approvals"),
        pytest.param(labelled([None] * 3), {"approval": "selected"}, [], id="L8-some-approvals"),
        pytest.param(
            [TaskSpec(id=f"t{i}", goal="look", phase=f"p{i}") for i in range(4)],
            {"approval": "everything"},
            ["and 4 approvals"],
            id="L8-approvals-of-phases-side-by-side",
        ),
        pytest.param(chained("a", "b: a", "c: b", "d: c"), {}, [], id="L8-sync-points-that-are-needed"),
        pytest.param(labelled([None] * 12), {"approval": "everything"}, [], id="L8-many"),
    ],
)
def test_ceremony_that_nothing_asks_for_is_told_with_what_it_is(
    tasks: Any, wishes: dict[str, Any], expected: list[str]
) -> None:
    findings = found(tasks, "L8", **wishes)

    assert levels(findings) == ["warning"] * len(expected)
    assert all(part in finding.message for part, finding in zip(expected, findings, strict=True))


def test_sync_points_one_behind_the_other_that_nothing_asks_for_are_ceremony() -> None:
    tasks = alone(4)
    told = found(tasks, "L8", in_a_row(planned(tasks)), approval="everything")

    assert levels(told) == ["warning"]
    assert "3 sync points, 4 approvals" in told[0].message


def planned(tasks: list[TaskSpec]) -> Plan:
    return plan(TaskGraph(name="job", goal="find risks", tasks=tuple(tasks)), agents_fixed=True)


def alone(number: int, needs: bool = False) -> list[TaskSpec]:
    """Build phases of one task; each needs all before it where `needs`."""
    names = [f"p{i}" for i in range(number)]
    return [
        TaskSpec(id=f"t{i}", goal="look", phase=name, needs=tuple(names[:i]) if needs else ())
        for i, name in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        pytest.param(alone(3), [], id="D4-3-side-by-side"),
        pytest.param(alone(4, needs=True), [("info", "p0")], id="D4-4-that-need-all-before"),
        pytest.param(chained("a", "b: a", "c: b"), [], id="D4-a-chain-is-told-by-D1"),
        pytest.param(
            [*alone(4, needs=True), TaskSpec(id="x", goal="look", phase="p1", needs=("p0",))],
            [],
            id="D4-the-one-between-holds-two",
        ),
        pytest.param(
            [*alone(3, needs=True), TaskSpec(id="x", goal="look", phase="aside", needs=("p0",))],
            [],
            id="D4-two-wait-for-the-first",
        ),
        pytest.param(
            [t.model_copy(update={"touches": ("x",)}) for t in alone(3)], [("info", "p0")], id="D4-they-take-turns"
        ),
        pytest.param(
            [*alone(3, needs=True), *(TaskSpec(id=f"u{i}", goal="look", phase=f"q{i}") for i in range(3))],
            [("info", "p0")],
            id="D4-a-row-beside-others",
        ),
        pytest.param(
            [t.model_copy(update={"irreversible": t.phase == "p1"}) for t in alone(3, needs=True)],
            [],
            id="D4-a-gate-between",
        ),
        pytest.param(
            [*alone(2, needs=True), TaskSpec(id="v", goal="check", phase="p2", needs=("p1",), verifies=("t0",))],
            [],
            id="D4-a-check-behind",
        ),
    ],
)  # fmt: skip
def test_phases_of_one_agent_in_a_row_are_told(tasks: Any, expected: list[tuple[str, str]]) -> None:
    assert [(f.level.value, f.where) for f in found(tasks, "D4")] == expected


def test_phases_that_wait_for_the_one_before_without_a_need_are_told() -> None:
    tasks = alone(3)

    assert [(f.level.value, f.where) for f in found(tasks, "D4", in_a_row(planned(tasks)))] == [("warning", "p0")]


def integrated(number: int, how: str | None) -> tuple[list[TaskSpec], Plan]:
    tasks = [TaskSpec(id=f"t{i}", goal="look", phase="work") for i in range(number)]
    made = plan(TaskGraph(name="job", goal="go", tasks=tuple(tasks)), agents_fixed=True)
    phases = tuple(phase.model_copy(update={"integration": how}) for phase in made.phases)
    return tasks, made.model_copy(update={"phases": phases})


@pytest.mark.parametrize(
    ("number", "how", "expected"),
    [
        pytest.param(20, "primary", [("warning", "work")], id="X2-20-at-once"),
        pytest.param(9, "primary", [("warning", "work")], id="X2-9-at-once"),
        pytest.param(20, "staged", [], id="X2-20-in-stages"),
        pytest.param(20, "none", [], id="X2-20-passed-on"),
        pytest.param(20, None, [], id="X2-20-a-graph"),
        pytest.param(8, "primary", [], id="X2-8-one-team"),
    ],
)
def test_a_hierarchy_integrates_in_stages(number: int, how: str | None, expected: list[tuple[str, str]]) -> None:
    tasks, made = integrated(number, how)

    assert [(f.level.value, f.where) for f in found(tasks, "X2", made)] == expected
