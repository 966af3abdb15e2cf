"""What a run teaches when it has ended: forecast against measured, what failed, what to change (X10). Values only."""

from typing import Literal

from pydantic import Field

from echelon.model.base import Value
from echelon.model.phrasing import duration

Measure = Literal["makespan_seconds", "tokens"]
"""What a change is to make better."""

#: How each measure is written.
_WRITTEN: dict[Measure, str] = {"makespan_seconds": "makespan", "tokens": "tokens"}

#: A change has worked that made its measure so much better, as a share.
WORKED = 0.05

#: A difference in time that is worth a word, in seconds: what is less is noise.
WORTH_SECONDS = 1.0

#: Lines of a retrospective where there is little room.
SHORT_LINES = 6


def written(measure: Measure, value: float) -> str:
    """Return a value of a measure as people read it."""
    return duration(value) if measure == "makespan_seconds" else f"{value:,.0f}"


class Foretold(Value):
    """One forecast beside what became of it."""

    name: Literal["makespan", "tokens", "cost"]
    """What was foreseen."""
    predicted: float
    """The forecast; the middle of a range."""
    measured: float
    """What was measured."""

    @property
    def off(self) -> float | None:
        """How far it was off, as a share of the forecast; None where nothing was foreseen."""
        return (self.measured - self.predicted) / self.predicted if self.predicted else None

    @property
    def is_noise(self) -> bool:
        """Is it off by less than is worth a word?"""
        return self.name == "makespan" and max(self.measured, self.predicted) < WORTH_SECONDS

    @property
    def said(self) -> str:
        """Say it in a few words."""
        figures = [
            duration(one) if self.name == "makespan" else f"{one:,.6g}" for one in (self.measured, self.predicted)
        ]
        off = "" if self.off is None else f" ({self.off:+.0%})".replace("%", " %")
        return f"{self.name} {figures[0]}, forecast {figures[1]}{off}"


class Suggestion(Value):
    """One thing to change, with what that is expected to do: computed from what the run measured."""

    rule: str
    """Which rule found it."""
    phase: str
    """The phase; of a limit what it bounds."""
    advice: str
    """What to change."""
    why: str
    """The figures that it rests on."""
    measure: Measure
    """What gets better."""
    now: float
    """What the run measured of that."""
    expected: float
    """What it is expected to be after the change."""
    fact: str = ""
    """What of the job would differ where the change was made: how it was in this run."""

    @property
    def gain(self) -> float:
        """How much better it gets, as a share of what it is now; 0 where that is too little to be worth a word."""
        better = self.now - self.expected
        return 0.0 if better <= (WORTH_SECONDS if self.measure == "makespan_seconds" else 0.0) else better / self.now

    @property
    def said(self) -> str:
        """Say it in one line."""
        figures = f"{written(self.measure, self.now)} → {written(self.measure, self.expected)}"
        return f"{self.advice}: {self.why}; expected {_WRITTEN[self.measure]} {figures}"


class Tried(Value):
    """What became of a change that the run before suggested."""

    suggestion: Suggestion
    """What was suggested."""
    fact: str
    """How what was to be changed is in this run."""
    measured: float
    """What this run measured of the same."""

    @property
    def worked(self) -> bool:
        """Did it make the measure better?"""
        return self.measured < self.suggestion.now * (1 - WORKED)

    @property
    def said(self) -> str:
        """Say it in one line."""
        one = self.suggestion
        figures = [written(one.measure, value) for value in (one.now, self.measured, one.expected)]
        verdict = "it worked" if self.worked else "it did not work"
        measured = f"{_WRITTEN[one.measure]} {figures[0]} → {figures[1]}, expected {figures[2]}"
        return f"{verdict}: {one.advice} ({one.fact} → {self.fact}): {measured}"


class Retrospective(Value):
    """What a run teaches, beside the one before it."""

    foretold: tuple[Foretold, ...] = ()
    """Forecasts against what was measured."""
    failed: tuple[str, ...] = ()
    """What failed, by phase."""
    since: str = ""
    """The run that it is compared with; empty for the first of a job."""
    changes: tuple[str, ...] = ()
    """What has changed since then: tasks, code, limits, and measures."""
    tried: tuple[Tried, ...] = ()
    """Whether what was changed on the advice of that run worked."""
    suggestions: tuple[Suggestion, ...] = Field(default=(), max_length=3)
    """What to change next, what helps most first."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Say all of it, a line each."""
        foretold = [one.said for one in self.foretold if not one.is_noise]
        return (
            *(["; ".join(foretold)] if foretold else []),
            *([f"failed: {'; '.join(self.failed)}"] if self.failed else []),
            *([f"since {self.since}: {'; '.join(self.changes)}"] if self.changes else []),
            *(one.said for one in self.tried),
            *(f"change: {one.said}" for one in self.suggestions),
        )

    @property
    def short(self) -> tuple[str, ...]:
        """Say it in a few lines: what worked and what to change goes before what has changed."""
        if len(self.lines) <= SHORT_LINES:
            return self.lines
        advice = [*(one.said for one in self.tried[:2]), *(f"change: {one.said}" for one in self.suggestions)]
        rest = [line for line in self.lines if line not in advice]
        return (
            (*rest[: SHORT_LINES - len(advice)], *advice) if len(advice) < SHORT_LINES else tuple(advice[:SHORT_LINES])
        )
