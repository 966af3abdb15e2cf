"""Drift of a phase as shares of what was looked at, each kind by itself; unknown is not zero (X4)."""

from typing import Any

import pytest

from echelon.model.handoff import OutputReference, UsedDependency
from echelon.model.run import StepKind, StepRecord
from echelon.model.sync.seen import Drift, DriftShare, ToldVersions
from echelon.model.verification.verification import Verification
from echelon.oversight.drift.measuring import Today, drift_of
from echelon.runlog.events import OutputRead, RunEvent, StepEnded
from echelon.runlog.state import fold
from echelon.testing.run_events import NOON, key_of, run_started, step_record

TODAY = Today({"a": "goal-2", "b": "goal-2"}, dict.fromkeys("ab", "brief-2"))


def ended(record: StepRecord, **handoff: Any) -> StepEnded:
    changed = record.model_copy(update={"handoff": record.handoff.model_copy(update=handoff)})
    return StepEnded(run_id="r1", at=NOON, record=changed)


def worked(task: str, goal: str = "goal-2", brief: str = "brief-2", **handoff: Any) -> StepEnded:
    """Return the end of a task of the phase that was told these versions."""
    told = ToldVersions(assignment=goal, brief=brief)
    return ended(step_record(task).model_copy(update={"told": told}), **handoff)


def made(task: str, version: str) -> StepEnded:
    """Return the end of a task of the phase before, with an output in a version."""
    place = OutputReference(location="x", sha256=version, size_bytes=1, contract="str")
    return ended(step_record(task, phase="survey"), output_location=place)


def using(task: str, version: str) -> tuple[UsedDependency, ...]:
    return (UsedDependency(task_id=task, version=version),)


def read(by: str, task: str, version: str) -> OutputRead:
    (dependency,) = using(task, version)
    return OutputRead(run_id="r1", at=NOON, key=key_of(by), task_id=by, read=dependency)


def drift(*events: RunEvent, today: Today = TODAY) -> Drift:
    return drift_of(fold((run_started(), *events)), "inspect", today)


def test_where_nothing_was_looked_at_nothing_is_known() -> None:
    found = drift()

    assert {name: one.share for name, one in found.kinds.items()} == dict.fromkeys(found.kinds)


@pytest.mark.parametrize(
    ("events", "share"),
    [
        ((made("map", "v1"), worked("a", dependencies=using("map", "v1"))), 0.0),
        ((made("map", "v1"), worked("a", dependencies=using("map", "v1")), made("map", "v2")), 1.0),
        ((made("map", "v2"), read("a", "map", "v1"), worked("a")), 1.0),
        ((made("map", "v2"), read("a", "map", "v1"), read("a", "map", "v2"), worked("a")), 0.0),
        ((made("map", "v2"), *(worked(n, dependencies=using("map", v)) for n, v in (("a", "v1"), ("b", "v2")))), 0.5),
        ((worked("a", dependencies=using("of an earlier run", "v1")),), None),
        ((made("map", "v2"), read("someone else", "map", "v1"), worked("a")), None),
    ],
)
def test_state_drifts_with_inputs_that_are_not_the_newest(events: tuple[RunEvent, ...], share: float | None) -> None:
    assert drift(*events).state.share == share


@pytest.mark.parametrize(
    ("events", "share"),
    [
        ((worked("a"), worked("b")), 0.0),
        ((worked("a", goal="goal-1"), worked("b")), 0.5),
        ((worked("withdrawn"),), 1.0),
        ((ended(step_record("a")),), None),
    ],
)
def test_goals_drift_with_what_was_made_for_another_assignment(events: tuple[RunEvent, ...], share: float) -> None:
    assert drift(*events).goal.share == share


def test_context_drifts_with_what_was_made_from_another_brief() -> None:
    assert drift(worked("a", brief="brief-1"), worked("b")).context == DriftShare.counted(1, 2)


@pytest.mark.parametrize(("result", "found"), [("accepted", 0), ("rejected", 1), ("unverifiable", 1), ("error", 1)])
def test_outputs_drift_with_what_was_judged_and_does_not_stand(result: Any, found: int) -> None:
    judged = worked("a", verification=Verification(result=result))

    assert drift(judged, worked("b")).output == DriftShare.counted(found, 1)


def test_what_is_no_task_of_the_phase_is_not_looked_at() -> None:
    integration = step_record("a", kind=StepKind.INTEGRATION).model_copy(
        update={"told": ToldVersions(assignment="goal-1", brief="brief-1")}
    )

    assert drift(StepEnded(run_id="r1", at=NOON, record=integration)).goal.of == 0
