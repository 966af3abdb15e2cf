"""When a run that is at work is expected to end (V6). Values only."""

from pydantic import Field

from echelon.model.base import Value
from echelon.model.phrasing import duration, percent

#: A run is late that takes so much longer than its forecast, as a share (V1).
LATE = 0.20

#: Nobody needs to know of less, in seconds.
LEAST_SECONDS = 10.0

#: From so likely on it is said that a run will be late (benchmarks/foresight.py: what that misses, and says in vain).
SAID_FROM = 0.45


class Outlook(Value):
    """When a run will end, as seen at one moment; all in seconds."""

    elapsed: float = Field(ge=0)
    """Since its first step began, without pauses."""
    low: float = Field(ge=0)
    """To the end, if it goes well: one of ten is faster."""
    likely: float = Field(ge=0)
    """To the end."""
    high: float = Field(ge=0)
    """To the end, if it does not go well: one of ten is slower."""
    forecast: float | None = None
    """What the plan foresaw for the whole; None where it foresaw nothing."""
    late: float | None = Field(default=None, ge=0, le=1)
    """How likely it is that the run takes more than 20 % longer than its forecast; None where there is none."""

    @property
    def over(self) -> float | None:
        """How much longer than its forecast it will take, as a share of that; None where there is none."""
        return (self.elapsed + self.likely - self.forecast) / self.forecast if self.forecast else None

    @property
    def is_late(self) -> bool:
        """Is it so likely to be late, and by so much, that somebody should know?"""
        if self.late is None or self.forecast is None:
            return False
        return self.late >= SAID_FROM and self.elapsed + self.likely - self.forecast >= LEAST_SECONDS

    @property
    def said(self) -> str:
        """Say it in one line."""
        left = f"about {duration(self.likely)} left ({duration(self.low)} to {duration(self.high)})"
        if not self.is_late or self.over is None:
            return left
        whole = duration(self.elapsed + self.likely)
        return f"{left}; late: {whole} in all, {percent(self.over)} over the forecast of {duration(self.forecast)}"
