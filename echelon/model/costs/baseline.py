"""What one agent takes that does a job alone, and a run beside it (M10). Values only."""

from pydantic import Field

from echelon.model.base import Value


class Baseline(Value):
    """What one agent alone takes for a job: stated in its organisation, or measured by `echelon run --single`."""

    tasks: int = Field(ge=1)
    """Tasks it completed."""
    seconds: float = Field(gt=0, allow_inf_nan=False)
    """How long that took, in seconds."""
    tokens: int | None = Field(default=None, ge=0)
    """Tokens that it used; None when they are not known."""
    cost: float | None = Field(default=None, ge=0)
    """Money that it used; None when that is not known."""
    run_id: str = ""
    """The run that measured it; empty: somebody stated it."""


class BaselineComparison(Value):
    """A run beside one agent that does the job alone."""

    throughput: float | None
    """Tasks a second, in multiples of the single agent's; None before anything was completed."""
    tokens: float | None
    """Tokens for each completed task, in multiples of the single agent's; None where either is not known."""
    cost: float | None
    """Money for each completed task, in multiples of the single agent's; None where either is not known."""
    baseline: Baseline
    """What it is compared with."""
