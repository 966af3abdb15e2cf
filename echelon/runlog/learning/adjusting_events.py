"""That a diagnosis was acted on is on record with its run: a part of the union in `runlog.events` (G, R10)."""

from typing import Literal

from pydantic import Field

from echelon.model.diagnosis.adjustment import Adjustment
from echelon.runlog.run_events import Event


class AdjustmentsApplied(Event):
    """Somebody applied what the diagnosis of this run proposes: later runs of the job go by it (G, R10)."""

    kind: Literal["adjustments_applied"] = "adjustments_applied"
    adjustments: tuple[Adjustment, ...] = Field(min_length=1)
    """What is changed."""
    by: str = Field(min_length=1)
    """Who applied it."""


class AdjustmentsReverted(Event):
    """Somebody took that back: later runs go by what the job's code says."""

    kind: Literal["adjustments_reverted"] = "adjustments_reverted"
    by: str = Field(min_length=1)
    """Who took it back."""
