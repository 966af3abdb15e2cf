"""What crosses teams and domains: how much, how tightly, in which words, of which version (D2, R8, C3, X4)."""

from typing import Any

import pytest

from echelon.lint.rules import lint
from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.organisation import Organisation
from echelon.model.plan import Finding, Plan
from echelon.model.terms import Terms
from echelon.planning.planner import plan
from tests.unit.planning.building import labelled, uses


def found(tasks: Any, rule: str, made: Plan | None = None, *, fixed: bool = True, **more: Any) -> list[Finding]:
    graph = TaskGraph(name="job", goal="find risks", tasks=tuple(tasks), **more)
    made = made or plan(graph, agents_fixed=fixed)
    return [finding for finding in lint(graph, made) if finding.rule == rule]


def levels(findings: list[Finding]) -> list[str]:
    return [finding.level.value for finding in findings]


def linked(*links: str, domains: str = "") -> list[TaskSpec]:
    """Build tasks from texts like `c: a b`; each letter of `domains` is the domain of a task, in their order."""
    made = list[TaskSpec]()
    for number, link in enumerate(links):
        name, _, used = link.partition(":")
        domain = domains[number] if domains else None
        made.append(TaskSpec(id=name, goal="look", domain=domain, depends_on=uses(*used.split())))
    return made


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        # c, d, e, f use what is in the other domain: 4 of 4.
        pytest.param(
            linked("a", "b", "c: a", "d: b", "e: a", "f: b", domains="xyyxyx"), ["warning"], id="D2-all-of-them"
        ),
        pytest.param(
            linked("a", "b", "c: a", "d: b", "e: a", "f: b", domains="xyyxxy"), [], id="D2-half-of-them"
        ),
        pytest.param(
            linked("a", "b", "c: a", "d: b", "e: a", domains="xyyxy"), [], id="D2-too-few-to-say"
        ),
        pytest.param(linked("a", "b", "c: a", "d: b", "e: a", "f: b"), [], id="D2-no-labels"),
        pytest.param(
            [
                *(TaskSpec(id=f"p{i}", goal="make", phase="make", domain="x") for i in range(4)),
                *(TaskSpec(id=f"c{i}", goal="use", phase="use", domain="y", needs=("make",)) for i in range(4)),
            ],
            [],
            id="D2-through-a-sync-point",
        ),
    ],
)  # fmt: skip
def test_domains_that_most_dependencies_cross_are_told(tasks: list[TaskSpec], expected: list[str]) -> None:
    assert levels(found(tasks, "D2")) == expected


def test_dependencies_inside_one_agent_cross_nothing() -> None:
    tasks = linked("a", "b: a", "c: b", "d: c", "e: d", domains="xyxyx")

    assert found(tasks, "D2", fixed=False) == []
    assert levels(found(tasks, "D2")) == ["warning"]


def tied(number: int, coupling: Coupling, domain: str) -> list[TaskSpec]:
    """Build `number` tasks in domains of five; the last uses the first of `domain`."""
    tasks = [TaskSpec(id=f"t{i}", goal="look", domain="abcdefg"[i // 5]) for i in range(number)]
    used = next(task.id for task in tasks if task.domain == domain)
    link = Dependency(task=used, coupling=coupling, reason="one transaction")
    tasks[-1] = tasks[-1].model_copy(update={"depends_on": (link,)})
    return tasks


@pytest.mark.parametrize(
    ("number", "coupling", "domain", "expected"),
    [
        pytest.param(15, Coupling.TIGHT, "a", ["warning"], id="R8-15-tight-across"),
        pytest.param(14, Coupling.TIGHT, "a", [], id="R8-14-tight-across"),
        pytest.param(15, Coupling.TIGHT, "c", [], id="R8-15-tight-inside"),
        pytest.param(15, Coupling.MEDIUM, "a", [], id="R8-15-medium-across"),
        pytest.param(30, Coupling.LOOSE, "a", [], id="R8-30-loose-across"),
    ],
)
def test_from_15_agents_on_tight_coupling_stays_inside_a_team(
    number: int, coupling: Coupling, domain: str, expected: list[str]
) -> None:
    findings = found(tied(number, coupling, domain), "R8")

    assert levels(findings) == expected
    assert all(
        "a failure of 't0' keeps 1 task from starting, and 1 consumer must change" in f.message for f in findings
    )


def phased(producers: int, consumers: int, coupling: Coupling | None) -> tuple[list[TaskSpec], Plan]:
    tasks = [
        *(TaskSpec(id=f"p{i}", goal="make", phase="make", contract="Made@1.0") for i in range(producers)),
        *(TaskSpec(id=f"c{i}", goal="use", phase="use", needs=("make",)) for i in range(consumers)),
    ]
    terms = Terms(
        phase="use", consumer="user", needs="make", delivers="Used@1.0", strictness="strict", strictness_stated="usual",
        timeout_stated="usual", attempts=1, attempts_stated="usual", coupling=coupling, reason="so", when_missing="",
    )  # fmt: skip
    made = plan(TaskGraph(name="job", goal="go", tasks=tuple(tasks)), agents_fixed=True)
    return tasks, made.model_copy(update={"terms": (terms,)})


@pytest.mark.parametrize(
    ("producers", "consumers", "coupling", "expected"),
    [
        pytest.param(12, 6, Coupling.TIGHT, [("warning", "use")], id="R8-tight-phases"),
        pytest.param(12, 6, None, [], id="R8-unstated-phases"),
        pytest.param(5, 3, Coupling.TIGHT, [], id="R8-few"),
    ],
)
def test_a_phase_that_needs_another_tightly_ties_its_teams(
    producers: int, consumers: int, coupling: Coupling | None, expected: list[tuple[str, str]]
) -> None:
    tasks, made = phased(producers, consumers, coupling)

    assert [(f.level.value, f.where) for f in found(tasks, "R8", made)] == expected


@pytest.mark.parametrize(
    ("number", "vocabularies", "expected"),
    [
        pytest.param(50, {}, ["warning"], id="C3-50-none"),
        pytest.param(50, {"severity": ()}, ["warning"], id="C3-50-empty"),
        pytest.param(49, {}, [], id="C3-49-none"),
        pytest.param(50, {"severity": ("low", "high")}, [], id="C3-50-declared"),
    ],
)
def test_from_50_agents_on_words_are_declared(number: int, vocabularies: Any, expected: list[str]) -> None:
    assert levels(found(labelled([None] * number), "C3", vocabularies=vocabularies)) == expected


def two_phases(users: int, contract: str | None) -> list[TaskSpec]:
    used = TaskSpec(id="a", goal="look", contract=contract)
    return [used, *(TaskSpec(id=f"u{i}", goal="use", contract="U@1", depends_on=uses("a")) for i in range(users))]


@pytest.mark.parametrize(
    ("users", "contract", "sync", "expected"),
    [
        pytest.param(10, None, None, ["warning"], id="X4-11-none"),
        pytest.param(10, "Found", None, ["warning"], id="X4-11-unversioned"),
        pytest.param(10, "Found@", None, ["warning"], id="X4-11-empty-version"),
        pytest.param(10, "Found@1.2", None, [], id="X4-11-versioned"),
        pytest.param(9, None, None, [], id="X4-10-few"),
        pytest.param(2, None, "milestone", ["warning"], id="X4-3-milestones-asked-for"),
        pytest.param(2, None, "interval", ["warning"], id="X4-3-interval-asked-for"),
        pytest.param(10, None, "event", [], id="X4-11-events-asked-for"),
    ],
)
def test_what_is_worked_from_between_sync_points_states_its_version(
    users: int, contract: str | None, sync: Any, expected: list[str]
) -> None:
    assert levels(found(two_phases(users, contract), "X4", organisation=Organisation(sync=sync))) == expected


def test_unversioned_inputs_are_a_note_where_no_task_states_a_contract() -> None:
    tasks = [task.model_copy(update={"contract": None}) for task in two_phases(12, None)]

    assert levels(found(tasks, "X4")) == ["info"]
    assert found(labelled([None] * 40), "X4") == []


def test_what_a_whole_phase_needs_is_an_input_too() -> None:
    tasks, made = phased(8, 4, None)
    bare = [task.model_copy(update={"contract": "Made"}) for task in tasks]

    assert found(tasks, "X4", made) == []
    assert [(f.level.value, f.where) for f in found(bare, "X4", made)] == [("warning", "p0")]
