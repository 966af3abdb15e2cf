"""Which agents have gone silent: they gave signs of life again and again, and then none (V1). Pure.

A sign of life is whatever an agent puts on record while it works: a line that it logs or prints, a model that it asked,
an output that it read. Of an agent that never gave one nothing is known, so nothing is said. That its process has died
is no silence: the step fails at once.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush

from echelon.model.exception_report import ExceptionReport, Trigger
from echelon.model.phrasing import duration
from echelon.model.plan import Plan
from echelon.oversight.exceptions.held import Held
from echelon.oversight.exceptions.saying import named, warning

#: From so many signs on it is known how far apart they are.
LEAST_SIGNS = 5

#: An agent that logs more is not written down any more, and only seems silent.
MOST_SIGNS = 900

#: Silence is so many times as long as the longest pause before, and never shorter than so many seconds.
FACTOR, LEAST_SILENCE_SECONDS = 5.0, 30.0


@dataclass
class _Pulse:
    """What is known of one agent at work."""

    task: str
    provider: str | None
    last: datetime
    signs: int = 0
    longest: float = 0.0
    """Longest pause between two signs, in seconds."""
    is_timed: bool = False

    @property
    def limit(self) -> float:
        """From how many seconds without a sign on it is silent."""
        return max(self.longest * FACTOR, LEAST_SILENCE_SECONDS)

    @property
    def is_known(self) -> bool:
        """Is it known how far apart its signs are?"""
        return LEAST_SIGNS <= self.signs < MOST_SIGNS


class Silence:
    """The pulses of all tasks at work."""

    def __init__(self, plan: Plan, held: Held) -> None:
        self._held = held
        self._pulses: dict[str, _Pulse] = {}
        self._times: list[tuple[datetime, str]] = []
        self._reported: set[str] = set()
        self.follow(plan)

    def follow(self, plan: Plan) -> None:
        """Go by a plan that has grown."""
        self._plan = plan
        self._providers = {task.id: task.provider for task in plan.tasks}

    def know(self, report: ExceptionReport) -> None:
        """Take note of what is on record: nobody is told twice."""
        if report.trigger is Trigger.HEARTBEAT:
            self._reported.update(report.tasks)

    def started(self, task: str, at: datetime) -> None:
        """Take note that a task is at work."""
        if task in self._providers:
            self._pulses[task] = _Pulse(task, self._providers[task], at)

    def ended(self, task: str) -> None:
        """Take note that it is not at work any more."""
        self._pulses.pop(task, None)

    def sign(self, task: str, at: datetime) -> None:
        """Take note of a sign of life."""
        pulse = self._pulses.get(task)
        if pulse is None:
            return
        if pulse.signs:
            pulse.longest = max(pulse.longest, (at - pulse.last).total_seconds())
        pulse.signs += 1
        pulse.last = at
        if pulse.is_known and not pulse.is_timed:
            pulse.is_timed = True
            heappush(self._times, (at + timedelta(seconds=pulse.limit), task))

    @property
    def at_work(self) -> Collection[str]:
        """The tasks at work."""
        return self._pulses.keys()

    @property
    def next_due(self) -> datetime | None:
        """When it is to be looked at the next one; None while nothing says so."""
        return self._times[0][0] if self._times else None

    def due(self, now: datetime) -> Iterator[ExceptionReport]:
        """Yield what is to be said of those that are silent by now, once. Those that were heard are looked at later."""
        while self._times and self._times[0][0] <= now:
            _, task = heappop(self._times)
            pulse = self._pulses.get(task)
            if pulse is None or not pulse.is_known:
                continue
            silent = (now - pulse.last).total_seconds() - self._held.of_task(pulse.provider, pulse.last, now)
            if silent < pulse.limit:
                heappush(self._times, (now + timedelta(seconds=pulse.limit - silent), task))
                continue
            pulse.is_timed = False
            if task not in self._reported:
                self._reported.add(task)
                yield self._report(pulse, silent, now)

    def _report(self, pulse: _Pulse, silent: float, now: datetime) -> ExceptionReport:
        said = (
            f"{named([pulse.task])} has given no sign of life for {duration(silent)}; before, its signs were "
            f"{duration(pulse.longest)} apart at most"
        )
        return warning(self._plan, Trigger.HEARTBEAT, said, now, tasks=[pulse.task])
