"""What sync points find, and where waves end: a part of the union in `runlog.events` (X3, X4)."""

from typing import Literal

from echelon.model.sync.seen import Drift, Wave
from echelon.runlog.run_events import Event


class DriftMeasured(Event):
    """It was measured at a sync point how far the work of its phase has drifted apart (X4)."""

    kind: Literal["drift_measured"] = "drift_measured"
    drift: Drift
    """What was found."""

    @property
    def subject(self) -> str:
        """The phase."""
        return self.drift.phase


class WaveEnded(Event):
    """A part of a phase was done, and its light sync point was passed (X3)."""

    kind: Literal["wave_ended"] = "wave_ended"
    wave: Wave
    """What was done, and what that revealed."""

    @property
    def subject(self) -> str:
        """The phase."""
        return self.wave.phase


class PhaseStopped(Event):
    """What is there of a phase is enough: the rest of its tasks is not begun (X3)."""

    kind: Literal["phase_stopped"] = "phase_stopped"
    phase: str
    """The phase."""
    tasks: tuple[str, ...]
    """Tasks that are not begun."""
    reason: str
    """Why."""

    @property
    def subject(self) -> str:
        """The phase."""
        return self.phase
