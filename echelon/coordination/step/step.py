"""A step to be done, and what a layer around it is. Values only."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import TypeAdapter

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.model.fallback import UsedFallback
from echelon.model.handoff import UsedDependency
from echelon.model.run import StepKind
from echelon.resilience.guard import Guard


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step to be done."""

    key: str
    """Its identity (F8)."""
    phase: str
    task_id: str
    """The task; for an integration what it is recorded as."""
    node: str
    """Who does it: an agent, or the coordinator that integrates."""
    path: tuple[str, ...]
    """Node ids from the primary down."""
    kind: StepKind
    agent: Agent
    contract: TypeAdapter[object]
    contract_name: str
    call: Call
    guard: Guard
    dependencies: tuple[UsedDependency, ...] = field(default=())
    fallback: UsedFallback | None = None
    """Set when it stands in for another step that did not deliver (F2)."""
    tokens: int = 0
    """What it is expected to use; reserved before it is begun (F4)."""
    renewed: str = ""
    """Why what was done before does not count any more; empty when nothing was (F8)."""
    note: str = ""
    """What is said of the way in which it was done, behind its summary; empty when there is nothing to say."""
    round: int = 1
    """Which round of work that is repeated until a check passes (X12)."""
    interim: bool = False
    """Is it a round that is still to be checked?"""
    complaint: str = ""
    """What was wrong with its first answer, when it is asked once more (C5)."""


T = TypeVar("T")

Perform = Callable[[Step], Awaitable[T]]
"""Does a step, or what is left of it below a layer."""
