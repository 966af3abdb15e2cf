"""The requests that Prefect's API is sent, as JSON. Pure.

A task run is recorded from an event, the same that Prefect's own client sends for each of its states: the server takes
hundreds in one request and writes them in batches. Measured, a task run with two states: 3 ms of the server's
processor time, against 25 ms when it is created and set to its state in requests of its own.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from echelon.engine.picture.strokes import DrawnState, DrawTaskRun, EmitEvent, OpenFlowRun, StateKind, WriteLine
from echelon.model.adapter import JsonObject

#: Prefect refuses more than 512 KiB of parameters; in bytes.
MAX_PARAMETER_BYTES = 500_000

#: Prefect keeps two states of a run apart by their times. Kinds of state that may share one differ by this.
_LATER: dict[StateKind, timedelta] = {
    StateKind.RUNNING: timedelta(),
    StateKind.FAILED: timedelta(microseconds=1),
    StateKind.CRASHED: timedelta(microseconds=2),
    StateKind.COMPLETED: timedelta(microseconds=3),
}


def entered_at(state: DrawnState) -> datetime:
    """Return the time that is written for a state."""
    return state.at + _LATER[state.kind]


def pending_at(state: DrawnState) -> datetime:
    """Return a time just before a state, for the state that Prefect puts before a first one."""
    return state.at - timedelta(microseconds=1)


def state_body(state: DrawnState, transition: UUID) -> JsonObject:
    """Return a state of a flow run; it is known again by its transition."""
    return {
        "type": state.kind.value,
        "name": state.title,
        "message": state.message or None,
        "state_details": {"transition_id": str(transition)},
    }


def flow_run_body(spec: OpenFlowRun, flow_id: str, transition: UUID) -> JsonObject:
    """Return a flow run that is to be made, unless it is there."""
    return {
        "flow_id": flow_id,
        "name": spec.title,
        "parameters": _bounded(spec.parameters),
        "idempotency_key": spec.idempotency_key,
        "parent_task_run_id": str(spec.parent_task) if spec.parent_task else None,
        "state": state_body(spec.state, transition),
    }


def parent_task_body(spec: OpenFlowRun, flow_run_id: str) -> JsonObject:
    """Return the task run that stands for a flow run in the one it lies in; its states are those of the flow run."""
    return {
        "id": str(spec.parent_task),
        "name": spec.title,
        "flow_run_id": flow_run_id,
        "task_key": spec.flow,
        "dynamic_key": spec.key or spec.idempotency_key,
    }


def task_event(task: DrawTaskRun, flow_run_id: str) -> JsonObject:
    """Return the event from which the server records a task run in a state. All have the same fields: one statement."""
    state, at = task.state, entered_at(task.state).isoformat()
    ended = state.at if state.ended else None
    return {
        "id": str(task.state_id),
        "occurred": at,
        "event": f"prefect.task-run.{state.title}",
        "resource": {
            "prefect.resource.id": f"prefect.task-run.{task.id}",
            "prefect.resource.name": task.title,
            "prefect.run-count": str(task.attempts),
            "prefect.state-message": state.message,
            "prefect.state-name": state.title,
            "prefect.state-timestamp": at,
            "prefect.state-type": state.kind.value,
            "prefect.orchestration": "client",
        },
        "related": [{"prefect.resource.id": f"prefect.flow-run.{flow_run_id}", "prefect.resource.role": "flow-run"}],
        "payload": {
            "intended": {"from": None, "to": state.kind.value},
            "initial_state": None,
            "validated_state": {
                "type": state.kind.value,
                "name": state.title,
                "message": state.message,
                "state_details": {},
                "data": None,
            },
            "task_run": {
                "name": task.title,
                "task_key": task.task,
                "dynamic_key": task.dynamic_key,
                "run_count": task.attempts,
                "expected_start_time": task.started.isoformat(),
                "start_time": task.started.isoformat(),
                "end_time": ended.isoformat() if ended else None,
                "total_run_time": (ended - task.started).total_seconds() if ended else 0.0,
            },
        },
    }


def event_body(event: EmitEvent, flow_run_id: str) -> JsonObject:
    """Return an event for automations; related are the flow run, the run and its job."""
    return {
        "id": str(event.id),
        "occurred": event.at.isoformat(),
        "event": event.name,
        "resource": {
            "prefect.resource.id": event.resource,
            "prefect.resource.name": event.title,
            **event.labels,
        },
        "related": [
            {"prefect.resource.id": f"prefect.flow-run.{flow_run_id}", "prefect.resource.role": "flow-run"},
            {"prefect.resource.id": event.run, "prefect.resource.role": "run"},
            {"prefect.resource.id": f"echelon.job.{event.job}", "prefect.resource.role": "job"},
        ],
        "payload": dict(event.payload),
    }


def line_body(line: WriteLine, flow_run_id: str) -> JsonObject:
    """Return a line of a log."""
    return {
        "name": line.source,
        "level": line.level,
        "message": line.message,
        "timestamp": line.at.isoformat(),
        "flow_run_id": flow_run_id,
        "task_run_id": str(line.task_id) if line.task_id else None,
    }


def _bounded(parameters: Mapping[str, Any]) -> JsonObject:
    """Return parameters without those that are too large to be shown."""
    sizes = {name: len(json.dumps(value)) for name, value in parameters.items()}
    room = MAX_PARAMETER_BYTES
    kept: JsonObject = {}
    for name in sorted(sizes, key=sizes.__getitem__):
        room -= sizes[name]
        if room < 0:
            break
        kept[name] = parameters[name]
    return {name: kept[name] for name in parameters if name in kept}
