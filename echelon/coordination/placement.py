"""Where a part of a phase is worked on: an order and what comes of it are data, so that another process can do it.

Placing is apart from showing: who shows a run follows its log.
"""

from collections.abc import Coroutine
from datetime import datetime
from typing import Any, Protocol

from pydantic import Field

from echelon.coordination.phase_output import PhaseOutput
from echelon.model.base import Value
from echelon.model.briefing.news import News
from echelon.model.handoff import Handoff
from echelon.model.usage import Budget


class PastRound(Value):
    """A round of a task that is over and did not pass (X12)."""

    handoff: Handoff
    """What it handed on."""
    gap: str = ""
    """What the check said was missing."""


class StageOrder(Value):
    """A coordinator's part of a phase: which tasks, and all that is needed to do them."""

    run_id: str
    """The run; its inputs and its plan are in the journal."""
    source: str
    """Where the job is defined, as `<file>:<variable>`."""
    phase: str
    """The phase."""
    node: str
    """The coordinator that owns the integration of all of it (D6)."""
    tasks: tuple[str, ...]
    """The tasks below it."""
    plan_digest: str
    """Identity of the plan that it is a part of: another plan must not be worked by."""
    inputs_digest: str
    """Identity of the inputs of the job."""
    upstream: dict[str, PhaseOutput] = Field(default_factory=dict[str, PhaseOutput])
    """What the phases it needs handed on: references, not content (C6)."""
    summary: str = ""
    """Strategic summary of what came before."""
    news: News = News()
    """What has changed and was decided since, for whoever works in it (X2)."""
    missing: tuple[str, ...] = ()
    """What came before could not deliver, for people and models."""
    lost: dict[str, str] = Field(default_factory=dict[str, str])
    """Why each task before that is missing is missing: what needs it as a tight dependency is not started (D3)."""
    until: dict[str, datetime] = Field(default_factory=dict[str, datetime])
    """Those of them that wait for a quota, with when it resets: they will come, and what uses them waits (F10)."""
    asks: dict[str, str] = Field(default_factory=dict[str, str])
    """Those of them that a person decides about, with what that person must do: what uses them waits (O5)."""
    round: int = Field(default=1, ge=1)
    """Which round of a phase that is repeated as a whole until a check passes (X12)."""
    repeated: bool = False
    """Is the phase repeated, as a whole or with others? What each task delivers is handed on then, beside the rest."""
    kept: dict[str, Handoff] = Field(default_factory=dict[str, Handoff])
    """Tasks that passed in an earlier round, or have ended in a wave, and are not done again."""
    integrated: dict[str, PhaseOutput] = Field(default_factory=dict[str, PhaseOutput])
    """What parts of it have come to already, by coordinator: they were put together as soon as that could be (X3)."""
    integrates: bool = True
    """Is what is delivered put together? Of a wave it is handed on task by task (X3)."""
    past: dict[str, tuple[PastRound, ...]] = Field(default_factory=dict[str, tuple[PastRound, ...]])
    """Rounds of each task that did not pass."""
    deadline_seconds: float | None = None
    """How long those who need this phase wait for it; None: for any time (C4)."""
    budget: Budget = Budget()
    """What it may consume of the budget of the job (F4)."""
    token: int = 0
    """Of the process that holds the run: a part is held under it (F8)."""

    @property
    def part(self) -> str:
        """What is held of the run to carry out the order."""
        return f"{self.phase}/{self.node}"


class Placement(Protocol):
    """Carries out orders, here or elsewhere."""

    def run(self, order: StageOrder) -> Coroutine[Any, Any, PhaseOutput]:
        """Do what is ordered. All of it is on record when this returns; failures are part of the output."""
        ...
