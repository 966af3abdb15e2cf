"""Events of a run that is watched, in seconds since it began."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from echelon.model.exception_report import ExceptionReport
from echelon.model.learning.learnt import Learnt, LearntAgent, LearntPhase, Spread
from echelon.model.plan import Node, NodeKind, Plan
from echelon.model.run import Conversation
from echelon.model.status import Status
from echelon.oversight.exceptions.watch import Watch
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.runlog.state import RunState
from echelon.testing.noon import NOON
from echelon.testing.run_events import key_of, small_plan, step_record, step_started


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def plan_of(tasks: Sequence[str], seconds: float | None = None, **changes: Any) -> Plan:
    """Return a plan with one phase, whose tasks all state how long they take; `changes` are those of each task."""
    plan = small_plan(tasks)
    stated = tuple(task.model_copy(update={"seconds": seconds, **changes}) for task in plan.tasks)
    return plan.model_copy(update={"tasks": stated})


def in_domains(plan: Plan, domains: int) -> Plan:
    """Return a plan whose agents stand below so many domains, in turns."""
    primary, *agents = plan.tree
    parts = [
        Node(id=f"domain:{n}", kind=NodeKind.DOMAIN, parent="primary", members=tuple(a.id for a in agents[n::domains]))
        for n in range(domains)
    ]
    below = [one.model_copy(update={"parent": f"domain:{n % domains}"}) for n, one in enumerate(agents)]
    top = primary.model_copy(update={"members": tuple(part.id for part in parts)})
    return plan.model_copy(update={"tree": (top, *parts, *below)})


def spread(p90: float, count: int = 10) -> Spread:
    return Spread(count=count, mean=p90, median=p90, p90=p90, deviation=0.0)


def learnt(*, task: Spread | None = None, phase: Spread | None = None, job: Spread | None = None) -> Learnt:
    """Return what earlier runs took: a task of the agent without a name, its phase, and the job."""
    agents = {"": LearntAgent(fingerprint="", seconds=task)} if task else {}
    phases = {"inspect": LearntPhase(seconds=phase, agents=agents)}
    return Learnt(runs=4, newest="r0", phases=phases, makespan_seconds=job)


def begun(expected: int, seconds: float = 0.0, phase: str = "inspect") -> RunEvent:
    return happened.PhaseStarted(run_id="r1", at=at(seconds), phase=phase, expected=expected)


def started(task: str, seconds: float = 0.0, **changes: Any) -> RunEvent:
    return step_started(task).model_copy(update={"at": at(seconds), "phase": "inspect", **changes})


def ended(task: str, seconds: float, began: float = 0.0, status: Status = Status.COMPLETED) -> RunEvent:
    record = step_record(task, status).model_copy(update={"started": at(began), "finished": at(seconds)})
    return happened.StepEnded(run_id="r1", at=at(seconds), record=record)


def logged(task: str, seconds: float) -> RunEvent:
    return happened.Logged(
        run_id="r1", at=at(seconds), key=key_of(task), task_id=task, source="stdout", level=20, message="on it"
    )


def asked(task: str, tokens: int | None) -> RunEvent:
    conversation = Conversation(key=key_of(task), task_id=task, agent=task, began=at(0), context_tokens=tokens)
    return happened.ModelAsked(run_id="r1", at=at(1), conversation=conversation)


def watching(plan: Plan, *events: RunEvent, known: Learnt | None = None, before: RunState | None = None) -> Watch:
    """Return what watches a run, with what happened by now."""
    watch = Watch(plan, known, before)
    for event in events:
        watch.see(event)
    return watch


def said(watch: Watch, seconds: float) -> list[str]:
    """Return what is to be said by then, as trigger: message."""
    return [f"{one.trigger.value}: {one.message}" for one in watch.due(at(seconds))]


def pushed(reports: Sequence[ExceptionReport]) -> list[RunEvent]:
    return [happened.ExceptionPushed(run_id="r1", at=report.at, report=report) for report in reports]
