"""Gates and flow runs for tests of asking in Prefect."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from echelon.engine.asking.flow_runs import AskingFlowRun
from echelon.model.oversight.gate import Action, GateAnswer, GateRecord
from echelon.model.run import RunRecord, RunStatus

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
FLOW_RUN = UUID("00000000-0000-0000-0000-00000000000f")


def an_action(**fields: Any) -> Action:
    known = {"agent": "transfer", "task_id": "transfer/acme", "phase": "transfer", "effect": "irreversible"}
    return Action(**{**known, "arguments": {"amount": 82_000}, **fields})


def a_gate(gate_id: str = "g1", **fields: Any) -> GateRecord:
    known: dict[str, Any] = {"run_id": "run", "key": "key", "node": "transfer", "action": an_action()}
    return GateRecord(**{"id": gate_id, "digest": "d", "nonce": "n", "at": NOON, **known, **fields})


def an_answer(**fields: Any) -> GateAnswer:
    known: dict[str, Any] = {"verdict": "approve", "author": "ada", "at": NOON, "digest": "d", "nonce": "n"}
    return GateAnswer(**{**known, **fields})


def a_flow_run(kind: str = "PAUSED", key: str | None = None, **fields: Any) -> AskingFlowRun:
    """Return a flow run in a state; `key` is what it was suspended by."""
    state = {"type": kind, "name": kind.title(), "timestamp": NOON, "state_details": {"pause_key": key}}
    known = {"id": FLOW_RUN, "deployment_id": FLOW_RUN, "empirical_policy": {"pause_keys": [key] if key else []}}
    return AskingFlowRun.model_validate({"state": state, **known, **fields})


def a_record(run_id: str = "run", status: RunStatus = RunStatus.WAITING, **fields: Any) -> RunRecord:
    known: dict[str, Any] = {"job": "pay", "source": "", "inputs": {"to": "acme", "dry": False}, "started": NOON}
    return RunRecord(**{**known, "run_id": run_id, "status": status, **fields})
