"""Which phases, domains and jobs are late, and which phases will be at the pace they have (V1, V6). Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from echelon.model.exception_report import ExceptionReport, Trigger
from echelon.model.learning.learnt import Learnt
from echelon.model.phrasing import duration
from echelon.model.plan import Plan
from echelon.model.run import StepKind
from echelon.oversight.exceptions.expecting import Expected, Siblings, expected_of_job, expected_of_phases
from echelon.oversight.exceptions.held import Held
from echelon.oversight.exceptions.late_tasks import LateTasks
from echelon.oversight.exceptions.saying import named, overtime, warning
from echelon.runlog.events import PhaseEnded, PhaseStarted, StepEnded, StepStarted

#: When so much of what is expected of a phase has passed, it is foreseen when it ends.
LOOK_AHEAD_AT = 0.5

#: What is said of the whole job is about this.
JOB = "job"


@dataclass
class _Phase:
    """A phase at work."""

    began: datetime
    expected: Expected | None
    tasks: int
    """How many it has."""
    parts: dict[str, set[str]]
    """Tasks that have not ended, by the node below the primary that they are under."""
    begun: int = 0
    at_work: int = 0
    width: int = 0
    """The most at work at one time."""
    part_began: dict[str, datetime] = field(default_factory=dict[str, datetime])
    part_seconds: Siblings = field(default_factory=Siblings)
    looked_ahead: bool = False


class LatePhases:
    """Phases at work with their parts, and the job as a whole."""

    def __init__(self, plan: Plan, learnt: Learnt | None, held: Held, tasks: LateTasks) -> None:
        self._learnt = learnt
        self._held = held
        self._tasks = tasks
        self._phases: dict[str, _Phase] = {}
        self._began: datetime | None = None
        self._reported: set[tuple[Trigger, str]] = set()
        self.follow(plan)

    def follow(self, plan: Plan) -> None:
        """Go by a plan that has grown; a phase at work keeps what was expected of it."""
        self._plan = plan
        self._parts: dict[str, str] = {}
        self._expected: Mapping[str, Expected] = expected_of_phases(plan, self._learnt)
        self._job = expected_of_job(plan, self._learnt)

    def know(self, report: ExceptionReport) -> None:
        """Take note of what is on record: nobody is told twice."""
        if report.about:
            self._reported.add((report.trigger, report.about))

    def began(self, at: datetime) -> None:
        """Take note when the job began, less the times in which nobody worked on it."""
        self._began = at

    def phase_started(self, event: PhaseStarted) -> None:
        """Take note of a phase, and of its parts."""
        planned = next((phase.tasks for phase in self._plan.phases if phase.name == event.phase), ())
        parts: dict[str, set[str]] = {}
        for task in planned:
            part = self._part_of(task)
            if part:
                parts.setdefault(part, set()).add(task)
        self._phases[event.phase] = _Phase(event.at, self._expected.get(event.phase), event.expected, parts)

    def phase_ended(self, event: PhaseEnded) -> None:
        """Take note that the sync point of a phase is passed."""
        self._phases.pop(event.phase, None)

    def step_started(self, event: StepStarted) -> None:
        """Take note of a task at work."""
        phase = self._phases.get(event.phase)
        if phase is None or event.step is not StepKind.TASK or event.replica > 1:
            return
        phase.begun += 1
        phase.at_work += 1
        phase.width = max(phase.width, phase.at_work)
        if part := self._part_of(event.task_id):
            phase.part_began.setdefault(part, event.at)

    def step_ended(self, event: StepEnded) -> None:
        """Take note of a task that has ended, and of the part that it was the last of."""
        step = event.record
        phase = self._phases.get(step.phase)
        if phase is None or step.kind is not StepKind.TASK or step.replica or step.interim:
            return
        phase.at_work = max(0, phase.at_work - 1)
        part = self._part_of(step.handoff.task_id)
        left = phase.parts.get(part)
        if left is None or step.handoff.task_id not in left:
            return
        left.discard(step.handoff.task_id)
        if not left and part in phase.part_began:
            phase.part_seconds.add((step.finished - phase.part_began[part]).total_seconds())

    def _part_of(self, task: str) -> str:
        known = self._parts.get(task)
        if known is None:
            node = self._plan.agent_of.get(task)
            known = self._parts[task] = self._plan.part_of(node) if node else ""
        return known

    # What is late ------------------------------------------------------------------------------------------------

    @property
    def next_due(self) -> datetime | None:
        """When the next one may be late, or can be foreseen to be; None while nothing says so."""
        times = [
            began + timedelta(seconds=seconds + self._held.of_run(began, began + timedelta(days=3650)))
            for began, seconds in self._dates()
        ]
        return min(times, default=None)

    def _dates(self) -> Iterator[tuple[datetime, float]]:
        """Yield since when something is at work, and from how many seconds on there is something to say of it."""
        if self._job is not None and self._began is not None and self._has_new_job:
            yield self._began, self._job.limit
        for name, phase in self._phases.items():
            if phase.expected is not None and phase.tasks > 1 and self._is_new(Trigger.LATE, _about(name)):
                yield phase.began, phase.expected.limit
                if not phase.looked_ahead:
                    yield phase.began, phase.expected.seconds * LOOK_AHEAD_AT
            usual = phase.part_seconds.expected
            for part in self._new_parts(name, phase) if usual else ():
                yield phase.part_began[part], usual.limit if usual else 0.0

    def due(self, now: datetime) -> Iterator[ExceptionReport]:
        """Yield what is to be said by now, once. A whole of one part is late with that, which is said already."""
        for name, phase in self._phases.items():
            yield from self._late_parts(name, phase, now)
            if phase.expected is not None and phase.tasks > 1 and self._is_new(Trigger.LATE, _about(name)):
                yield from self._late_or_at_risk(name, phase, phase.expected, now)
        yield from self._late_job(now)

    def _late_or_at_risk(
        self, name: str, phase: _Phase, expected: Expected, now: datetime
    ) -> Iterator[ExceptionReport]:
        took = self._took(phase.began, now)
        if took >= expected.limit and self._report(Trigger.LATE, _about(name)):
            said = f"phase {name!r} is late: {overtime(took, expected)}; {_left(phase)}"
            yield warning(self._plan, Trigger.LATE, said, now, about=_about(name))
        elif took >= expected.seconds * LOOK_AHEAD_AT and not phase.looked_ahead:
            phase.looked_ahead = True
            yield from self._at_risk(name, phase, expected, took, now)

    def _late_job(self, now: datetime) -> Iterator[ExceptionReport]:
        if self._job is None or self._began is None or not self._has_new_job:
            return
        took = self._took(self._began, now)
        if took >= self._job.limit and self._report(Trigger.LATE, JOB):
            said = f"the job is late: {overtime(took, self._job)}; in {named(list(self._phases))}"
            yield warning(self._plan, Trigger.LATE, said, now, about=JOB)

    def _late_parts(self, name: str, phase: _Phase, now: datetime) -> Iterator[ExceptionReport]:
        """Yield which parts take longer than others of the phase did; one that waits for one task is late with that."""
        usual = phase.part_seconds.expected
        if usual is None:
            return
        for part in self._new_parts(name, phase):
            took = self._took(phase.part_began[part], now)
            if took >= usual.limit and self._report(Trigger.LATE, _about(name, part)) and len(phase.parts[part]) > 1:
                said = f"domain {named([part])} is late in phase {name!r}: {overtime(took, usual)}"
                yield warning(self._plan, Trigger.LATE, said, now, about=_about(name, part))

    def _new_parts(self, name: str, phase: _Phase) -> list[str]:
        left = (part for part, tasks in phase.parts.items() if tasks and part in phase.part_began)
        return [part for part in left if self._is_new(Trigger.LATE, _about(name, part))]

    def _at_risk(
        self, name: str, phase: _Phase, expected: Expected, took: float, now: datetime
    ) -> Iterator[ExceptionReport]:
        """Say that a phase will be late, where what is left of it takes too long at the pace it has."""
        left = self._tasks.seconds_left(name, max(0, phase.tasks - phase.begun), phase.width, now)
        if left is None or took + left < expected.limit or not self._report(Trigger.AT_RISK, _about(name)):
            return
        said = (
            f"phase {name!r} will be late: it is expected to take {duration(expected.seconds)} ({expected.basis}), "
            f"and about {duration(took + left)} at the pace it has; {_left(phase)}"
        )
        yield warning(self._plan, Trigger.AT_RISK, said, now, about=_about(name))

    @property
    def _has_new_job(self) -> bool:
        return len(self._plan.phases) > 1 and self._is_new(Trigger.LATE, JOB)

    def _took(self, began: datetime, now: datetime) -> float:
        return (now - began).total_seconds() - self._held.of_run(began, now)

    def _is_new(self, trigger: Trigger, about: str) -> bool:
        return (trigger, about) not in self._reported

    def _report(self, trigger: Trigger, about: str) -> bool:
        """Say whether something is said for the first time; from now on it was."""
        is_new = self._is_new(trigger, about)
        self._reported.add((trigger, about))
        return is_new


def _about(phase: str, part: str = "") -> str:
    return f"domain {part} of phase {phase}" if part else f"phase {phase}"


def _left(phase: _Phase) -> str:
    return f"{phase.at_work:,} at work, {max(0, phase.tasks - phase.begun):,} not begun"
