"""A batch of results that a lead is asked about (X7)."""

from echelon.model.base import Value


class AskedApproval(Value):
    """One result that does not proceed by itself."""

    task_id: str
    """The task; a verdict names it so where it declines this one only."""
    agent: str
    """Who made it."""
    reasons: tuple[str, ...]
    """Why it does not proceed."""
    stated: float | None = None
    """How sure its agent says it is; None where it said nothing."""


class ApprovalBatch(Value):
    """Results of one domain, decided together. Beside it a lead gets the results themselves, as `Handoffs[...]`."""

    phase: str
    """The phase."""
    domain: str = ""
    """The domain; empty where there are none."""
    asked: tuple[AskedApproval, ...]
    """What it is asked about."""
