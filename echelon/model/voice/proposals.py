"""A proposed task on record, and what became of it (D10)."""

from datetime import datetime

from echelon.model.base import Value
from echelon.model.voice.said import Proposal


class ProposalDecision(Value):
    """What the owner decided about a proposed task."""

    taken: bool
    """Is it done?"""
    phase: str = ""
    """The phase that does it, or would; empty where none takes any."""
    by: str
    """Who decided: the nearest coordinator of whoever proposed it."""
    reason: str
    """Why."""
    task_id: str = ""
    """The task that it became; empty for one that is declined."""
    at: datetime
    """When, in UTC."""


class ProposalRecord(Value):
    """A proposed task, by whom, and what became of it."""

    id: str
    """Unique within the run."""
    step: str
    """Key of the step that proposed it."""
    task_id: str
    """Task of that step."""
    node: str
    """Agent that proposed it."""
    owner: str
    """The nearest coordinator: it decides."""
    phase: str
    """Phase that it was proposed in."""
    proposal: Proposal
    """What is to be done."""
    at: datetime
    """When it was proposed, in UTC."""
    decision: ProposalDecision | None = None
    """What became of it; None while nobody has decided."""

    @property
    def is_taken(self) -> bool:
        """Is it done?"""
        return self.decision is not None and self.decision.taken

    @property
    def is_settled(self) -> bool:
        """Has a phase decided? What was declined since none took it is decided anew when one does."""
        return self.decision is not None and bool(self.decision.phase)
