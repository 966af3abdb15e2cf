"""Wishes that a plan cannot follow or that no run obeys (R1)."""

from typing import Any, get_args

import pytest

from echelon.lint.rules import lint
from echelon.lint.wishes import OBEYED
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.organisation import Organisation
from echelon.planning.planner import plan
from tests.unit.planning.building import labelled


def told(tasks: Any, *, fixed: bool = False, **wishes: Any) -> list[tuple[str, str]]:
    graph = TaskGraph(name="job", goal="find risks", tasks=tuple(tasks), organisation=Organisation(**wishes))
    found = lint(graph, plan(graph, agents_fixed=fixed))
    return [(finding.where, finding.message) for finding in found if finding.rule == "R1"]


TABLE: tuple[tuple[int, dict[str, Any], str], ...] = (
    (5, {"sync": "phase"}, ""),
    (5, {"sync": "milestone"}, "organisation.sync"),
    (5, {"sync": "interval"}, "organisation.sync"),
    (5, {"sync": "event"}, "organisation.sync"),
    (5, {"sync": "adaptive"}, "organisation.sync"),
    (5, {"sync": "continuous"}, "organisation.sync"),
    (1, {"sync": "adaptive"}, ""),
    (5, {"visibility": "scope"}, ""),
    (5, {"visibility": "exceptions"}, ""),
    (5, {"visibility": "everything"}, "organisation.visibility"),
    (300, {"visibility": "sampling"}, "organisation.visibility"),
    (5, {"approval": "none"}, ""),
    (5, {"approval": "selected"}, ""),
    (1, {"approval": "everything"}, "organisation.approval"),
)


@pytest.mark.parametrize(
    ("tasks", "wishes", "where"), [pytest.param(*row, id=f"R1-{row[0]}-{row[1]}") for row in TABLE]
)
def test_a_wish_that_no_run_obeys_is_named_with_what_happens_instead(
    tasks: int, wishes: dict[str, Any], where: str
) -> None:
    assert [place for place, _ in told(labelled([None] * tasks), **wishes)] == ([where] if where else [])


def test_the_table_speaks_of_every_way_that_may_be_asked_for() -> None:
    for wish in OBEYED:
        allowed = get_args(get_args(Organisation.model_fields[wish.field].annotation)[0])
        tried = {row[1][wish.field] for row in TABLE if wish.field in row[1]}

        assert set(wish.values) <= set(allowed)
        assert tried == set(allowed)


def test_a_person_who_is_asked_all_the_same_is_named() -> None:
    send = [TaskSpec(id="send", goal="publish", irreversible=True)]
    ((where, message),) = told(send, approval="none")

    assert where == "organisation.approval"
    assert "a run waits for a person before 'send' all the same" in message
    assert told(send) == told(send, approval="selected") == []


@pytest.mark.parametrize(("asked", "expected"), [(1, ["organisation.agents"]), (2, ["organisation.agents"]), (3, [])])
def test_fewer_agents_than_a_job_has_calls_cannot_be_had(asked: int, expected: list[str]) -> None:
    assert [where for where, _ in told(labelled([None] * 3), fixed=True, agents=asked)] == expected
