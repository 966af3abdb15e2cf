"""A step to be done, and what a layer around it is. Values only."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self, TypeVar

from pydantic import TypeAdapter

from echelon.agents.agent import Agent
from echelon.agents.call import Call
from echelon.coordination.reuse.basis import Basis
from echelon.coordination.success.recorder import TraceRecorder
from echelon.definition.success.criteria import NOTHING_STATED, Criteria
from echelon.model.fallback import UsedFallback
from echelon.model.handoff import UsedDependency
from echelon.model.oversight.gate import GateRecord, Readiness
from echelon.model.run import StepKind
from echelon.resilience.guard import Guard
from echelon.resilience.stoppable import StopRequest


class GateAbout(NamedTuple):
    """What a gate asks about."""

    task_id: str
    """The task."""
    digest: str
    """Of what would be done."""


AskReady = Callable[[GateAbout], Awaitable[tuple[Readiness, ...]]]
"""Asks those who did the work before whether they are ready for what a new gate asks about."""


async def nobody_asked(_about: GateAbout) -> tuple[Readiness, ...]:
    """Ask nobody."""
    return ()


class StepControl:
    """What is known of a step that may be stopped, since others do the same (F9)."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        """Is the first attempt at work?"""
        self.stop = StopRequest()
        """Stops it: it ends with a handoff that says so, and with what it used by then."""


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
    made_from: Basis | None = None
    """What it is made from, where its phase keeps what earlier runs did; None: it is done in every run."""
    basis: str = ""
    """The identity of that; empty while it is not known."""
    replica: int = 0
    """Which of those that do the task at the same time, from 1; 0: it is done once (F9)."""
    control: StepControl | None = None
    """Lets whoever counts replicas see when it begins, and stop it; None: nobody does."""
    complaint: str = ""
    """What was wrong with its first answer, when it is asked once more (C5)."""
    criteria: Criteria = NOTHING_STATED
    """What must be true of its result (D11)."""
    approval: GateRecord | None = None
    """The gate at which a person said that it may begin; None where nobody was asked (O5)."""
    recorder: TraceRecorder | None = None
    """Sees what the work leaves behind; None where no check is made with it."""

    def as_interim(self) -> Self:
        """Return it as one whose result is still to be checked."""
        return replace(self, interim=True)

    @property
    def producer(self) -> str:
        """Who delivers: the node, and which replica of it."""
        return f"{self.node}#{self.replica}" if self.replica else self.node


T = TypeVar("T")

Perform = Callable[[Step], Awaitable[T]]
"""Does a step, or what is left of it below a layer."""
