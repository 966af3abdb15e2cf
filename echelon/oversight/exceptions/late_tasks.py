"""Which tasks at work are late: by earlier runs, by what they state, or by others of their phase (V1). Pure.

Who starts first is late first among those that are expected to take as long, so that only the first of each kind is
looked at: what an event costs does not grow with the number of agents.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from echelon.model.exception_report import ExceptionReport, Trigger
from echelon.model.graph import TaskSpec
from echelon.model.learning.learnt import Learnt
from echelon.model.phrasing import count
from echelon.model.plan import Plan
from echelon.model.run import StepKind
from echelon.oversight.exceptions.expecting import Expected, Siblings, expected_of_task
from echelon.oversight.exceptions.held import Held
from echelon.oversight.exceptions.saying import named, overtime, warning
from echelon.runlog.events import StepEnded, StepStarted


class TaskKind(NamedTuple):
    """Tasks that are expected to take as long: of one phase, for the same agent, with the same seconds stated."""

    phase: str
    capability: str
    seconds: float | None
    provider: str | None


class _Kind:
    """Those of one kind."""

    def __init__(self, expected: Expected | None) -> None:
        self.known = expected
        self.siblings = Siblings()
        self.at_work: dict[str, datetime] = {}
        """Tasks that are not known to be late, with when they began, less what they are known to have waited since."""
        self.late: dict[str, datetime] = {}
        self.began: dict[str, datetime] = {}
        """When those of both began."""
        self.overran: dict[str, float] = {}
        """Seconds of those that were late, and have ended before anybody looked."""

    def forget(self, task: str) -> None:
        """Take out one that is not at work any more."""
        for tasks in (self.at_work, self.late, self.began):
            tasks.pop(task, None)

    @property
    def expected(self) -> Expected | None:
        return self.known or self.siblings.expected

    @property
    def usual_seconds(self) -> float | None:
        """What one of them takes in the middle, by what was measured in this run, or else by what is expected."""
        measured = self.siblings.median
        return measured if measured is not None else self.known and self.known.seconds


class LateTasks:
    """Tasks at work, and how long they may take. A task that somebody takes over when it is late is not among them."""

    def __init__(self, plan: Plan, learnt: Learnt | None, held: Held) -> None:
        self._learnt = learnt
        self._held = held
        self._kinds: dict[TaskKind, _Kind] = {}
        self._reported: set[str] = set()
        self.follow(plan)

    def follow(self, plan: Plan) -> None:
        """Go by a plan that has grown."""
        self._plan = plan
        self._kind_of: dict[tuple[str, str], _Kind] = {}
        self._tasks = {task.id: task for task in plan.tasks}

    def know(self, report: ExceptionReport) -> None:
        """Take note of what is on record: nobody is told twice."""
        if report.trigger is Trigger.LATE:
            self._reported.update(report.tasks)

    def started(self, event: StepStarted) -> None:
        """Take note that a task is at work; of replicas the first counts (F9)."""
        task = self._tasks.get(event.task_id)
        if event.step is not StepKind.TASK or task is None or task.standby:
            return
        kind = self._kind(task, event.phase)
        if event.replica > 1 and task.id in kind.began:
            return
        kind.forget(task.id)
        kind.at_work[task.id] = kind.began[task.id] = event.at

    def ended(self, event: StepEnded) -> None:
        """Take note that a task has ended; what it took counts for the others where it did the work."""
        step = event.record
        task = self._tasks.get(step.handoff.task_id)
        if step.kind is not StepKind.TASK or step.replica or task is None:
            return
        kind = self._kind(task, step.phase)
        was_at_work, expected = task.id in kind.at_work, kind.expected
        was_late, began = task.id in kind.late, kind.began.get(task.id, step.started)
        kind.forget(task.id)
        if was_at_work and expected is not None:
            took = (step.finished - began).total_seconds()
            took -= self._held.of_task(task.provider, began, step.finished)
            if took >= expected.limit:
                kind.overran[task.id] = took
        if (was_at_work or was_late) and step.handoff.done and not step.handoff.kept_from:
            kind.siblings.add((step.finished - step.started).total_seconds())

    def _kind(self, task: TaskSpec, phase: str) -> _Kind:
        known = self._kind_of.get((phase, task.id))
        if known is None:
            name = TaskKind(phase, task.capability or "", task.seconds, task.provider)
            if name not in self._kinds:
                self._kinds[name] = _Kind(expected_of_task(task, phase, self._learnt))
            known = self._kind_of[phase, task.id] = self._kinds[name]
        return known

    @property
    def next_due(self) -> datetime | None:
        """When the next one may be late; None while nothing says so."""
        times = [
            began + timedelta(seconds=kind.expected.limit)
            for kind in self._kinds.values()
            if kind.expected is not None
            for began in list(kind.at_work.values())[:1]
        ]
        return min(times, default=None)

    def due(self, now: datetime) -> Iterator[ExceptionReport]:
        """Yield what is to be said of those that are late by now, once, those of one kind together."""
        for name, kind in self._kinds.items():
            expected = kind.expected
            if expected is None:
                continue
            at_work = {task: (now - began).total_seconds() for task, began in self._overdue(name, kind, expected, now)}
            new = {task: took for task, took in (kind.overran | at_work).items() if task not in self._reported}
            kind.overran.clear()
            self._reported.update(new)
            if new:
                yield self._report(name.phase, expected, new, now)

    def _overdue(
        self, name: TaskKind, kind: _Kind, expected: Expected, now: datetime
    ) -> Iterator[tuple[str, datetime]]:
        """Take out those that are late, with when they began.

        One that only waited meanwhile goes on as if it had begun so much later.
        """
        for task, since in list(kind.at_work.items()):
            if (now - since).total_seconds() < expected.limit:
                return
            del kind.at_work[task]
            began = kind.began[task]
            waited = self._held.of_task(name.provider, began, now)
            if (now - began).total_seconds() - waited < expected.limit:
                kind.at_work[task] = began + timedelta(seconds=waited)
                continue
            kind.late[task] = began
            yield task, began

    def _report(self, phase: str, expected: Expected, took: Mapping[str, float], now: datetime) -> ExceptionReport:
        said, tasks = overtime(max(took.values()), expected), list(took)
        message = f"{named(tasks)} is late: {said}"
        if len(tasks) > 1:
            message = f"{count(len(tasks), 'task')} of phase {phase!r} are late: {said}; {named(tasks)}"
        return warning(self._plan, Trigger.LATE, message, now, tasks=tasks)

    def seconds_left(self, phase: str, tasks: int, width: int, now: datetime) -> float | None:
        """Return how long the rest of a phase takes at the pace of those that were done; None where nothing says it.

        `tasks` are those that have not begun, and `width` is how many are at work at one time.
        """
        kinds = [kind for name, kind in self._kinds.items() if name.phase == phase]
        usual = [kind.usual_seconds for kind in kinds]
        known = [seconds for seconds in usual if seconds is not None]
        if not known or len(known) < len(usual):
            return None
        left = [
            max(0.0, seconds - (now - began).total_seconds())
            for kind, seconds in zip(kinds, known, strict=True)
            for began in kind.began.values()
        ]
        work = sum(left) + tasks * max(known)
        return max([work / max(1, width), *left])
