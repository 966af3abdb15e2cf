"""What is to be drawn of a run, as plain values: flow runs, task runs, log lines, a report. No Prefect here."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

#: Key of the flow run that is the job itself; those of its parts have keys of their own.
JOB = ""

#: What is made up from the names of a run lies in here.
_NAMESPACE = uuid.UUID("6f0a0b4e-6c1f-5d0e-9d7c-2f6a4f1f7a11")


class StateKind(StrEnum):
    """The types of state that a picture uses, as Prefect calls them."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CRASHED = "CRASHED"


@dataclass(frozen=True, kw_only=True)
class DrawnState:
    """Where a flow run or a task run stands."""

    kind: StateKind
    """The type."""
    at: datetime
    """When it was entered, in UTC."""
    message: str = ""
    """What people are told about it."""
    name: str = ""
    """Its name; empty: that of its type."""

    @property
    def title(self) -> str:
        """The name that people see."""
        return self.name or self.kind.value.capitalize()

    @property
    def ended(self) -> bool:
        """Is nobody at work on it any more?"""
        return self.kind is not StateKind.RUNNING


@dataclass(frozen=True, kw_only=True)
class OpenFlowRun:
    """A flow run begins; the one of a part of the job is shown inside the job's own."""

    key: str
    """Unique in the run; `JOB` is the job's own."""
    idempotency_key: str
    """Unique in the server: it is made once, however often that is asked."""
    title: str
    """Name of the flow run."""
    flow: str
    """Name of the flow."""
    parameters: Mapping[str, Any]
    """What it is given, to be shown."""
    state: DrawnState
    """Its first state."""
    adopt: str = ""
    """Id of the flow run that it is, when Prefect has it already; empty: a new one."""
    parent_task: uuid.UUID | None = None
    """Id of the task run that stands for it in the job's flow run; None for the job's own."""


@dataclass(frozen=True, kw_only=True)
class EnterState:
    """A flow run enters another state."""

    key: str
    """The flow run."""
    state: DrawnState
    """The state."""


@dataclass(frozen=True, kw_only=True)
class DrawTaskRun:
    """A task run is as this says, whatever it was before."""

    id: uuid.UUID
    """Its id."""
    flow_key: str
    """The flow run that it belongs to."""
    task: str
    """Name of the task."""
    dynamic_key: str
    """Tells it from other runs of the task."""
    title: str
    """Name of the task run."""
    started: datetime
    """When it began, in UTC."""
    state: DrawnState
    """Where it stands."""
    attempts: int = 1
    """How often it was tried."""

    @property
    def state_id(self) -> uuid.UUID:
        """Id of the state: the same however often it is drawn."""
        return uuid.uuid5(self.id, f"{self.state.title} {self.state.at.isoformat()}")


@dataclass(frozen=True, kw_only=True)
class WriteLine:
    """Somebody wrote to a log."""

    flow_key: str
    """The flow run that it is shown with."""
    task_id: uuid.UUID | None
    """The task run; None when it belongs to none."""
    source: str
    """Who wrote it."""
    level: int
    """How serious, as `logging` counts."""
    message: str
    """What it says."""
    at: datetime
    """When, in UTC."""


@dataclass(frozen=True, kw_only=True)
class ShowReport:
    """The report of the run is there."""

    folder: Path
    """Where."""
    job: str
    """Whose report it is."""
    since: datetime
    """When the work on the run began; older files in the folder are not of this report."""
    ended: datetime
    """When the run ended."""


@dataclass(frozen=True, kw_only=True)
class EmitEvent:
    """Something happened that automations may act on."""

    id: uuid.UUID
    """Its id: the same however often it is drawn."""
    name: str
    """What happened."""
    resource: str
    """Id of what it happened to: a task, a phase, or the run."""
    title: str
    """What people call that."""
    labels: Mapping[str, str]
    """What a trigger may match beside."""
    job: str
    """Name of the job."""
    run: str
    """Id of the run, as a resource."""
    payload: Mapping[str, Any]
    """What is said of it."""
    at: datetime
    """When, in UTC."""


Stroke = OpenFlowRun | EnterState | DrawTaskRun | WriteLine | ShowReport | EmitEvent
"""One thing to be drawn."""


@dataclass
class Strokes:
    """What is to be drawn next, in an order in which each thing finds what it lies in."""

    opened: list[OpenFlowRun] = field(default_factory=list[OpenFlowRun])
    tasks: list[DrawTaskRun] = field(default_factory=list[DrawTaskRun])
    lines: list[WriteLine] = field(default_factory=list[WriteLine])
    entered: list[EnterState] = field(default_factory=list[EnterState])
    reports: list[ShowReport] = field(default_factory=list[ShowReport])
    events: list[EmitEvent] = field(default_factory=list[EmitEvent])

    def __bool__(self) -> bool:
        return any((self.opened, self.tasks, self.lines, self.entered, self.reports, self.events))


def id_of(run_id: str, key: str) -> uuid.UUID:
    """Return the id of something drawn of a run: always the same."""
    return uuid.uuid5(_NAMESPACE, f"{run_id}/{key}")


def transition_of(run_id: str, key: str, state: DrawnState) -> uuid.UUID:
    """Return the id of a flow run's change to a state, by which it is known again when it is asked for twice."""
    return id_of(run_id, f"{key} {state.title} {state.at.isoformat()}")
