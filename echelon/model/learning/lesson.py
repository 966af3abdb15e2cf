"""What one run measured, small enough to be read for many runs at once: what is learnt from (X10). Values only."""

import statistics
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

from pydantic import Field

from echelon.model.base import Value

#: Steps between the smallest and the largest value that are kept of a sample.
QUANTILE_STEPS = 20


class MeasuredValues(Value):
    """Values that were measured in one run, in brief."""

    count: int = Field(ge=1)
    """How many."""
    mean: float
    """Their mean."""
    deviation: float = Field(default=0.0, ge=0)
    """Standard deviation; 0 of a single one."""
    quantiles: tuple[float, ...]
    """From the smallest to the largest at equal steps; all of them where there are few."""

    @classmethod
    def of(cls, values: Sequence[float]) -> Self | None:
        """Return values in brief; None where there are none.

        >>> MeasuredValues.of([3.0, 1.0, 2.0]).at(0.5)
        2.0
        """
        if not values:
            return None
        ordered = tuple(sorted(values))
        few = len(ordered) <= QUANTILE_STEPS + 1
        kept = ordered if few else tuple(level_of(ordered, step / QUANTILE_STEPS) for step in range(QUANTILE_STEPS + 1))
        return cls(
            count=len(ordered),
            mean=statistics.fmean(ordered),
            deviation=statistics.pstdev(ordered),
            quantiles=tuple(round(value, 6) for value in kept),
        )

    def at(self, level: float) -> float:
        """Return the value below which a share of them lies."""
        return level_of(self.quantiles, level)


def level_of(ordered: Sequence[float], level: float) -> float:
    """Return what lies at a share of the way through values in their order, 0 to 1.

    >>> level_of([1.0, 3.0], 0.75)
    2.5
    """
    place = level * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


class AgentLesson(Value):
    """What one kind of agent took in one phase of a run; work that was kept of an earlier run is none of it."""

    fingerprint: str = ""
    """Version of its code; empty when it is not known."""
    done: int = Field(default=0, ge=0)
    """Tasks that it delivered."""
    failed: int = Field(default=0, ge=0)
    """Tasks that it tried and that ended without output."""
    attempts: int = Field(default=0, ge=0)
    """Calls for all of them."""
    seconds: MeasuredValues | None = None
    """Wall time of a task that was done."""
    wall: MeasuredValues | None = None
    """Wall time of a task that ended, done or failed."""
    tokens: MeasuredValues | None = None
    """Tokens of a task, in both directions; None where none were reported."""
    cost: MeasuredValues | None = None
    """Money for a task; None where no price is known."""
    retry_seconds: float = Field(default=0.0, ge=0)
    """Of the wall time, what attempts took that failed."""


class PhaseLesson(Value):
    """What one phase of a run took."""

    tasks: int = Field(ge=0)
    """Tasks it had, those that were kept of earlier runs included."""
    kept: int = Field(default=0, ge=0)
    """Those of them that were kept: they took no time."""
    agents: Mapping[str, AgentLesson] = Field(default_factory=dict[str, AgentLesson])
    """By name of the agent; what integrates is called `integration`."""
    seconds: float | None = None
    """From its beginning to its sync point, without pauses; None where the point was not passed."""
    integration: str = ""
    """Who puts its outputs together: `none`, `primary` or `staged`; empty: not known."""
    lead_seconds: float | None = None
    """From the end of what it waits for to its first step. None, as the two below, in a run that was resumed."""
    tail_seconds: float | None = None
    """From the end of its last task to that of its last step."""
    task_overhead_seconds: float | None = None
    """What each task added beyond its own time, as the schedule has it."""


class RunLesson(Value):
    """What one run measured."""

    run_id: str
    """The run."""
    at: datetime
    """When it ended, in UTC."""
    phases: Mapping[str, PhaseLesson] = Field(default_factory=dict[str, PhaseLesson])
    """By name."""
    completed: int = Field(ge=0)
    """Tasks completed."""
    failed: int = Field(ge=0)
    """Tasks that ended without output."""
    kept: int = Field(default=0, ge=0)
    """Those of the completed ones that an earlier run did."""
    makespan_seconds: float | None = None
    """From the first step that began to the last that ended, without pauses."""
    tokens: int | None = None
    """Tokens of the run; None where none were reported."""
    cost: float | None = None
    """Money; None where no price is known."""
    resumed: bool = False
    """Did it stand still in between? What a phase takes beyond its tasks is not learnt from it then."""
    limits: Mapping[str, int] = Field(default_factory=dict[str, int])
    """The most agents at work at one time that it was given, by what each limit bounds."""
    predicted_seconds: float | None = None
    """The makespan that its plan foresaw; None where it foresaw none."""
    predicted_tokens: float | None = None
    """The tokens that its plan foresaw."""
