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


Question = Literal["over", "when"]
"""What is found out before a phase begins: what its items are, and whether it is wanted."""


def planning_id(phase: str, question: Question, function: str) -> str:
    """Return the id of the step in which something is found out before a phase begins."""
    return f"{phase}/{question}/{function}"


def check_id(checked: str, check: str) -> str:
    """Return the id of a check of a task, or of a phase as a whole."""
    return f"{checked}/until/{check}"
