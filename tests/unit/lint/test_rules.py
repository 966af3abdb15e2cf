"""The table of the linter, the order of findings, and that plan and lint never contradict each other (L)."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.lint.rules import LEVELS, RULES, TOLD, counted, lint
from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.organisation import Organisation
from echelon.model.plan import Finding, FindingLevel
from echelon.planning.planner import plan
from tests.unit.planning.building import graph, labelled


def test_there_is_a_rule_for_every_anti_pattern_and_each_once() -> None:
    ids = [rule.id for rule in RULES]

    assert ids[:8] == [f"L{number}" for number in range(1, 9)]
    assert len(set(ids)) == len(ids)
    assert all(rule.check.__doc__ and f"{rule.id}" in rule.check.__doc__ for rule in RULES)


@pytest.mark.parametrize("n", [0, 1, 2, 8, 9, 20, 21, 100, 101, 500])
def test_independent_tasks_are_planned_without_a_finding_at_any_size(n: int) -> None:
    """With as many as cannot ask each other, the words must be declared (C3)."""
    asked = graph(labelled([None] * n)).model_copy(update={"vocabularies": {"severity": ("low", "high")}})

    assert lint(asked, plan(asked)) == ()


def test_findings_are_ordered_by_level_then_rule_then_place_with_the_planners_own() -> None:
    tasks = [TaskSpec(id=f"t{i}", goal="look", tokens=9, domain=f"d{i}") for i in range(12)]
    wishes = Organisation(visibility="everything", approval="everything", structure="single", agents=12)
    asked = TaskGraph(name="job", goal="use pandas please", tasks=tuple(tasks), organisation=wishes)
    made = plan(asked)
    found = lint(asked, made)
    order = [(LEVELS.index(finding.level), finding.rule, finding.where) for finding in found]

    assert order == sorted(order)
    assert [finding.rule for finding in found if finding.level is FindingLevel.ERROR] == ["L4", "L7", "L8"]
    assert {finding.rule for finding in made.findings} >= {"D5"}
    assert set(map(str, made.findings)) <= set(map(str, found))
    assert sum(counted(found).values()) == len(found)


def test_a_finding_says_where_what_and_what_to_do() -> None:
    asked = graph([TaskSpec(id="a", goal="use pandas for it", irreversible=True, attempts=(5, 5))])

    for finding in lint(asked, plan(asked)):
        assert finding.where
        assert len(finding.message) > 40
        assert finding.fix


LABELS = st.sampled_from((None, "core", "core.api", "web", "ops"))


@st.composite
def graphs(draw: st.DrawFn) -> TaskGraph:
    """Draw graphs of everything that a task may say, without wishes: what the planner makes of them is its own."""
    n = draw(st.integers(0, 25))
    tasks: list[TaskSpec] = []
    for i in range(n):
        used = draw(st.sets(st.integers(0, i - 1), max_size=4)) if i else set()
        coupling = draw(st.sampled_from(Coupling))
        tasks.append(
            TaskSpec(
                id=f"t{i}",
                goal="look",
                domain=draw(LABELS),
                depends_on=tuple(Dependency(task=f"t{j}", coupling=coupling) for j in sorted(used)),
                tokens=draw(st.none() | st.integers(0, 400_000)),
                seconds=draw(st.none() | st.floats(0, 100)),
                touches=tuple(draw(st.sets(st.sampled_from("xyz"), max_size=2))),
                irreversible=draw(st.booleans()),
                error_consequence=draw(st.sampled_from(("minor", "significant", "catastrophic"))),
                model=draw(st.sampled_from((None, "gpt", "other"))),
                attempts=draw(st.sampled_from(((), (1,), (3,), (3, 3)))),
                verifies=tuple(f"t{j}" for j in sorted(used)) if draw(st.booleans()) else (),
            )
        )
    return TaskGraph(name="job", goal="find risks", tasks=tuple(tasks))


@settings(deadline=None, max_examples=40)
@given(graphs(), st.integers(2, 12), st.booleans())
def test_a_plan_of_ours_has_no_error_whatever_the_graph(asked: TaskGraph, span: int, fixed: bool) -> None:
    found = lint(asked, plan(asked, span=span, agents_fixed=fixed))

    assert [finding for finding in found if finding.level is FindingLevel.ERROR] == []
    assert all(len(same) <= TOLD + 1 for same in _by_rule(found))
    assert found == lint(asked, plan(asked, span=span, agents_fixed=fixed))


def _by_rule(found: tuple[Finding, ...]) -> Iterator[list[Finding]]:
    for rule in RULES:
        yield [finding for finding in found if finding.rule == rule.id]
