"""What is nearly used up, and who has gone silent (V1)."""

import pytest

from echelon.oversight.exceptions.resources import BudgetUse
from echelon.oversight.exceptions.silence import LEAST_SIGNS, MOST_SIGNS
from echelon.runlog.events import RunEvent
from echelon.runlog.state import RunState
from tests.unit.oversight.exceptions.runs import asked, at, ended, logged, plan_of, pushed, said, started, watching

WHOLE = BudgetUse("job 'audit'", "tokens", 1000, 801)


@pytest.mark.parametrize(
    ("use", "line"),
    [
        (WHOLE, "job 'audit' has used 80 % of its tokens: 801 of 1,000"),
        (BudgetUse("domain 'x'", "cost", 5.0, 4.5), "domain 'x' has used 90 % of its cost: 4.50 of 5.00"),
        (BudgetUse("job 'a'", "seconds", 100, 85), "job 'a' has used 85 % of its seconds: 1 min 25 s of 1 min 40 s"),
        (WHOLE._replace(used=800), None),  # four fifths are not more than that
    ],
)  # fmt: skip
def test_more_than_four_fifths_of_a_budget_are_reported_once(use: BudgetUse, line: str | None) -> None:
    watch = watching(plan_of(["a"]))

    assert [one.message for one in watch.budgets([use], at(1))] == ([] if line is None else [line])
    assert watch.budgets([use._replace(used=use.bound)], at(2)) == [] or line is None


def test_budgets_of_tasks_are_one_exception_where_they_are_found_together() -> None:
    watch = watching(plan_of(["a", "b", "c"]))
    uses = [BudgetUse(f"task {name!r}", "calls", 10, 9, name) for name in "ab"]
    (report,) = watch.budgets(uses, at(1))
    (third,) = watch.budgets([*uses, BudgetUse("task 'c'", "calls", 10, 9, "c")], at(2))

    assert (report.message, report.tasks) == ("2 tasks have used more than 80 % of their calls: a, b", ("a", "b"))
    assert (third.message, third.tasks) == ("task 'c' has used 90 % of its calls: 9 of 10", ("c",))
    resumed = watching(plan_of(["a", "b", "c"]), before=RunState().apply(*pushed([report, third])))
    assert resumed.budgets(uses, at(3)) == []


def test_a_context_that_was_nearly_full_is_reported_once() -> None:
    watch = watching(plan_of(["a", "b"]), started("a"), asked("a", 170_000), asked("a", 180_000), asked("b", 160_000))
    lines = said(watch, 2)

    assert lines == ["resource: the context of a was 85 % full: 170,000 of 200,000 tokens"]
    assert said(watching(plan_of(["a"]), asked("a", None)), 2) == []  # unknown is not full


def beating(task: str, signs: int, every: float) -> list[RunEvent]:
    return [logged(task, every * number) for number in range(signs)]


def test_who_logged_again_and_again_and_then_nothing_is_silent() -> None:
    signs = LEAST_SIGNS + 1
    watch = watching(plan_of(["a"]), started("a"), *beating("a", signs, 10.0))  # the last at 50 s

    assert said(watch, 99.9) == []
    assert said(watch, 100) == [
        "heartbeat: a has given no sign of life for 50 s; before, its signs were 10 s apart at most"
    ]
    assert said(watch, 999) == []
    watch.see(logged("a", 1000))
    assert said(watch, 9999) == []  # once


@pytest.mark.parametrize(
    ("signs", "every", "until"),
    [
        (LEAST_SIGNS - 1, 1.0, 1e6),  # it is not known how far apart they are
        (LEAST_SIGNS, 0.1, 30.3),  # never before half a minute
        (MOST_SIGNS, 0.1, 1e6),  # what it logs from then on is not written down
        (0, 1.0, 1e6),  # never heard of: nothing is known
    ],
)
def test_nothing_is_made_up_of_who_gives_no_regular_signs(signs: int, every: float, until: float) -> None:
    assert said(watching(plan_of(["a"]), started("a"), *beating("a", signs, every)), until) == []


def test_who_has_ended_is_not_silent() -> None:
    log = [started("a"), *beating("a", 9, 1.0), ended("a", 9.0)]

    assert said(watching(plan_of(["a"]), *log), 1e6) == []
