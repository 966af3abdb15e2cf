"""Flat moments: a part of the union in `runlog.events` (O6)."""

from typing import Literal

from echelon.runlog.run_events import Event


class FlatMomentHeld(Event):
    """At the sync point of a phase everybody who decides next is given all open concerns, unfiltered."""

    kind: Literal["flat_moment_held"] = "flat_moment_held"
    phase: str
    """The phase."""
    concerns: tuple[str, ...]
    """Those that were open, by id, the most urgent first."""

    @property
    def subject(self) -> str:
        """The phase."""
        return self.phase
