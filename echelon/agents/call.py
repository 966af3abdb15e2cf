"""One call of an agent: everything that it may be given, and the shape that is known when the job is defined."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from echelon.agents.handoffs import Handoffs, Previous
from echelon.model.assignment import Brief


class Workspace(type(Path())):
    """A folder of its own, empty, in which an agent may write files. It is kept with the run."""


@dataclass(frozen=True, kw_only=True)
class CallShape:
    """What calls of an agent will carry, known when the job is defined."""

    inputs_type: type[BaseModel]
    """Type of the inputs of the job."""
    takes_item: bool = False
    """Is there one call for each item?"""
    upstream: tuple[str, ...] = ()
    """Phases whose handoffs it receives."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """What one call carries."""

    brief: Brief
    """Assignment and strategic summary."""
    item: object = None
    """The item, when there is one call for each."""
    inputs: BaseModel
    """Inputs of the job."""
    upstream: Mapping[str, Handoffs[object]] = field(default_factory=dict[str, Handoffs[object]])
    """Handoffs received, by phase."""
    previous: Previous[object] = field(default_factory=Previous[object])
    """The same phase of the last run on the same inputs."""
    notes: list[object] = field(default_factory=list[object])
    """What an agent keeps of an attempt that may be cut off, to write it down when its budget is used up (F4)."""
    make_workspace: Callable[[], Workspace]
    """Makes the folder to write files in; called when an agent asks for it."""
