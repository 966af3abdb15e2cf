"""What a person means by what is to be done again, and what is refused with one line (F8)."""

import pytest

from echelon.coordination.step.retries import RetryRequest
from echelon.model.errors import InvalidInput
from echelon.model.run import StepKind
from echelon.runlog import events as happened
from echelon.runlog.state import RunState, fold
from echelon.testing.run_events import NOON, effect_intent, run_started, small_plan, step_record

TASKS = ("inspect/a", "inspect/b", "inspect/[c]", "pay/p0", "pay/p1")
MERGE = "inspect/merge/primary"


def state() -> RunState:
    """Return a run that has integrated, has paid for p0, and was told that nothing happened of p1."""
    merged = step_record(MERGE, kind=StepKind.INTEGRATION).model_copy(update={"node": "primary"})
    gone = step_record("inspect/merge/gone", kind=StepKind.INTEGRATION).model_copy(update={"node": "gone"})
    begun = [effect_intent("pay/p0"), effect_intent("pay/p1", settled=True), effect_intent("inspect/a", effect="write")]
    return fold([
        run_started(),
        *(happened.StepEnded(run_id="r1", at=NOON, record=record) for record in (merged, gone)),
        *(happened.EffectIntended(run_id="r1", at=NOON, intent=intent) for intent in begun),
    ])  # fmt: skip


def about(*tasks: str, redo: tuple[str, ...] = ()) -> happened.TasksRetried:
    """Return what is done again of that run."""
    return RetryRequest(tasks=tasks, redo=redo, by="mia").about("r1", state(), small_plan(TASKS), NOON)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        pytest.param(("inspect/a",), ("inspect/a",), id="a-task"),
        pytest.param(("inspect/b", "inspect/a", "inspect/b"), ("inspect/b", "inspect/a"), id="several-each-once"),
        pytest.param(("inspect/[ab]",), ("inspect/a", "inspect/b"), id="a-pattern"),
        pytest.param(("inspect/[c]",), ("inspect/[c]",), id="a-name-is-a-name-first"),
        pytest.param(("inspect/*",), (*TASKS[:3], MERGE), id="all-of-a-phase-with-its-integrations"),
        pytest.param((MERGE,), (MERGE,), id="an-integration-alone"),
        pytest.param(("pay/p1",), ("pay/p1",), id="irreversible-work-of-which-nothing-happened"),
    ],
)
def test_tasks_are_named_or_meant_by_a_pattern(said: tuple[str, ...], meant: tuple[str, ...]) -> None:
    assert about(*said).tasks == meant


def test_what_may_happen_twice_is_noted_for_what_is_named() -> None:
    assert about("pay/*", redo=("pay/*",)).redo == ("pay/p0", "pay/p1")
    assert about("inspect/a").redo == ()


@pytest.mark.parametrize(
    ("said", "redo", "line"),
    [
        pytest.param(("inspect/aa",), (), r"run 'r1' has no task 'inspect/aa'; did you mean 'inspect/a'", id="near"),
        pytest.param(("zzz",), (), r"no task 'zzz'; it has inspect/a, inspect/b, .* and 1 more$", id="nothing-near"),
        pytest.param(("zzz/*",), (), r"no task 'zzz/\*'; it has", id="a-pattern-of-nothing"),
        pytest.param(("inspect/merge/gone",), (), "no task 'inspect/merge/gone'", id="of-an-older-plan"),
        pytest.param(
            ("pay/*",),
            (),
            r"^pay/p0: cannot be undone, and was begun at 2026-05-04 12:00:00 UTC; if it may happen twice, say so: "
            r"echelon retry r1 'pay/p0' --redo 'pay/p0'$",
            id="irreversible",
        ),
        pytest.param(("inspect/a",), ("pay/p0",), "--redo 'pay/p0' means none of the tasks", id="redo-is-not-named"),
        pytest.param((), (), "no task is named; .*`echelon resume RUN`", id="no-task"),
    ],
)
def test_what_makes_no_sense_is_refused(said: tuple[str, ...], redo: tuple[str, ...], line: str) -> None:
    with pytest.raises(InvalidInput, match=line):
        about(*said, redo=redo)
