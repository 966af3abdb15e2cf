"""A failure mode that was found in a run, with what it was found by and what to change (G). Values only."""

from pydantic import Field

from echelon.model.base import Value
from echelon.model.diagnosis.adjustment import Adjustment
from echelon.model.diagnosis.mode import FailureMode, ModeClass


class Diagnosis(Value):
    """A failure mode that the log of a run shows."""

    mode: FailureMode
    """Which."""
    of_class: ModeClass
    """What it is a failure of."""
    strength: float = Field(ge=1)
    """How far what was measured is beyond where the mode begins, as a ratio; 1: just so."""
    evidence: tuple[str, ...]
    """What was measured, each in one sentence with its figures."""
    rows: tuple[str, ...] = ()
    """The first of what it was seen in: tasks, integrations, concerns, gates, conflicts, runs."""
    cause: str
    """Why it happens."""
    containment: str
    """What keeps it from spreading."""
    recovery: str
    """What to change."""
    explains: tuple[FailureMode, ...] = ()
    """Modes that show as well, and follow from this one."""
    changes: tuple[Adjustment, ...] = ()
    """What of that can be changed from outside, for the next run; empty where it is a matter of the job's code."""
