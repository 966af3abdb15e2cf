"""Drift of a phase as shares of what was looked at, each kind by itself; unknown is not zero (X4)."""

from typing import Any

import pytest

from echelon.model.handoff import OutputReference, UsedDependency
from echelon.model.run import StepKind, StepRecord
from echelon.model.sync.seen import MOST_OUTDATED, Drift, DriftShare, ToldVersions
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


ASKED = {"instruction": "i-2", "success criteria": "s-2", "constraints": "c-2", "vocabulary": "v-2"}


@pytest.mark.parametrize(
    ("then", "changed"),
    [
        (ASKED, ()),
        ({**ASKED, "success criteria": "s-1"}, ("success criteria",)),
        ({**ASKED, "instruction": "i-1", "constraints": "c-1"}, ("instruction", "constraints")),
        ({**ASKED, "vocabulary": "v-1"}, ("vocabulary",)),
        ({}, ("assignment",)),  # a log of before does not say what it was
    ],
)
def test_what_is_asked_otherwise_now_is_named(then: dict[str, str], changed: tuple[str, ...]) -> None:
    goal = "goal-2" if then == ASKED or "vocabulary" in changed else "goal-1"
    step = worked("a", goal=goal)
    told = ToldVersions(assignment=goal, brief="brief-2", parts=then)
    step = step.model_copy(update={"record": step.record.model_copy(update={"told": told})})
    found = drift(step, worked("b"), today=TODAY._replace(parts={"a": ASKED, "b": ASKED}))

    assert [one.changed for one in found.outdated if one.task_id == "a"] == ([changed] if changed else [])
    assert (found.goal.found, found.goal.of) == (len(found.outdated), 2)


def test_an_output_of_another_contract_was_made_for_another_assignment() -> None:
    place = OutputReference(location="x", sha256="v", size_bytes=1, contract="Finding+1")
    found = drift(worked("a", output_location=place), today=TODAY._replace(contracts={"a": "Finding+2"}))

    assert [one.said for one in found.outdated] == ["a (contract)"]


def test_only_the_first_are_named_and_all_are_counted() -> None:
    tasks = [f"t{number}" for number in range(MOST_OUTDATED + 3)]
    found = drift(*(worked(task, goal="goal-1") for task in tasks), today=Today(dict.fromkeys(tasks, "goal-2"), {}))

    assert (len(found.outdated), found.goal.found) == (MOST_OUTDATED, MOST_OUTDATED + 3)
    assert found.outdated_said(1) == f"t0 (assignment) and {MOST_OUTDATED + 2} more"


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
