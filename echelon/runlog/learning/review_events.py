"""What a run teaches is on record with it: a part of the union in `runlog.events` (X10)."""

from typing import Literal

from echelon.model.learning.lesson import RunLesson
from echelon.model.learning.retrospective import Retrospective
from echelon.runlog.run_events import Event


class RunReviewed(Event):
    """A run that has an output was looked back on. The last one of a run counts: it may be set to work again."""

    kind: Literal["run_reviewed"] = "run_reviewed"
    lesson: RunLesson
    """What it measured: what later runs of its job learn from."""
    retrospective: Retrospective
    """Forecast against measured, what failed, what to change."""
