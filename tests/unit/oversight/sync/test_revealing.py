"""What a wave reveals, what ends one early, and what the next one is told: as tables (X3, X13)."""

from typing import Any

import pytest

from echelon.model.concern import Route
from echelon.model.handoff import ErrorReport, Handoff
from echelon.model.status import Status
from echelon.model.sync.policy import SyncPolicyTerms
from echelon.model.verification.verification import Verification
from echelon.oversight.sync.revealing import (
    FINDING_CHARACTERS,
    MOST_FINDINGS,
    findings_told,
    is_event,
    revealed_by,
)
from echelon.runlog.events import ConcernDisposed, RunEvent, StepEnded
from echelon.runlog.state import fold
from echelon.testing.judging_events import wave
from echelon.testing.run_events import NOON, concern_raised, disposition, run_started, step_ended, step_record

TASKS = ("a", "b")


def failed(task: str, **error: Any) -> StepEnded:
    record = step_record(task, Status.FAILED)
    report = ErrorReport(kind="AgentFailed", message=f"{task} is broken", can_pass=False, **error)
    handoff = record.handoff.model_copy(update={"error": report})
    return StepEnded(run_id="r1", at=NOON, record=record.model_copy(update={"handoff": handoff}))


def unverified(task: str) -> StepEnded:
    record = step_record(task)
    handoff = record.handoff.model_copy(update={"verification": Verification(result="unverifiable", reason="no idea")})
    return StepEnded(run_id="r1", at=NOON, record=record.model_copy(update={"handoff": handoff}))


def urgent(task: str, name: str = "c-1", route: Route = Route.IMMEDIATE) -> RunEvent:
    return concern_raised(name, task_id=task, route=route)


def revealed(*events: RunEvent) -> tuple[set[str], tuple[str, ...]]:
    found = revealed_by(fold((run_started(), *events)), "inspect", TASKS)
    return set(found.tasks), found.findings


@pytest.mark.parametrize(
    ("events", "tasks", "said"),
    [
        ((step_ended("a"), step_ended("b")), set(), []),
        ((failed("a"), step_ended("b")), {"a"}, ["a: a is broken"]),
        ((failed("a"), step_ended("a")), set(), []),
        ((failed("a", asked="say whether it may"),), set(), []),
        ((unverified("b"),), {"b"}, ["b: cannot be verified: no idea (instead: done)"]),
        ((urgent("a"),), {"a"}, ["immediate, raised by inspect: locks.py: two files claim the same lock"]),
        ((urgent("a", route=Route.NORMAL),), set(), []),
        ((urgent("elsewhere"),), set(), []),
        (
            (urgent("a"), ConcernDisposed(run_id="r1", at=NOON, concern_id="c-1", disposition=disposition())),
            set(),
            [],
        ),
        ((failed("elsewhere"),), set(), []),
    ],
)
def test_a_wave_reveals_what_others_should_know(events: tuple[RunEvent, ...], tasks: set[str], said: list[str]) -> None:
    assert revealed(*events) == (tasks, tuple(said))


def test_what_is_urgent_comes_first_and_what_does_not_fit_is_counted() -> None:
    many = [
        concern_raised(f"c-{n}", message=f"{n} " + "x" * 900, task_id="a", route=Route.IMMEDIATE) for n in range(12)
    ]

    _, findings = revealed(failed("b"), *many)

    assert findings[-1] == f"and {13 - MOST_FINDINGS} more"
    assert all(one.startswith("immediate") and len(one) <= FINDING_CHARACTERS for one in findings[:-1])


def handoffs(failed: int, waiting: int = 0, done: int = 0) -> list[Handoff]:
    broken = ErrorReport(kind="AgentFailed", message="no", can_pass=False)
    asks = broken.model_copy(update={"asked": "say whether it may"})
    lost = step_record("a", Status.FAILED).handoff
    return [
        *[lost.model_copy(update={"error": broken})] * failed,
        *[lost.model_copy(update={"error": asks})] * waiting,
        *[step_record("a").handoff] * done,
    ]


@pytest.mark.parametrize(
    ("events", "ended", "is_urgent", "expected"),
    [
        (("urgent",), handoffs(0), True, True),
        (("urgent",), handoffs(9), False, False),
        (("failures",), handoffs(9), False, True),
        (("failures",), handoffs(0), True, False),
        (("failures",), handoffs(1), False, False),  # one may always happen
        (("failures",), handoffs(1, waiting=9), False, False),
        (("failures",), handoffs(2, done=5), False, True),  # 2 of 10 planned
        (("urgent", "failures"), handoffs(0), True, True),
    ],
)
def test_a_wave_ends_early_by_what_its_policy_names(
    events: Any, ended: list[Handoff], is_urgent: bool, expected: bool
) -> None:
    terms = SyncPolicyTerms(policy="event", events=events, failure_share=0.2)

    assert is_event(terms, 10, ended, urgent=is_urgent) is expected


@pytest.mark.parametrize(
    ("waves", "told"),
    [
        ((), "Phase before: 3 tasks."),
        ((wave(findings=()),), "Phase before: 3 tasks."),
        ((wave(findings=("a", "b")), wave(findings=("b",))), "Phase before: 3 tasks. So far in this phase: a; b."),
    ],
)
def test_the_next_wave_is_told_each_finding_once(waves: Any, told: str) -> None:
    assert findings_told("Phase before: 3 tasks.", waves) == told


def test_of_many_findings_the_newest_are_told() -> None:
    told = findings_told("", [wave(findings=(f"n{number}",)) for number in range(MOST_FINDINGS + 4)])

    assert "n3;" not in told
    assert told.endswith(f"n{MOST_FINDINGS + 3}. (and 4 more before)")
