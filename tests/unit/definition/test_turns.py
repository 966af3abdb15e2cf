"""What a phase states of who works with whom, and when: it is in the plan, and changes it (D4, F5, R1)."""

from collections.abc import Sequence
from typing import Any

import pytest

from echelon import Job, agent
from echelon.definition.definition import NoInputs
from echelon.definition.planned import planned
from echelon.model.errors import InvalidJob
from echelon.model.plan import Plan
from echelon.planning.schedule.phase_graph import needs_of_phases

ONE_AFTER_ANOTHER, ALL_AT_ONCE = 6.0, 3.0


@agent
def change(name: str) -> str:
    """Change it."""
    return name


@agent
def other() -> str:
    """Do something else."""
    return ""


def three() -> list[str]:
    return ["a", "b", "c"]


def plan_of(**phase: Any) -> Plan:
    job = Job("changing", goal="Change it all")
    job.phase("change", **({"each": change, "over": three, "seconds": 2.0} | phase))
    return planned(job, NoInputs()).plan


def one_each(name: str) -> Sequence[str]:
    return [name]


@pytest.mark.parametrize(
    ("touches", "in_turns", "bound"),
    [
        (["the table"], ("the table",), 6.0),
        (one_each, (), None),
        (lambda name: ["left" if name == "a" else "right"], ("right",), 4.0),
        ((), (), None),
    ],
    ids=["all the same", "each its own", "two the same", "nothing"],
)
def test_tasks_that_touch_the_same_take_turns_and_the_forecast_says_so(
    touches: Any, in_turns: tuple[str, ...], bound: float | None
) -> None:
    """2 s each: what takes turns takes 2 s times the tasks that touch the same."""
    made = plan_of(touches=touches)

    assert tuple(limit.thing for limit in made.limits if limit.thing) == in_turns
    assert made.makespan.bound_seconds == bound
    assert [phase.name for phase in made.phases] == ["change"]


def test_the_thing_that_binds_is_named() -> None:
    assert plan_of(touches=["the table"]).makespan.bound_by == "agents that change 'the table' take turns"


def test_of_phases_side_by_side_that_touch_the_same_one_waits_for_the_other() -> None:
    def needs(touches: Sequence[str]) -> dict[str, tuple[str, ...]]:
        job = Job("changing", goal="Change it all")
        job.phase("first", agent=change_all, touches=["the table"])
        job.phase("second", agent=other, touches=touches)
        return needs_of_phases(planned(job, NoInputs()).plan.phases)

    assert needs(["the table"]) == {"first": (), "second": ("first",)}
    assert needs(["a chair"]) == {"first": (), "second": ()}


@agent
def change_all() -> str:
    """Change everything."""
    return ""


def test_the_forecast_starts_the_higher_priority_first() -> None:
    """One agent at a time, 2 s each: what `late` is needed for begins when `late` is done, at 2 s or at 6 s."""

    def predicted(priority: int) -> float:
        job = Job("changing", goal="Change it all", max_concurrency=1)
        job.phase("many", each=change, over=three, seconds=2.0)
        job.phase("late", agent=other, seconds=2.0, priority=priority)
        job.phase("behind", agent=change_all, needs="late", seconds=20.0)
        made = planned(job, NoInputs()).plan
        assert {task.priority for task in made.tasks if task.phase == "late"} == {priority}
        assert made.makespan.predicted is not None
        return made.makespan.predicted

    assert predicted(-1) > predicted(1)


def test_teams_go_by_the_capability_that_is_stated_where_there_are_no_domains() -> None:
    """Twelve agents of two phases: with one capability they are no teams of two abilities any more (R1)."""

    def labels(capability: str | None = None) -> set[str | None]:
        job = Job("changing", goal="Change it all")
        job.phase("read", each=change, over=lambda: [f"r{n}" for n in range(6)], capability=capability)
        job.phase("note", each=note, over=lambda: [f"n{n}" for n in range(6)], capability=capability)
        made = planned(job, NoInputs()).plan
        assert made.structure == "hierarchical"
        return {node.domain for node in made.tree if node.kind == "agent"}

    assert labels() == {"change", "note"}
    assert labels(capability="reading") == {None}


@agent
def note(name: str) -> str:
    """Note it."""
    return name


def nothing_known(name: str) -> Sequence[str]:
    raise KeyError(name)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"touches": "the table"}, "give the names in a list"),
        ({"touches": lambda name: name}, "give the names in a list"),
        ({"touches": [" "]}, "each name is a text that is not empty"),
        ({"touches": [1]}, "each name is a text that is not empty"),
        ({"touches": 7}, "give the names in a list"),
        ({"touches": nothing_known}, "what 'change/a' touches failed: KeyError"),
        ({"each": None, "over": None, "agent": other, "touches": one_each}, "there is no `over`; give names"),
        ({"priority": True}, "is no whole number"),
        ({"priority": 1.5}, "is no whole number"),
        ({"capability": " "}, "names none"),
    ],
)
def test_what_cannot_be_meant_is_refused(stated: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidJob, match=said):
        plan_of(**stated)
