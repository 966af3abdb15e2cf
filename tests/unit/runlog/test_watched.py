"""Who follows a run or a task stops when that is over, and not before (V2)."""

from collections.abc import Sequence

import pytest

from echelon.model.run import RunStatus
from echelon.model.status import Status
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.runlog.watched import Watched, kinds_that_end
from echelon.testing.run_events import (
    NOON,
    one_of_each,
    run_ended,
    run_reopened,
    run_started,
    step_ended,
    step_started,
)

LOST = step_ended("a", Status.FAILED)
INTERIM = happened.StepEnded(run_id="r1", at=NOON, record=step_ended("a").record.model_copy(update={"interim": True}))
PHASE_ENDED = happened.PhaseEnded(run_id="r1", at=NOON, phase="inspect")
OTHER_PHASE_ENDED = happened.PhaseEnded(run_id="r1", at=NOON, phase="rank")
RETRIED = happened.TasksRetried(run_id="r1", at=NOON, tasks=("a",))
REUSED = happened.StepReused(run_id="r1", at=NOON, key="k", task_id="a", phase="inspect", step=step_started("a").step)
TAKEN = happened.RunTaken(run_id="r1", at=NOON, token=2, host="h", pid=1)
PARTIAL = run_ended(status=RunStatus.PARTIAL)


def seen(events: Sequence[RunEvent], task: str | None) -> str:
    watched = Watched(task)
    for event in events:
        watched.see(event)

    assert watched.is_over == bool(watched.outcome)
    return watched.outcome


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([run_started(), step_started("a"), step_ended("a"), PHASE_ENDED], ""),
        ([PARTIAL], "partial"),
        ([PARTIAL, run_reopened()], ""),
        ([run_ended(status=RunStatus.WAITING), TAKEN], ""),
        ([PARTIAL, run_reopened(), run_ended()], "completed"),
    ],
)
def test_a_run_is_over_when_it_ended_and_nobody_resumed_it(events: Sequence[RunEvent], outcome: str) -> None:
    assert seen(events, None) == outcome


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([step_started("a"), step_ended("b")], ""),
        ([step_started("a"), step_ended("a")], "completed"),
        ([step_ended("a"), RETRIED], ""),
        ([step_ended("a"), step_started("a")], ""),
        ([INTERIM], ""),  # a round that is still to be checked
        ([LOST], ""),  # something may stand in for it
        ([LOST, step_ended("a")], "completed"),
        ([LOST, OTHER_PHASE_ENDED], ""),
        ([LOST, PHASE_ENDED], "failed"),
        ([LOST, PHASE_ENDED, RETRIED], ""),
        ([TAKEN, REUSED], "completed"),
        ([step_ended("a"), run_ended(), TAKEN], "completed"),  # it is not done again
        ([step_started("a"), PARTIAL], "partial"),
    ],
)
def test_a_task_is_over_when_nothing_of_it_is_to_come(events: Sequence[RunEvent], outcome: str) -> None:
    assert seen(events, "a") == outcome


@pytest.mark.parametrize("task", [None, "inspect"])
def test_all_that_ends_anything_is_asked_for(task: str | None) -> None:
    """Whatever is not asked for changes nothing: the log may be read without it."""
    wanted = kinds_that_end(task)

    for event in one_of_each():
        before = Watched(task)
        before.see(event)
        assert event.kind in wanted or vars(before) == vars(Watched(task)), event.kind
