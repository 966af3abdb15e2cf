"""When is over what somebody follows: a run, or one task of it. Pure.

Both may begin again: a run that is resumed, a task that is retried or gets another round.
"""

from collections.abc import Callable, Mapping
from typing import Any

from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent


class Watched:
    """A run, or one task of it, as far as its log was seen."""

    def __init__(self, task: str | None = None) -> None:
        self._task = task
        self._run_ended = ""
        self._task_ended = ""
        self._lost_in = ""
        """The phase in which the task was lost: until that ends, something may stand in for it (F2)."""
        self._lost = ""

    @property
    def outcome(self) -> str:
        """How it ended: the status of the task, or of the run; empty while it has not."""
        return self._task_ended or self._run_ended

    @property
    def is_over(self) -> bool:
        """Is nothing more to come, unless somebody begins it again?"""
        return bool(self.outcome)

    def see(self, event: RunEvent) -> None:
        """Take an event in; most kinds end nothing."""
        change = _SEE.get(type(event))
        if change is not None:
            change(self, event)

    def run_ended(self, event: happened.RunEnded) -> None:
        """Take note that nobody works on the run any more."""
        self._run_ended = event.status.value

    def run_resumed(self, _event: happened.RunTaken | happened.RunReopened) -> None:
        """Take note that somebody works on the run."""
        self._run_ended = ""

    def step_started(self, event: happened.StepStarted) -> None:
        """Take note that the task is at work."""
        if event.task_id == self._task:
            self._task_ended = self._lost = self._lost_in = ""

    def step_reused(self, event: happened.StepReused) -> None:
        """Take note that the task is not done again."""
        if event.task_id == self._task:
            self._task_ended = "completed"

    def step_ended(self, event: happened.StepEnded) -> None:
        """Take note of how the task ended; a round that is still to be checked ends nothing (X12)."""
        record = event.record
        if event.subject != self._task or record.interim:
            return
        if record.handoff.done:
            self._task_ended = record.handoff.status.value
        else:
            self._lost, self._lost_in = record.handoff.status.value, record.phase

    def phase_ended(self, event: happened.PhaseEnded) -> None:
        """Take note that nothing will stand in for the task any more."""
        if self._lost and event.phase == self._lost_in:
            self._task_ended = self._lost

    def tasks_retried(self, event: happened.TasksRetried) -> None:
        """Take note that the task is to be done again."""
        if self._task in event.tasks:
            self._task_ended = self._lost = self._lost_in = ""


_SEE: Mapping[type[happened.Event], Callable[[Watched, Any], None]] = {
    happened.RunEnded: Watched.run_ended,
    happened.RunTaken: Watched.run_resumed,
    happened.RunReopened: Watched.run_resumed,
    happened.StepStarted: Watched.step_started,
    happened.StepReused: Watched.step_reused,
    happened.StepEnded: Watched.step_ended,
    happened.PhaseEnded: Watched.phase_ended,
    happened.TasksRetried: Watched.tasks_retried,
}

_OF_RUNS = ("run_ended", "run_taken", "run_reopened")
_OF_TASKS = (*_OF_RUNS, "step_started", "step_reused", "step_ended", "phase_ended", "tasks_retried")


def kinds_that_end(task: str | None) -> tuple[str, ...]:
    """Return the kinds of events that say whether a task, or a run, is over."""
    return _OF_RUNS if task is None else _OF_TASKS
