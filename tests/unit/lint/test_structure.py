"""The structural rules: owners, contracts, reasons, spans, checks, gates, chains, retries, money (L)."""

from typing import Any

import pytest

from echelon.lint.rules import lint
from echelon.model.graph import Coupling, Dependency, TaskGraph, TaskSpec
from echelon.model.organisation import Organisation
from echelon.model.plan import Finding, Plan
from echelon.model.priors import Priors
from echelon.model.usage import Budget, Price
from echelon.planning.planner import plan
from tests.unit.planning.building import chained, labelled, uses


def graph_of(tasks: Any, **more: Any) -> TaskGraph:
    return TaskGraph(name="job", goal="find risks", tasks=tuple(tasks), **more)


def found(graph: TaskGraph, rule: str, made: Plan | None = None, *, fixed: bool = True) -> list[Finding]:
    made = made or plan(graph, agents_fixed=fixed)
    return [finding for finding in lint(graph, made) if finding.rule == rule]


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.level.value, finding.where) for finding in findings]


def test_d6_a_task_an_integration_and_a_sync_point_need_an_owner_who_is_there() -> None:
    graph = graph_of(labelled([None] * 3))
    made = plan(graph)
    owners = {"t0": "t0", "t1": "nobody"}
    first = made.phases[0]
    lost = first.model_copy(update={"sync": first.sync.model_copy(update={"owner": "gone"})})
    by_hand = made.model_copy(update={"owners": owners, "phases": (lost,)})

    assert [where for _, where in told(found(graph, "D6", by_hand))] == [first.name, "primary", "t1", "t2"]
    assert found(graph, "D6", made) == []


def test_d6_a_task_that_two_agents_hold_has_two_owners() -> None:
    graph = graph_of(labelled([None] * 2))
    made = plan(graph)
    tree = [node.model_copy(update={"members": ("t0",)}) if node.id == "t1" else node for node in made.tree]
    by_hand = Plan.model_validate(made.model_dump() | {"tree": tree})

    assert "held by 2 agents" in found(graph, "D6", by_hand)[0].message


def crossing(contract: str | None, other: str | None = "Other@1") -> TaskGraph:
    return graph_of([
        TaskSpec(id="a", goal="look", domain="x", contract=contract),
        TaskSpec(id="b", goal="look", domain="y", depends_on=uses("a"), contract=other),
        TaskSpec(id="c", goal="look", domain="x", depends_on=uses("a")),
    ])  # fmt: skip


def test_c1_what_crosses_a_boundary_keeps_a_contract() -> None:
    assert told(found(crossing(None), "C1")) == [("warning", "a")]
    assert "1 other domain" in found(crossing(None), "C1")[0].message
    assert found(crossing("A@1"), "C1") == []


def test_c1_a_graph_without_any_contract_is_told_so_once() -> None:
    assert told(found(crossing(None, None), "C1")) == [("info", "job")]


def test_c1_what_a_whole_phase_needs_crosses_too() -> None:
    tasks = [
        TaskSpec(id="a", goal="look", domain="x", phase="one"),
        TaskSpec(id="b", goal="look", domain="y", phase="two", needs=("one",), contract="B@1"),
    ]

    assert told(found(graph_of(tasks), "C1")) == [("warning", "a")]


def test_c1_thousands_of_findings_are_told_as_twenty_and_a_number() -> None:
    tasks = [TaskSpec(id=f"a{i:02}", goal="look", domain="x") for i in range(50)]
    tasks.append(TaskSpec(id="z", goal="look", domain="y", depends_on=uses(*(t.id for t in tasks)), contract="Z@1"))
    findings = found(graph_of(tasks), "C1")

    assert len(findings) == 21
    assert findings[-1].message == "and 30 more findings of this kind; the next is at 'a20'"


@pytest.mark.parametrize(("coupling", "reason", "count"), [("tight", " ", 1), ("tight", "money", 0), ("loose", "", 0)])
def test_d3_tight_coupling_needs_a_reason(coupling: str, reason: str, count: int) -> None:
    link = Dependency(task="a", coupling=Coupling(coupling), reason=reason)

    assert len(found(graph_of([*chained("a"), TaskSpec(id="b", goal="look", depends_on=(link,))]), "D3")) == count


@pytest.mark.parametrize(("n", "span", "expected"), [(8, 9, []), (9, 9, ["warning"]), (9, 8, [])])
def test_r2_more_than_eight_reports_are_told_even_if_wanted(n: int, span: int, expected: list[str]) -> None:
    graph = graph_of(labelled([None] * n))

    assert [level for level, _ in told(found(graph, "R2", plan(graph, span=span)))] == expected


def test_r2_a_plan_by_hand_with_nine_reports_is_wrong() -> None:
    graph = graph_of(labelled([None] * 9))
    by_hand = plan(graph, span=9).model_copy(update={"span": 8})

    assert told(found(graph, "R2", by_hand)) == [("error", "primary")]


def checking(**author: Any) -> TaskGraph:
    check = TaskSpec(id="check", goal="check", verifies=("make",), model="gpt", depends_on=uses("make"))
    return graph_of([TaskSpec(id="make", goal="make", **author), check])


def test_o3_the_author_cannot_be_the_one_who_checks() -> None:
    graph = checking()
    made = plan(graph)
    tree = [
        node.model_copy(update={"members": ("make", "check")}) if node.id == "make" else node
        for node in made.tree
        if node.id != "check"
    ]
    by_hand = Plan.model_validate(made.model_dump() | {"tree": tree})

    assert told(found(graph, "O3", by_hand)) == [("error", "check")]
    assert found(graph, "O3", made) == []


def test_o3_the_same_model_confirms_nothing() -> None:
    assert told(found(checking(model="gpt"), "O3")) == [("warning", "check")]
    assert found(checking(model="other"), "O3") == []


def test_o3_danger_is_checked_by_somebody() -> None:
    graph = graph_of([
        TaskSpec(id="a", goal="pay", irreversible=True),
        TaskSpec(id="b", goal="dose", error_consequence="catastrophic"),
        TaskSpec(id="c", goal="look", error_consequence="significant"),
    ])  # fmt: skip

    assert told(found(graph, "O3")) == [("warning", "a"), ("warning", "b")]
    assert found(checking(irreversible=True), "O3") == []


def test_o3_tasks_that_are_dangerous_alike_are_one_finding() -> None:
    graph = graph_of([TaskSpec(id=f"t{i}", goal="pay", irreversible=True) for i in range(6)])
    (finding,) = found(graph, "O3")

    assert (finding.level, finding.where) == ("warning", "t0")
    assert "each of 6 tasks ('t0', 't1', 't2', 't3' and 2 more) cannot be undone" in finding.message


def test_o3_checks_by_the_same_model_are_one_finding() -> None:
    made = [TaskSpec(id=f"m{i}", goal="make", model="gpt") for i in range(3)]
    checks = [TaskSpec(id=f"c{i}", goal="check", model="gpt", verifies=(f"m{i}",)) for i in range(3)]
    (finding,) = found(graph_of([*made, *checks]), "O3")

    assert "'c0' checks 'm0' with the same model 'gpt' (and so with 2 more pairs)" in finding.message


def test_o5_what_cannot_be_undone_stands_behind_a_gate() -> None:
    graph = graph_of([TaskSpec(id="a", goal="pay", irreversible=True), TaskSpec(id="b", goal="look")])
    made = plan(graph)
    open_door = tuple(phase.model_copy(update={"gate": ()}) for phase in made.phases)

    assert found(graph, "O5", made) == []
    assert told(found(graph, "O5", made.model_copy(update={"phases": open_door}))) == [("error", "a")]


def test_d1_a_chain_given_to_many_agents_is_told_once() -> None:
    graph = graph_of(chained("a", "b: a", "c: b", "x", "y"))
    findings = found(graph, "D1")

    assert told(findings) == [("warning", "a")]
    assert "a -> b -> c" in findings[0].message
    assert found(graph, "D1", fixed=False) == []  # the planner makes one agent of it


def test_d1_phases_of_one_agent_that_need_each_other_are_a_chain() -> None:
    tasks = [
        TaskSpec(id=name, goal="look", phase=name, needs=(before,) if before else (), capability=name, model=model)
        for name, before, model in (("draft", "", "gpt"), ("revise", "draft", "gpt"), ("polish", "revise", "gpt"))
    ]
    functions = [task.model_copy(update={"model": None}) for task in tasks]

    assert told(found(graph_of(tasks), "D1")) == [("warning", "draft")]
    assert told(found(graph_of(functions), "D1")) == [("info", "draft")]


def test_d1_the_way_through_a_phase_of_many_is_no_chain() -> None:
    tasks = [
        TaskSpec(id="sync point of many", goal="look", phase="one"),
        *(TaskSpec(id=f"m{i}", goal="look", phase="many", needs=("one",)) for i in range(9)),
        TaskSpec(id="z", goal="look", phase="last", needs=("many",)),
    ]

    assert found(graph_of(tasks), "D1") == []


@pytest.mark.parametrize("why", [{"irreversible": True}, {"verifies": ("t2",)}])
def test_d1_a_gate_or_a_check_ends_a_chain(why: dict[str, object]) -> None:
    """Three tasks of 50,000 tokens each fit one context on either side; a fourth would not."""
    chain = chained("t0", *(f"t{i}: t{i - 1}" for i in range(1, 7)))
    apart = [task.model_copy(update=why) if task.id == "t3" else task for task in chain]

    assert told(found(graph_of(apart), "D1")) == [("warning", "t0"), ("warning", "t4")]


def test_d1_a_long_chain_is_cut_where_it_is_told() -> None:
    findings = found(graph_of(chained("t0", *(f"t{i}: t{i - 1}" for i in range(1, 9)))), "D1")

    assert "t0 -> t1 -> t2 -> t3 -> t4 -> … -> t8" in findings[0].message


def test_d1_a_chain_that_no_context_can_hold_is_only_mentioned() -> None:
    tasks = [task.model_copy(update={"tokens": 90_000}) for task in chained("a", "b: a", "c: b")]

    assert told(found(graph_of(tasks), "D1")) == [("info", "a")]


def test_d1_many_agents_save_little_when_nearly_all_work_is_one_chain() -> None:
    timed = [task.model_copy(update={"seconds": 100.0}) for task in chained("a", "b: a", "c: b")]
    beside = [task.model_copy(update={"seconds": 1.0}) for task in chained("x: a", "c2: b x")]
    findings = found(graph_of([*timed, *beside]), "D1")

    assert told(findings) == [("warning", "job")]
    assert "99% of all work: 5 agents save 1%" in findings[0].message


@pytest.mark.parametrize(
    ("layers", "expected", "arithmetic"),
    [
        ((3,), [], ""),
        ((3, 1), [], ""),
        ((2, 2), [("warning", "a")], "2 × 2 = 4"),
        ((3, 1, 3), [("warning", "a")], "3 × 3 = 9"),
        ((3, 4), [("error", "a")], "3 × 4 = 12"),
    ],
)
def test_f3_layers_of_retries_multiply(layers: tuple[int, ...], expected: list[Any], arithmetic: str) -> None:
    findings = found(graph_of([TaskSpec(id=name, goal="look", attempts=layers) for name in "ab"]), "F3")

    assert told(findings) == expected
    assert all(arithmetic in finding.message and "2 tasks" in finding.message for finding in findings)


PRICES = {"gpt": Price(input=1, output=2)}


@pytest.mark.parametrize(
    ("task", "more", "expected"),
    [
        ({}, {}, []),
        ({"seconds": 1}, {}, []),
        ({"tokens": 5}, {}, [("warning", "job"), ("info", "a")]),
        ({"tokens": 0}, {}, []),
        ({"tokens": 0, "model": "gpt"}, {}, []),
        ({"model": "gpt"}, {"budget": Budget()}, [("warning", "job"), ("info", "gpt")]),
        ({"model": "gpt"}, {"budget": Budget(calls=9), "prices": PRICES}, []),
        ({"model": "new"}, {"budget": Budget(calls=9), "prices": PRICES}, [("warning", "new")]),
        ({"model": "gpt", "tokens": 5}, {"budget": Budget(tokens=4), "prices": PRICES}, [("warning", "budget.tokens")]),
        ({"seconds": 60}, {"budget": Budget(seconds=9)}, [("warning", "budget.seconds")]),
        ({"model": "gpt", "tokens": 10**7}, {"budget": Budget(cost=5), "prices": PRICES}, [("warning", "budget.cost")]),
        ({"tokens": 0}, {"standing": (Budget(calls=1, per="day"),)}, []),
    ],
)  # fmt: skip
def test_f4_what_costs_has_a_budget_and_a_price(task: Any, more: Any, expected: list[tuple[str, str]]) -> None:
    assert told(found(graph_of([TaskSpec(id="a", goal="look", **task)], **more), "F4")) == expected


def test_f4_one_run_needs_less_than_a_whole_day_has() -> None:
    tasks = [TaskSpec(id=name, goal="look", tokens=0) for name in "abc"]
    (finding,) = found(graph_of(tasks, standing=(Budget(calls=2, per="day"), Budget(calls=9, per="month"))), "F4")

    assert (finding.level.value, finding.where) == ("warning", "budget.calls")
    assert "the budget of a whole day of 2 calls is less than the 3" in finding.message
    assert "left to wait for the next day" in finding.message


def test_f4_one_task_costs_and_several_cost() -> None:
    one = TaskSpec(id="a", goal="look", tokens=5)
    both = (one, TaskSpec(id="b", goal="look", tokens=5), TaskSpec(id="c", goal="add up", tokens=0))

    assert {finding.message[:19] for finding in found(graph_of([one]), "F4")} == {"1 task costs tokens"}
    assert {finding.message[:19] for finding in found(graph_of(both), "F4")} == {"2 tasks cost tokens"}


@pytest.mark.parametrize(
    ("attempts", "expected", "tried"),
    [((), ["info"], "no second attempt is stated"), ((1,), ["info"], "tried once"), ((2,), [], "")],
)
def test_f9_what_everything_goes_through_is_tried_more_than_once(
    attempts: tuple[int, ...], expected: list[str], tried: str
) -> None:
    joined = TaskSpec(id="m", goal="look", depends_on=uses("a", "b", "c"), attempts=attempts)
    findings = found(graph_of([*chained("a", "b", "c", "x: m", "y: m"), joined]), "F9")

    assert told(findings) == [(level, "m") for level in expected]
    assert all(tried in finding.message for finding in findings)


def test_f9_a_hub_is_one_and_the_links_of_a_chain_are_not() -> None:
    ring = [f"u{i}: hub" for i in range(17)]

    assert [where for _, where in told(found(graph_of(chained("hub", *ring, "other")), "F9"))] == ["hub"]
    assert found(graph_of(chained("a", "b: a", "c: b")), "F9") == []


def test_the_priors_decide_what_is_serial() -> None:
    graph = graph_of(chained("a", "b: a", "x: a", "c: b x"), priors=Priors(sequential_share=0.75))

    assert told(found(graph, "D1")) == [("warning", "job")]


def test_d1_agents_that_take_turns_on_one_thing_are_told() -> None:
    turns = [task.model_copy(update={"touches": ("db",)}) for task in chained(*(f"t{i}" for i in range(12)))]
    (finding,) = found(graph_of(turns), "D1")

    assert (finding.level, finding.where) == ("warning", "db")
    assert "12 of 12 agents change 'db'" in finding.message


def test_d1_who_checks_is_never_asked_to_be_the_author() -> None:
    made = TaskSpec(id="a", goal="look", seconds=100, model="m1")
    check = TaskSpec(id="b", goal="look", seconds=5, model="m2", verifies=("a",))

    assert found(graph_of([made, check]), "D1") == []


def test_d1_a_chain_that_fits_no_context_is_not_given_to_one_agent() -> None:
    tasks = [task.model_copy(update={"tokens": 100_000}) for task in chained("a", "b: a", "c: b")]
    (finding,) = found(graph_of(tasks), "D1")

    assert "let as few agents do it" in finding.fix


@pytest.mark.parametrize(
    ("wish", "tasks", "part"),
    [
        ({"agents": 3}, chained(*(f"t{i}" for i in range(9))), "3 agents asked for, the plan has 9"),
        (
            {"agents": 1},
            tuple(t.model_copy(update={"irreversible": True}) for t in chained("a", "b")),
            "a single agent is wanted",
        ),
    ],
)
def test_r1_a_wish_for_fewer_agents_that_is_not_followed_is_told(wish: dict, tasks: tuple, part: str) -> None:
    wished = graph_of(tasks).model_copy(update={"organisation": Organisation(**wish)})

    assert part in found(wished, "R1")[-1].message
