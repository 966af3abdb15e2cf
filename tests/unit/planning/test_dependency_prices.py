"""What a dependency costs beside its handoffs: failure reach and who must change with it (D1, D3, C8)."""

from typing import Any

import pytest

from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.plan import Plan, Range
from echelon.model.terms import Terms
from echelon.planning.dependency_prices import DependencyPrice, dearest_dependencies
from echelon.planning.planner import plan


def using(name: str, **used: Coupling) -> TaskSpec:
    links = tuple(Dependency(task=task, coupling=coupling) for task, coupling in used.items())
    return TaskSpec(id=name, goal="look", depends_on=links, tokens=50_000)


def planned(*tasks: TaskSpec, fixed: bool = True) -> Plan:
    return plan(TaskGraph(name="job", goal="go", tasks=tasks), agents_fixed=fixed)


def by_producer(made: Plan, most: int = 100) -> dict[str, DependencyPrice]:
    return {one.producer: one for one in dearest_dependencies(made, most)}


TIGHT, MEDIUM, LOOSE, NONE = Coupling


def test_a_failure_reaches_all_that_is_tight_behind_it_and_each_once():
    # a -> b -> d and a -> c -> d are tight, d -> e is loose.
    made = planned(
        using("a"), using("b", a=TIGHT), using("c", a=TIGHT), using("d", b=TIGHT, c=TIGHT), using("e", d=LOOSE)
    )

    assert {name: one.failure_reach for name, one in by_producer(made).items()} == {"a": 3, "b": 1, "c": 1, "d": 0}


def test_tight_consumers_change_together_and_medium_ones_are_informed():
    made = planned(using("a"), using("b", a=TIGHT), using("c", a=MEDIUM), using("d", a=LOOSE), using("e", a=NONE))
    price = by_producer(made)["a"]

    assert (price.consumers, price.change_together, price.change_notified) == (3, 1, 1)
    assert price.handoffs == 3
    assert price.tokens == Range(low=30_000, high=90_000)  # 10 to 30 thousand each


def test_inside_one_agent_nothing_is_handed_on():
    made = planned(using("a"), using("b", a=TIGHT), fixed=False)

    assert by_producer(made)["a"].handoffs == 0
    assert by_producer(made)["a"].failure_reach == 1


def test_what_others_depend_on_most_comes_first_and_only_a_few_are_named():
    tasks = [using("a")]
    for i in range(8):
        tasks += [using(f"p{i}"), *(using(f"c{i}{j}", **{f"p{i}": TIGHT}) for j in range(i))]
    dearest = dearest_dependencies(planned(*tasks))

    assert [(one.producer, one.failure_reach) for one in dearest] == [(f"p{i}", i) for i in (7, 6, 5, 4, 3)]


def test_where_many_ways_lead_to_the_same_tasks_what_stands_first_comes_first():
    # Each uses the two before it, so that far more ways than tasks lead on from the first ones.
    tasks = [using(f"t{i}", **{f"t{j}": TIGHT for j in range(max(0, i - 2), i)}) for i in range(40)]
    dearest = dearest_dependencies(planned(*tasks))

    assert [(one.producer, one.failure_reach) for one in dearest] == [(f"t{i}", 39 - i) for i in range(5)]


def test_a_job_without_dependencies_has_nothing_to_price():
    assert dearest_dependencies(planned(using("a"), using("b"))) == ()


def phased(coupling: Coupling | None, behind: Coupling | None) -> Plan:
    tasks = [
        *(TaskSpec(id=f"make/{i}", goal="make", phase="make") for i in range(3)),
        *(TaskSpec(id=f"use/{i}", goal="use", phase="use", needs=("make",)) for i in range(2)),
        TaskSpec(id="end", goal="end", phase="end", needs=("use",)),
    ]
    made = planned(*tasks)
    stated: dict[str, Any] = {
        "consumer": "x", "delivers": "X@1.0", "strictness": "strict", "strictness_stated": "usual",
        "timeout_stated": "usual", "attempts": 1, "attempts_stated": "usual", "when_missing": "",
    }  # fmt: skip
    terms = (
        Terms(phase="use", needs="make", coupling=coupling, **stated),
        Terms(phase="end", needs="use", coupling=behind, **stated),
    )
    return made.model_copy(update={"terms": terms})


@pytest.mark.parametrize(
    ("coupling", "behind", "reach"),
    [
        pytest.param(TIGHT, TIGHT, {"make": 3, "use": 1}, id="both-tight"),
        pytest.param(TIGHT, None, {"make": 2, "use": 0}, id="the-first-tight"),
        pytest.param(None, TIGHT, {"make": 0, "use": 1}, id="the-second-tight"),
        pytest.param(NONE, TIGHT, {"use": 1}, id="order-only"),
    ],
)
def test_one_failure_in_a_phase_that_is_needed_tightly_stops_all_that_need_it(
    coupling: Coupling | None, behind: Coupling | None, reach: dict[str, int]
):
    prices = by_producer(phased(coupling, behind))

    assert {name: one.failure_reach for name, one in prices.items()} == reach
    assert "make" not in prices or prices["make"].handoffs == 5  # 3 hand on, 2 take


def test_what_needs_a_phase_of_one_task_stops_with_it():
    tasks = [TaskSpec(id="a", goal="make", phase="one"), TaskSpec(id="b", goal="use", phase="two", needs=("one",))]

    assert by_producer(planned(*tasks))["one"].failure_reach == 1
    assert by_producer(planned(*tasks, TaskSpec(id="c", goal="make", phase="one")))["one"].failure_reach == 0


def test_work_that_is_not_known_to_cost_tokens_has_handoffs_without_a_price():
    tasks = [TaskSpec(id="a", goal="make"), TaskSpec(id="b", goal="use", depends_on=(Dependency(task="a"),))]
    price = by_producer(planned(*tasks))["a"]

    assert (price.handoffs, price.tokens) == (1, None)
