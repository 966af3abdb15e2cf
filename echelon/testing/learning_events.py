"""What runs taught, for tests; other events are in `echelon.testing.run_events`."""

from typing import Any

from echelon.model.diagnosis.adjustment import Adjustment, Lever
from echelon.model.diagnosis.mode import FailureMode
from echelon.model.learning.lesson import AgentLesson, MeasuredValues, PhaseLesson, RunLesson
from echelon.model.learning.retrospective import Foretold, Retrospective, Suggestion
from echelon.runlog import events as happened
from echelon.testing.noon import NOON


def run_lesson(run_id: str = "r1", seconds: float = 2.0, **changes: Any) -> RunLesson:
    """Return what a run of one phase with two tasks measured."""
    took = MeasuredValues.of([seconds, seconds])
    agent = AgentLesson(fingerprint="v1", done=2, attempts=2, seconds=took, wall=took)
    phase = PhaseLesson(tasks=2, agents={"inspect": agent}, seconds=seconds, task_overhead_seconds=0.0)
    values: dict[str, Any] = {"run_id": run_id, "at": NOON, "completed": 2, "failed": 0, "makespan_seconds": seconds}
    return RunLesson.model_validate({**values, "phases": {"inspect": phase}, **changes})


def suggestion(**changes: Any) -> Suggestion:
    """Return one thing to change."""
    values: dict[str, Any] = {"rule": "longest", "phase": "inspect", "advice": "split 'a'", "why": "it takes 8 s"}
    return Suggestion.model_validate({**values, "measure": "makespan_seconds", "now": 8.0, "expected": 5.0, **changes})


def adjustment(after: int = 4) -> Adjustment:
    """Return that a coordinator is to have fewer reports."""
    mode = FailureMode.TOO_SHALLOW
    return Adjustment(lever=Lever.SPAN, before=8, after=after, mode=mode, reason="12 report to primary")


def adjustments_applied(run_id: str = "r1", after: int = 4) -> happened.AdjustmentsApplied:
    """Return that a change was applied behind the diagnosis of a run."""
    return happened.AdjustmentsApplied(run_id=run_id, at=NOON, adjustments=(adjustment(after),), by="mia")


def adjustments_reverted(run_id: str = "r1") -> happened.AdjustmentsReverted:
    """Return that it was taken back."""
    return happened.AdjustmentsReverted(run_id=run_id, at=NOON, by="mia")


def run_reviewed(run_id: str = "r1", seconds: float = 2.0) -> happened.RunReviewed:
    """Return that a run was looked back on."""
    foretold = Foretold(name="makespan", predicted=2.0, measured=seconds)
    said = Retrospective(foretold=(foretold,), suggestions=(suggestion(),))
    return happened.RunReviewed(run_id=run_id, at=NOON, lesson=run_lesson(run_id, seconds), retrospective=said)
