"""Calls made by hand, to try one agent without a job around it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from echelon.agents.call import Call, Workspace
from echelon.model.assignment import Assignment, Brief, Intent
from echelon.model.usage import Budget


class NoInputs(BaseModel):
    """Inputs of a job that has none."""


def a_call(
    item: Any = None,
    *,
    inputs: BaseModel | None = None,
    goal: str = "do the task",
    workspace: Path | None = None,
    budget: Budget | None = None,
    **assignment: Any,
) -> Call:
    """Return a call as the engine would make it; `assignment` sets fields of the assignment, such as `success`."""
    intent = Intent(job="the job", task=goal)
    task = Assignment(
        id="run:task:agent", task_id="task", agent="agent", intent=intent, budget=budget or Budget(), **assignment
    )
    brief = Brief(run_id="run", phase="phase", assignment=task, reports_to="primary")
    return Call(brief=brief, item=item, inputs=inputs or NoInputs(), workspace=Workspace(workspace or "workspace"))
