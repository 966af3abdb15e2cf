"""A task graph: what must be done and what depends on what. The input of planning, before any structure (D)."""

from collections import Counter
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from echelon.model.base import Value


class Coupling(StrEnum):
    """How much a consumer needs its producer (D3)."""

    TIGHT = "tight"  #: cannot run without it
    MEDIUM = "medium"  #: has a fallback
    LOOSE = "loose"  #: benefits from it, goes on without
    NONE = "none"  #: no dependency


class Dependency(Value):
    """A task that another task uses."""

    task: str
    """Id of the task used."""
    coupling: Coupling = Coupling.LOOSE
    """How much it is needed (D3)."""
    reason: str = ""
    """Why the coupling is tight; asked for by the linter."""


class TaskSpec(Value):
    """One thing to be done."""

    id: str = Field(min_length=1)
    """Unique within the graph."""
    goal: str
    """What must be achieved."""
    depends_on: tuple[Dependency, ...] = ()
    """Tasks whose outputs it uses."""
    needs: tuple[str, ...] = ()
    """Phases whose sync point it waits for; their outputs reach it through that point, not task by task."""
    phase: str | None = None
    """The phase it was declared in; None lets the planner decide."""
    domain: str | None = None
    """The domain it belongs to; dots separate a domain from its part."""
    capability: str | None = None
    """What the agent must be able to do."""
    tokens: int | None = Field(default=None, ge=0)
    """Tokens expected to be used."""
    seconds: float | None = Field(default=None, ge=0)
    """Duration expected, in seconds."""
    touches: tuple[str, ...] = ()
    """Shared things it changes; tasks that touch the same never run in one phase."""
    irreversible: bool = False
    """Can its effect not be undone?"""
    error_consequence: Literal["minor", "significant", "catastrophic"] = "minor"
    """How bad a wrong output is."""


class TaskGraph(Value):
    """A job as data: its goal and its tasks."""

    name: str
    """Name of the job."""
    goal: str
    """What the job must achieve."""
    tasks: tuple[TaskSpec, ...]
    """What must be done."""
    constraints: tuple[str, ...] = ()
    """What bounds every task (D9)."""

    @model_validator(mode="after")
    def _ids_are_unique_and_known(self) -> Self:
        counts = Counter(task.id for task in self.tasks)
        twice = sorted(task_id for task_id, count in counts.items() if count > 1)
        if twice:
            raise ValueError(f"task ids used twice: {', '.join(twice[:5])}")
        unknown = sorted({d.task for task in self.tasks for d in task.depends_on if d.task not in counts})
        if unknown:
            raise ValueError(f"dependencies on unknown tasks: {', '.join(unknown[:5])}")
        return self
