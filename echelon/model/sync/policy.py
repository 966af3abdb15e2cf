"""When a phase synchronises: policies and their bounds, as values (X3)."""

from typing import Literal, TypeAlias

from pydantic import Field

from echelon.model.base import Value

PolicyName: TypeAlias = Literal["phase", "milestone", "interval", "event", "adaptive"]
"""At the end of the phase only; at milestones; each so many tasks; when something happens; as often as is of use."""

SyncEvent: TypeAlias = Literal["urgent", "failures", "conflict"]
"""Something urgent was said of the work; more of it failed than is usual; results contradict each other."""

Level: TypeAlias = Literal["low", "medium", "high"]
"""How much of something there is, where nobody has measured it."""

#: Share of the tasks of a wave that fail so that it counts as an event.
FAILURE_SHARE = 0.2


class DriftRatings(Value):
    """What decides how often it is worth to synchronise (§P6): where adaptive sync begins, and what it weighs."""

    velocity: Level = "medium"
    """How fast things change: the more, the more often."""
    drift_cost: Level = "medium"
    """How dear work on something outdated is: the more, the more often."""
    sync_cost: Level = "medium"
    """How dear a sync point is: the more, the less often."""
    detectability: Level = "medium"
    """How well drift is seen without one: the better, the less often."""


class SyncPolicyTerms(Value):
    """When one phase, or one domain in it, synchronises."""

    policy: PolicyName = "phase"
    """When."""
    every: int | None = Field(default=None, ge=1)
    """Tasks from one light sync point to the next, of an interval."""
    events: tuple[SyncEvent, ...] = ("urgent",)
    """What ends a wave before all of its tasks were begun."""
    failure_share: float = Field(default=FAILURE_SHARE, gt=0, le=1)
    """From which share of failed tasks on failures are an event."""
    ratings: DriftRatings = DriftRatings()
    """Where adaptive sync begins."""
    least: int = Field(default=2, ge=1)
    """The fewest tasks from one light sync point to the next, of adaptive sync."""
    most: int = Field(default=100, ge=1)
    """The most."""
