"""A run at work, as far as its log is known, and what is to be said of it by now. Pure: whoever has a clock asks."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from echelon.model.exception_report import ExceptionReport, Trigger
from echelon.model.learning.learnt import Learnt
from echelon.model.plan import Plan
from echelon.oversight.exceptions.held import Held
from echelon.oversight.exceptions.late_phases import LatePhases
from echelon.oversight.exceptions.late_tasks import LateTasks
from echelon.oversight.exceptions.resources import BudgetUse, context_nearly_full, nearly_used, on_record
from echelon.oversight.exceptions.silence import Silence
from echelon.runlog import events as happened
from echelon.runlog.events import RunEvent
from echelon.runlog.state import RunState


class Watch:
    """What is expected of a run, what is known of it, and what was said: nothing is said twice, resumed or not."""

    def __init__(self, plan: Plan, learnt: Learnt | None = None, before: RunState | None = None) -> None:
        """Begin to watch; `before` is what is on record of the run already."""
        self._plan = plan
        self._held = Held()
        self._tasks = LateTasks(plan, learnt, self._held)
        self._phases = LatePhases(plan, learnt, self._held, self._tasks)
        self._silence = Silence(plan, self._held)
        self._resources: set[tuple[Trigger, str]] = set()
        self._found: list[ExceptionReport] = []
        self.has_used = False
        """Was anything used since it was last asked what is left of budgets?"""
        for report in before.exceptions if before else ():
            self._know(report)
        if before is not None and before.record is not None:
            idle = sum(((ended - began) for began, ended in before.pauses), timedelta())
            self._phases.began(before.record.started + idle)

    def _know(self, report: ExceptionReport) -> None:
        for part in (self._tasks, self._phases, self._silence):
            part.know(report)
        self._resources |= on_record(report)

    def see(self, event: RunEvent) -> None:
        """Take an event in; most kinds say nothing about what is to be watched."""
        change = _SEE.get(type(event))
        if change is not None:
            change(self, event)

    def step_started(self, event: happened.StepStarted) -> None:
        """Take note of a step at work."""
        self._tasks.started(event)
        self._phases.step_started(event)
        self._silence.started(event.task_id, event.at)

    def step_ended(self, event: happened.StepEnded) -> None:
        """Take note of a step that has ended."""
        self.has_used = True
        self._tasks.ended(event)
        self._phases.step_ended(event)
        self._silence.ended(event.record.handoff.task_id)

    def sign(self, event: happened.Logged | happened.OutputRead) -> None:
        """Take note of a sign of life."""
        self._silence.sign(event.task_id, event.at)

    def model_asked(self, event: happened.ModelAsked) -> None:
        """Take note of how full the context of a model was."""
        self.has_used = True
        self._silence.sign(event.subject, event.at)
        self._found += context_nearly_full(self._plan, event.conversation, self._resources, event.at)

    def attempt_failed(self, _event: happened.AttemptFailed) -> None:
        """Take note that something was used for nothing."""
        self.has_used = True

    def phase_started(self, event: happened.PhaseStarted) -> None:
        """Take note of a phase."""
        self._phases.phase_started(event)

    def phase_ended(self, event: happened.PhaseEnded) -> None:
        """Take note of its end."""
        self._phases.phase_ended(event)

    def plan_extended(self, event: happened.PlanExtended) -> None:
        """Go by a plan that has grown."""
        self._plan = event.plan
        for part in (self._tasks, self._phases, self._silence):
            part.follow(event.plan)

    def waits(self, event: RunEvent) -> None:
        """Take note of what is waited for."""
        self._held.see(event)

    @property
    def at_work(self) -> Collection[str]:
        """The tasks at work."""
        return self._silence.at_work

    @property
    def next_due(self) -> datetime | None:
        """When there may be something to say; None while nothing is expected of anything."""
        times = (self._tasks.next_due, self._phases.next_due, self._silence.next_due)
        return min((time for time in times if time is not None), default=None)

    def due(self, now: datetime) -> list[ExceptionReport]:
        """Return what is to be said by now; each is said once."""
        found, self._found = self._found, []
        return [*found, *self._tasks.due(now), *self._phases.due(now), *self._silence.due(now)]

    def budgets(self, uses: Iterable[BudgetUse], now: datetime) -> list[ExceptionReport]:
        """Return what is to be said of budgets, given how much of each is used; each is said once."""
        self.has_used = False
        return list(nearly_used(self._plan, uses, self._resources, now))


_SEE: dict[type[RunEvent], Callable[[Watch, Any], None]] = {
    happened.StepStarted: Watch.step_started,
    happened.StepEnded: Watch.step_ended,
    happened.Logged: Watch.sign,
    happened.OutputRead: Watch.sign,
    happened.ModelAsked: Watch.model_asked,
    happened.AttemptFailed: Watch.attempt_failed,
    happened.PhaseStarted: Watch.phase_started,
    happened.PhaseEnded: Watch.phase_ended,
    happened.PlanExtended: Watch.plan_extended,
    happened.GateRaised: Watch.waits,
    happened.GateAnswered: Watch.waits,
    happened.GateClosed: Watch.waits,
    happened.QuotaClosed: Watch.waits,
}
"""Kind → what it changes."""
