"""An output of an earlier run, and how old it is: its age counts from when the work was really done (C9). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from echelon.model.handoff import Handoff
from echelon.model.run import StepRecord


@dataclass(frozen=True, kw_only=True)
class PreviousOutput:
    """An output of an earlier run."""

    run_id: str
    """The run that delivered it."""
    handoff: Handoff
    """What it handed on."""
    made_at: datetime
    """When the work was done, in UTC; not when it stood in for other work."""

    @classmethod
    def of(cls, step: StepRecord) -> "PreviousOutput":
        """Return what a completed step delivered."""
        return cls(run_id=step.run_id, handoff=step.handoff, made_at=made_at(step))

    def age(self, now: datetime) -> timedelta:
        """Return how old it is; clocks that disagree make nothing younger than new."""
        return max(now - self.made_at, timedelta())


def made_at(step: StepRecord) -> datetime:
    """Return when the output of a step was worked out: of what stood in, when that was, be it runs ago."""
    used = step.handoff.fallback
    return step.finished if used is None or used.made_at is None else used.made_at
