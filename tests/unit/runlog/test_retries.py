"""What is to be done again is forgotten: which steps count behind that, and what of them is seen (F8)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.run import RunStatus, StepKind
from echelon.model.status import Status
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.runlog.state import fold
from echelon.runlog.view import view_of
from echelon.testing.run_events import (
    NOON,
    effect_intent,
    key_of,
    plan_extended,
    run_ended,
    run_started,
    small_plan,
    step_record,
)


def ended(task: str, key: str = "", status: Status = Status.COMPLETED, kind: StepKind = StepKind.TASK) -> RunEvent:
    """Return the end of a step under a key."""
    record = step_record(task, status, kind=kind).model_copy(update={"key": key or key_of(task), "node": "primary"})
    return happened.StepEnded(run_id="r1", at=NOON, record=record)


def retried(*tasks: str, redo: Sequence[str] = ()) -> RunEvent:
    """Return that tasks are to be done again."""
    return happened.TasksRetried(run_id="r1", at=NOON, tasks=tasks, redo=tuple(redo), by="mia")


def reused(task: str, key: str = "", kind: StepKind = StepKind.TASK) -> RunEvent:
    """Return that a step is not done again."""
    return happened.StepReused(run_id="r1", at=NOON, key=key or key_of(task), task_id=task, phase="inspect", step=kind)


@pytest.mark.parametrize(
    ("log", "count"),
    [
        pytest.param([ended("a", "1"), ended("b", "2")], "12", id="nothing-was-retried"),
        pytest.param([ended("a", "1"), ended("b", "2"), retried("a")], "2", id="only-what-is-named-is-forgotten"),
        pytest.param([ended("a", "1"), retried("a"), ended("a", "3")], "3", id="what-was-done-since-counts"),
        pytest.param([ended("a", "1"), retried("a"), ended("a", "3"), retried("a")], "", id="until-the-next-time"),
        pytest.param([retried("a"), ended("a", "1")], "1", id="nothing-was-done-before"),
        pytest.param(
            [ended("a", "1"), retried("a"), retried("b"), ended("b", "4")], "4", id="another-one-undoes-it-not"
        ),
        pytest.param([ended("a", "1"), retried("a"), ended("a", "3", Status.FAILED)], "", id="it-failed-this-time"),
        pytest.param([ended("m", "5", kind=StepKind.INTEGRATION), retried("m")], "", id="integrations-too"),
        pytest.param([ended("m", "5", kind=StepKind.INTEGRATION), retried("a")], "5", id="what-integrates-is-recalled"),
        pytest.param([ended("a", "1"), retried("a"), run_ended()], "", id="also-behind-the-end-of-the-process"),
    ],
)
def test_these_steps_are_recalled(log: list[RunEvent], count: str) -> None:
    assert "".join(sorted(fold([run_started(), *log]).finished_steps)) == count


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=20))
def test_of_each_task_exactly_what_was_done_since_it_was_last_retried_counts(
    happenings: list[tuple[str, bool]],
) -> None:
    """Counted another way: task by task, from the end."""
    log = [retried(task) if again else ended(task, f"{task}{n}") for n, (task, again) in enumerate(happenings)]
    expected = set[str]()
    for number, (task, again) in enumerate(happenings):
        later = happenings[number + 1 :]
        if not again and (task, True) not in later:
            expected.add(f"{task}{number}")
    state = fold(log)

    assert set(state.finished_steps) == expected
    assert {task: mark.times for task, mark in state.retried.items()} == {
        task: happenings.count((task, True)) for task in {task for task, again in happenings if again}
    }


def test_a_run_that_was_completed_is_at_work_when_something_is_to_be_done_again() -> None:
    record = fold([run_started(), run_ended(), retried("a")]).record

    assert record is not None
    assert (record.status, record.finished) == (RunStatus.RUNNING, None)


def test_what_is_to_be_done_again_is_missing_until_it_is_there_and_the_rest_is_not() -> None:
    plan = small_plan(("a", "b"))
    log: list[RunEvent] = [run_started(), plan_extended(plan), ended("a"), ended("b"), retried("a")]
    view = view_of(fold(log), lambda _: "an output")

    assert [(one.task_id, one.reason) for one in view.missing] == [("a", "not begun")]
    assert [(one.tasks, one.by) for one in view.retries] == [(("a",), "mia")]
    assert view_of(fold([*log, ended("a", "again")]), lambda _: "an output").missing == ()


def test_an_output_that_was_integrated_before_is_not_the_output_until_it_is_recalled() -> None:
    plan = small_plan(("a", "b"))
    whole = ended("inspect/merge/primary", "whole", kind=StepKind.INTEGRATION)
    log: list[RunEvent] = [run_started(), plan_extended(plan), ended("a"), ended("b"), whole, retried("a")]

    assert view_of(fold(log), lambda _: "an output").output == {"b": "an output"}
    again = [*log, ended("a", "again"), reused("inspect/merge/primary", "whole", StepKind.INTEGRATION)]
    assert view_of(fold(again), lambda _: "an output").output == "an output"


def test_the_output_is_what_was_integrated_last_also_where_that_was_recalled() -> None:
    """A part of it was made anew and came out the same."""
    part, whole = step_record("part", kind=StepKind.INTEGRATION), step_record("whole", kind=StepKind.INTEGRATION)
    events = [happened.StepEnded(run_id="r1", at=NOON, record=one) for one in (part, whole)]
    newer = part.model_copy(update={"key": "newer", "finished": NOON.replace(hour=20)})
    again = [
        happened.StepEnded(run_id="r1", at=NOON, record=newer),
        reused("whole", kind=StepKind.INTEGRATION),
    ]
    state = fold([run_started(), *events, retried("part"), *again])

    assert [name.task_id for name in state.latest] == ["part", "whole"]


def test_only_what_a_person_lets_happen_twice_is_forgotten_of_what_was_begun() -> None:
    begun = [happened.EffectIntended(run_id="r1", at=NOON, intent=effect_intent(task)) for task in ("pay", "send")]

    assert [key[0] for key in fold([*begun, retried("pay", "send", redo=("pay",))]).intents] == [key_of("send")]
