"""From where on an agent proceeds, is looked at, or asks: thresholds as data (X6)."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from echelon.model.base import Value
from echelon.model.errors import InvalidJob


class Band(StrEnum):
    """What happens with a result."""

    PROCEED = "proceed"  #: it is handed on, and nobody is asked
    REVIEW = "review"  #: somebody else looks at it first
    ESCALATE = "escalate"  #: whoever has the authority decides about it


class ReachMargin(Value):
    """How much surer an agent has to be where more depends on its result."""

    steps: int = Field(default=0, ge=0)
    """From so many steps on that use it, directly or not."""
    irreversible: bool = False
    """Only where work that cannot be undone is among them?"""
    by: float = Field(ge=0, le=1)
    """What is added to both thresholds."""


class AutonomyTerms(Value):
    """The thresholds of autonomy, and how a record is weighed."""

    proceed: float = Field(default=0.70, ge=0, le=1)
    """An agent proceeds on its own where it is right at least so often."""
    escalate: float = Field(default=0.60, ge=0, le=1)
    """Below this, whoever has the authority decides."""
    prior: float = Field(default=0.65, ge=0, le=1)
    """How often an agent without a record is taken to be right: between the two, so that somebody looks."""
    weight: float = Field(default=4.0, gt=0, allow_inf_nan=False)
    """So many results the prior counts for."""
    margins: tuple[ReachMargin, ...] = (
        ReachMargin(steps=20, irreversible=True, by=0.15),
        ReachMargin(irreversible=True, by=0.10),
        ReachMargin(steps=20, by=0.05),
    )
    """The first that fits what is behind a result raises both thresholds."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.escalate > self.proceed:
            raise InvalidJob(
                f"AutonomyTerms: escalate={self.escalate} lies above proceed={self.proceed}; what is asked about would "
                "proceed"
            )
        return self


DEFAULT_TERMS = AutonomyTerms()
