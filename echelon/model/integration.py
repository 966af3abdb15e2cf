"""What steps that are no tasks are recorded as: made and read here only."""

from typing import Literal

Verb = Literal["merge", "combine"]
"""Outputs of agents are merged; results of integrations are combined."""


def integration_id(phase: str, verb: Verb, node: str) -> str:
    """Return the id of the integration that a coordinator owns in a phase."""
    return f"{phase}/{verb}/{node}"


def is_combination(phase: str, task_id: str) -> bool:
    """Say whether an integration of a phase combines results of others."""
    return task_id.startswith(integration_id(phase, "combine", ""))


def planning_id(phase: str, function: str) -> str:
    """Return the id of a step that says what there is to do in a phase."""
    return f"{phase}/over/{function}"
