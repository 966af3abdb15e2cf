"""Calls made by hand, to try one agent without a job around it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from echelon.agents.call import Call, Workspace
from echelon.definition.definition import NoInputs
from echelon.model.assignment import Assignment, Brief, Intent
from echelon.model.usage import Budget


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

    def make_workspace() -> Workspace:
        folder = Workspace(workspace or "workspace")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    intent = Intent(job="the job", task=goal)
    task = Assignment(
        id="run:task:agent", task_id="task", agent="agent", intent=intent, budget=budget or Budget(), **assignment
    )
    brief = Brief(run_id="run", phase="phase", assignment=task, reports_to="primary")
    return Call(brief=brief, item=item, inputs=inputs or NoInputs(), make_workspace=make_workspace)
