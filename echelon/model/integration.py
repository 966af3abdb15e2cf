"""What steps that are no tasks are recorded as: made and read here only."""

from typing import Literal

Verb = Literal["merge", "combine"]
"""Outputs of agents are merged; results of integrations are combined."""


def integration_id(phase: str, verb: Verb, node: str) -> str:
    """Return the id of the integration that a coordinator owns in a phase."""
    return f"{phase}/{verb}/{node}"


def audit_id(integration: str, auditor: str) -> str:
    """Return the id of the step in which somebody judges an integration (O4)."""
    return f"{integration}/audit/{auditor}"


def node_of_integration(phase: str, task_id: str) -> str:
    """Return the coordinator that owns an integration of a phase, by its id; empty for what is none."""
    for verb in ("merge", "combine"):
        begins = f"{phase}/{verb}/"
        if task_id.startswith(begins):
            return task_id.removeprefix(begins)
    return ""


def is_combination(phase: str, task_id: str) -> bool:
    """Say whether an integration of a phase combines results of others."""
    return task_id.startswith(integration_id(phase, "combine", ""))


Question = Literal["over", "when"]
"""What is found out before a phase begins: what its items are, and whether it is wanted."""


def planning_id(phase: str, question: Question, function: str) -> str:
    """Return the id of the step in which something is found out before a phase begins."""
    return f"{phase}/{question}/{function}"


def verification_id(task: str, verifier: str) -> str:
    """Return the id of the step in which somebody else verifies the result of a task (O3)."""
    return f"{task}/verify/{verifier}"


def ready_id(phase: str, agent: str) -> str:
    """Return the id of the step in which an agent says whether it is ready for what a phase does (O5)."""
    return f"{phase}/ready/{agent}"


def constraint_id(phase: str, check: str) -> str:
    """Return the id of the step in which a constraint of the job is checked on what a phase hands on (D9)."""
    return f"{phase}/constraint/{check}"


def approval_id(phase: str, lead: str, batch: int) -> str:
    """Return the id of the step in which a lead decides about a batch of results, from 1 (X7)."""
    return f"{phase}/approve/{lead}-{batch}"


def settlement_id(phase: str, conflict: str) -> str:
    """Return the id of the step in which a conflict is settled (X9)."""
    return f"{phase}/settle/{conflict}"


def stop_id(phase: str, check: str) -> str:
    """Return the id of the step in which it is said whether what is there of a phase is enough (X3)."""
    return f"{phase}/stop/{check}"


def task_checked(check: str) -> str:
    """Return what a check, or a verification, is about, by its id."""
    return check.partition("/until/")[0].partition("/verify/")[0].partition("/audit/")[0]


def check_id(checked: str, check: str) -> str:
    """Return the id of a check of a task, or of a phase as a whole."""
    return f"{checked}/until/{check}"
