"""Logs of runs that have ended, as tests of what they teach need them: each task with its times."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from echelon.model.graph import CapacityLimit, TaskGraph, TaskSpec
from echelon.model.handoff import ErrorReport, Passed
from echelon.model.learning.lesson import RunLesson
from echelon.model.plan import Plan
from echelon.model.run import StepKind, StepRecord
from echelon.model.status import Status
from echelon.model.usage import Usage
from echelon.planning.planner import plan
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.runlog.learning.lesson import lesson_of
from echelon.runlog.state import RunState, fold
from echelon.testing.run_events import NOON, key_of, run_started, step_record


class Took(NamedTuple):
    """When a task was at work, in seconds from the start, and what came of it."""

    start: float
    end: float
    status: Status = Status.COMPLETED
    attempts: int = 1
    tokens: int | None = None
    told: int = 0
    code: str = "v1"
    kept: str = ""
    retried: float = 0.0


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def job(*phases: int, at_once: int | None = None, **task: Any) -> Plan:
    """Return the plan of phases of so many tasks, one behind the other: `p0/0`, `p0/1` … by agents `a0`, `a1` …"""
    tasks = tuple(
        TaskSpec(
            id=f"p{place}/{one}",
            goal="work",
            phase=f"p{place}",
            capability=f"a{place}",
            needs=(f"p{place - 1}",) if place else (),
            **task,
        )
        for place, number in enumerate(phases)
        for one in range(number)
    )
    limits = [CapacityLimit(at_once=at_once)] if at_once else []
    order = [f"p{place}" for place in range(len(phases))]
    return plan(TaskGraph(name="job", goal="work", tasks=tasks), phase_order=order, limits=limits, agents_fixed=True)


def _ended(task: str, took: Took, kind: StepKind = StepKind.TASK) -> StepRecord:
    made = step_record(task, took.status, phase=task.partition("/")[0], kind=kind)
    usage = Usage(tokens_in=took.tokens, calls=took.attempts)
    changes = {
        "usage": usage,
        "attempts": took.attempts,
        "kept_from": took.kept,
        "received": Passed(bytes_by_value=took.told * 4),
    }
    handoff = made.handoff.model_copy(update=changes)
    return made.model_copy(
        update={"started": at(took.start), "finished": at(took.end), "code": took.code, "handoff": handoff}
    )


def events_of(made: Plan, tasks: Mapping[str, Took], merged: Mapping[str, Took] | None = None) -> list[RunEvent]:
    """Return the log of a run; `merged` are its integrations, by what they are recorded as."""
    events: list[RunEvent] = [run_started(job="job", plan=made)]
    error = ErrorReport(kind="AgentTimeout", message="too late", can_pass=True, dependency="provider")
    for task, took in tasks.items():
        events += [
            happened.AttemptFailed(
                run_id="r1",
                at=at(took.end),
                key=key_of(task),
                task_id=task,
                attempt=attempt,
                error=error,
                seconds=took.retried / (took.attempts - 1),
            )
            for attempt in range(1, took.attempts if took.retried else 1)
        ]
        events.append(happened.StepEnded(run_id="r1", at=at(took.end), record=_ended(task, took)))
    for name, took in (merged or {}).items():
        events.append(happened.StepEnded(run_id="r1", at=at(took.end), record=_ended(name, took, StepKind.INTEGRATION)))
    return events


def ran(made: Plan, tasks: Mapping[str, Took], merged: Mapping[str, Took] | None = None) -> RunState:
    """Return a run that has ended."""
    return fold(events_of(made, tasks, merged))


def lesson(made: Plan, tasks: Mapping[str, Took], merged: Mapping[str, Took] | None = None) -> RunLesson:
    """Return what it measured."""
    found = lesson_of(ran(made, tasks, merged), NOON)
    assert found is not None
    return found


def side_by_side(phase: str, seconds: Sequence[float], start: float = 0.0) -> dict[str, Took]:
    """Return tasks that begin together."""
    return {f"{phase}/{place}": Took(start, start + one) for place, one in enumerate(seconds)}
