"""What watching a run measured of itself: a part of the union in `runlog.events` (V9, V10)."""

from typing import Literal

from pydantic import Field

from echelon.runlog.run_events import Event


class WatchMeasured(Event):
    """A process that worked on a run says how old its news were when they were seen, and what looking at them took."""

    kind: Literal["watch_measured"] = "watch_measured"
    seen: int = Field(ge=0)
    """Events that were seen."""
    delay_seconds: float | None = Field(default=None, ge=0)
    """From when an event happened to when it was on record and seen, in the middle; None where none was."""
    delay_seconds_p90: float | None = Field(default=None, ge=0)
    """The same of nine in ten."""
    processor_seconds: float = Field(ge=0)
    """Processor time that watching took."""
