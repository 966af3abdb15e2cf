"""What earlier runs of one job measured: what replaces assumptions in its next plan (X10, V6). Values only."""

from collections.abc import Mapping

from pydantic import Field

from echelon.model.base import Value
from echelon.model.phrasing import count


class Spread(Value):
    """How a measured quantity varied. All numbers are in the unit of the quantity."""

    count: int = Field(ge=1)
    """How many measurements there are."""
    mean: float
    """Their mean."""
    median: float
    """Half of them are at most this."""
    p90: float
    """Nine of ten are at most this."""
    deviation: float = Field(ge=0)
    """Standard deviation; 0 of a single measurement, which says nothing about how it varies."""
    typical: float | None = None
    """The mean in a middle run: one run that went wrong does not move it. None: it is not known by run."""
    quantiles: tuple[float, ...] = ()
    """From the smallest to the largest at equal steps, each as in a middle run; empty where that is not known."""

    @property
    def usual(self) -> float:
        """What to expect of one more."""
        return self.mean if self.typical is None else self.typical


class LearntAgent(Value):
    """What one kind of agent took in one phase. None is not known, which is never zero."""

    fingerprint: str
    """Version of its code: numbers of an agent that has changed since are of another agent."""
    seconds: Spread | None = None
    """Wall time of a task that was done, all attempts included."""
    wall: Spread | None = None
    """The same of a task that ended, done or failed: what makes a run take its time."""
    tokens: Spread | None = None
    """Tokens of a task, in both directions, all attempts included."""
    cost: Spread | None = None
    """Money for a task, in the currency of its prices."""
    failure_share: float | None = Field(default=None, ge=0, le=1)
    """Share of its tasks that ended without output."""
    attempts: float | None = Field(default=None, ge=1)
    """Mean attempts of a task."""


class LearntPhase(Value):
    """What one phase took."""

    tasks: Spread | None = None
    """How many tasks it had in a run."""
    seconds: Spread | None = None
    """From its beginning to its sync point, without pauses."""
    agents: Mapping[str, LearntAgent] = Field(default_factory=dict[str, LearntAgent])
    """By name of the agent, those who integrate included; only measurements of the newest version of each."""
    integration_seconds: Spread | None = None
    """Wall time of one integration."""
    lead_seconds: Spread | None = None
    """From the end of what it waits for to its first step: sync point, planning and placing."""
    tail_seconds: Spread | None = None
    """From the end of its last task to that of its last step: what integrates behind everybody."""
    task_overhead_seconds: Spread | None = None
    """What each task adds beyond its own time and the limits: starting it, and putting it on record."""


class Learnt(Value):
    """What the newest runs of a job teach, rehearsals and samples left out."""

    runs: int = Field(ge=1)
    """From how many runs."""
    newest: str
    """Id of the newest of them."""
    phases: Mapping[str, LearntPhase] = Field(default_factory=dict[str, LearntPhase])
    """By name."""
    makespan_seconds: Spread | None = None
    """From the first step that began to the last that ended, without pauses."""
    tokens: Spread | None = None
    """Tokens of a whole run; None where a run reported none."""
    cost: Spread | None = None
    """Money of a whole run."""

    @property
    def said(self) -> str:
        """Say from what it was learnt."""
        return f"learnt from {count(self.runs, 'run')}"
