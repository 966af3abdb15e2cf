"""A run is looked back on: each thing to change comes with figures, and the next run says whether it worked (X10)."""

from collections.abc import Mapping

import pytest

from echelon.model.learning.retrospective import Foretold, Retrospective, Suggestion, Tried
from echelon.model.plan import Plan
from echelon.model.status import Status
from echelon.runlog.learning.lesson import lesson_of
from echelon.runlog.learning.retrospective import look_back
from echelon.runlog.learning.review_events import RunReviewed
from echelon.runlog.learning.rules import RULES
from echelon.testing.learning_events import suggestion
from echelon.testing.run_events import NOON
from tests.unit.runlog.learning.building import Took, job, ran, side_by_side


def reviewed(
    made: Plan,
    tasks: Mapping[str, Took],
    merged: Mapping[str, Took] | None = None,
    before: RunReviewed | None = None,
) -> RunReviewed:
    state = ran(made, tasks, merged)
    lesson = lesson_of(state, NOON)
    assert lesson is not None
    return RunReviewed(run_id="r1", at=NOON, lesson=lesson, retrospective=look_back(state, made, lesson, before))


def advice(found: RunReviewed, rule: str) -> Suggestion:
    [one] = [one for one in found.retrospective.suggestions if one.rule == rule]
    return one


def test_a_task_that_takes_far_longer_than_the_others_is_to_be_split() -> None:
    found = reviewed(job(4), side_by_side("p0", [2.0, 2.0, 2.0, 12.0]))

    one = advice(found, "longest")

    # In 6 parts of 2 s each, side by side with the others, it ends with them.
    assert (one.now, one.expected) == (12.0, pytest.approx(2.0))
    assert one.said == "split p0/3 into 6: it takes 12 s, 6.0 × the median of p0; expected makespan 12 s → 2.0 s"


def test_what_splitting_is_worth_depends_on_who_is_free() -> None:
    """With two at a time the parts have to wait for each other."""
    tasks = {"p0/0": Took(0, 2), "p0/1": Took(0, 2), "p0/2": Took(2, 4), "p0/3": Took(2, 14)}

    one = advice(reviewed(job(4, at_once=2), tasks), "longest")

    assert (one.now, one.expected) == (14.0, pytest.approx(10.0))  # 3 × 2 s + 6 × 2 s, on two slots: 9 s, or 10 s


def test_failed_attempts_are_to_be_looked_at_where_they_take_long() -> None:
    tasks = {"p0/0": Took(0, 10, attempts=3, retried=8.0), "p0/1": Took(0, 3)}

    one = advice(reviewed(job(2), tasks), "retries")

    assert (one.now, one.expected) == (10.0, pytest.approx(3.0))  # 10 − 8 = 2 s, so that the other one is the longest
    assert "look at why provider fails in p0: 2 attempts failed, 8.0 s of 13 s" in one.said


def test_an_integration_that_takes_too_much_is_to_be_done_in_stages() -> None:
    made = job(9)
    primary = made.model_copy(
        update={"phases": tuple(one.model_copy(update={"integration": "primary"}) for one in made.phases)}
    )

    found = reviewed(primary, side_by_side("p0", [1.0] * 9), {"p0/merge": Took(1, 10)})

    one = advice(found, "integration")
    # 9 outputs in 9 s; in stages of 3 and 3 of them, 6 of 9 parts of that.
    assert (one.now, one.expected) == (10.0, pytest.approx(7.0))
    assert "it takes 50 % of the working time of p0" in one.said


def test_an_agent_that_is_slower_than_before_is_to_be_looked_at() -> None:
    before = reviewed(job(2), side_by_side("p0", [2.0, 2.0]))

    one = advice(reviewed(job(2), side_by_side("p0", [6.0, 6.0]), before=before), "slower")

    assert (one.now, one.expected) == (6.0, pytest.approx(2.0))
    assert "a task takes 6.0 s, before 2.0 s" in one.said


def test_a_limit_that_bound_the_run_is_to_be_widened() -> None:
    tasks = {f"p0/{one}": Took(one // 2 * 4.0, one // 2 * 4.0 + 4.0) for one in range(8)}

    one = advice(reviewed(job(8, at_once=2), tasks), "limit")

    assert (one.now, one.expected) == (16.0, pytest.approx(8.0))
    assert one.said.startswith("allow 4 agents at a time: 2 at a time bound the run")


def test_small_tasks_that_are_told_the_same_again_and_again_are_to_be_merged() -> None:
    tasks = {f"p0/{one}": Took(0, 1, tokens=1_000, told=400) for one in range(8)}

    one = advice(reviewed(job(8), tasks), "small")

    assert (one.measure, one.now, one.expected) == ("tokens", 8_000.0, 8_000.0 - 7 * 400)  # 8 agents become one


def test_what_gains_nothing_worth_a_word_is_not_suggested() -> None:
    """The longest of a few milliseconds is no news."""
    found = reviewed(job(4), side_by_side("p0", [0.02, 0.02, 0.02, 0.2]))

    assert found.retrospective.suggestions == ()


def test_no_more_than_three_things_are_suggested_what_helps_most_first() -> None:
    tasks = {
        f"p{p}/{one}": Took(p * 20.0, p * 20.0 + (19.0 if one == 0 else 2.0)) for p in range(5) for one in range(4)
    }

    found = reviewed(job(4, 4, 4, 4, 4), tasks).retrospective.suggestions

    assert len(found) == 3
    assert [one.gain for one in found] == sorted((one.gain for one in found), reverse=True)


def test_what_failed_and_what_has_changed_is_said() -> None:
    before = reviewed(job(4), side_by_side("p0", [2.0] * 4))
    tasks = {**side_by_side("p0", [4.0] * 5), "p0/5": Took(0, 1, Status.FAILED, code="v2")}
    changed = {task: took._replace(code="v2") for task, took in tasks.items()}

    found = reviewed(job(6), changed, before=before).retrospective

    assert found.failed == ("1 of 6 tasks of p0 (AgentTimeout)",)
    assert found.changes == (
        "p0 has 6 tasks, had 4",
        "the code of a0 in p0 has changed",
        "makespan 2.0 s → 4.0 s (+100 %)",
        "failed 0 → 1",
    )


def test_the_next_run_says_whether_a_change_worked() -> None:
    before = reviewed(job(4), side_by_side("p0", [2.0, 2.0, 2.0, 12.0]))

    found = reviewed(job(9), side_by_side("p0", [2.0] * 9), before=before).retrospective

    assert [one.worked for one in found.tried] == [True]
    assert found.tried[0].said == (
        "it worked: split p0/3 into 6 (4 tasks → 9 tasks): makespan 12 s → 2.0 s, expected 2.0 s"
    )


def test_a_change_that_did_not_help_is_said_as_well_and_what_nobody_changed_is_not() -> None:
    before = reviewed(job(4), side_by_side("p0", [2.0, 2.0, 2.0, 12.0]))

    changed = reviewed(job(5), side_by_side("p0", [2.0, 2.0, 2.0, 2.0, 12.0]), before=before).retrospective
    same = reviewed(job(4), side_by_side("p0", [2.0, 2.0, 2.0, 12.0]), before=before).retrospective

    assert [one.worked for one in changed.tried] == [False]
    assert changed.tried[0].said.startswith("it did not work: ")
    assert same.tried == ()


def test_a_short_form_keeps_what_worked_and_what_to_change() -> None:
    tried = Tried(suggestion=suggestion(), fact="9 tasks", measured=2.0)
    long = Retrospective(
        foretold=(Foretold(name="makespan", predicted=2.0, measured=3.0),),
        failed=("a",),
        since="r0",
        changes=("b",),
        tried=(tried, tried, tried),
        suggestions=(suggestion(), suggestion(), suggestion()),
    )

    assert len(long.short) == 6
    assert [line for line in long.short if line.startswith("change: ")] == [f"change: {suggestion().said}"] * 3
    assert long.lines[0] == "makespan 3.0 s, forecast 2.0 s (+50 %)"


def test_every_rule_has_a_test_of_its_figures() -> None:
    assert set(RULES) == {"longest", "retries", "integration", "slower", "limit", "small"}
