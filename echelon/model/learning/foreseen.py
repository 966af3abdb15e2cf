"""What a plan foresees by what earlier runs of its job measured, beside what was stated (X10, V6). Values only."""

from typing import Literal

from pydantic import Field

from echelon.model.base import Value
from echelon.model.learning.learnt import Learnt
from echelon.model.phrasing import count, duration, listed

#: From so far apart on, what is stated and what was measured contradict each other.
CONTRADICTS = 0.20

#: Differences named in a line at most.
NAMED = 3


class LearntDifference(Value):
    """What a phase states of each of its tasks, and what runs measured instead."""

    phase: str
    """The phase."""
    what: Literal["seconds", "tokens"]
    """Of what."""
    stated: float
    """What is stated of a task."""
    learnt: float
    """What a task took."""

    @property
    def contradicts(self) -> bool:
        """Is it so far off that somebody should know?"""
        return abs(self.learnt - self.stated) > CONTRADICTS * max(self.stated, 1e-9)

    @property
    def said(self) -> str:
        """Say it in one line."""
        if self.what == "seconds":
            return f"a task of {self.phase} takes {duration(self.learnt)}, stated {duration(self.stated)}"
        return f"a task of {self.phase} uses {self.learnt:,.0f} tokens, stated {self.stated:,.0f}"


class LearntForecast(Value):
    """How a forecast came about that rests on earlier runs. None is not known, which is never zero."""

    runs: int = Field(ge=1)
    """From how many runs it was learnt."""
    newest: str
    """Id of the newest of them."""
    stated_seconds: float | None = None
    """The makespan by what is stated and assumed alone."""
    makespan_seconds: float | None = None
    """The makespan by what was learnt."""
    tokens: float | None = None
    """Tokens by what was learnt, the middle of the range in the plan."""
    cost: float | None = None
    """Money by what was learnt."""
    failures: float | None = None
    """How many of the tasks are expected to end without output."""
    differences: tuple[LearntDifference, ...] = ()
    """Where runs contradict what is stated; what was measured is used."""
    basis: Learnt | None = None
    """What was learnt, by phase and agent."""
    unknown: tuple[str, ...] = ()
    """Phases of which nothing was learnt: what is stated is used, or the mean of the others."""

    @property
    def said(self) -> str:
        """Say it in one line."""
        instead = "" if self.stated_seconds is None else f", {duration(self.stated_seconds)} by what is stated"
        parts = [
            f"learnt from {count(self.runs, 'run')}{instead}",
            f"about {self.failures:,.0f} tasks are expected to fail" if (self.failures or 0.0) >= 0.5 else "",
            listed(self.differences, NAMED, lambda one: one.said, "; "),
            f"nothing is known of {listed(self.unknown, NAMED)}" if self.unknown else "",
        ]
        return "; ".join(part for part in parts if part)
