"""What happens in a run, as events, and where it stands, rolled up from them (V3, V6). Pure."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from echelon.model.status import Status


class Happening(StrEnum):
    """What an event tells."""

    PHASE_STARTED = "phase_started"
    TASK_STARTED = "task_started"
    TASK_ENDED = "task_ended"
    TASK_REPLACED = "task_replaced"
    INTEGRATION_STARTED = "integration_started"
    INTEGRATION_ENDED = "integration_ended"
    PHASE_ENDED = "phase_ended"
    BREAKER_TURNED = "breaker_turned"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressEvent:
    """Something that happened in a run."""

    happening: Happening
    phase: str
    node: str
    """Task, coordinator, phase or breaker."""
    at: float
    """Seconds since the run began."""
    domain: str = ""
    """The node below the primary that it belongs to; empty when it reports to the primary."""
    status: Status | None = None
    """How it ended; of a task that a fallback replaced, how it had ended."""
    expected: int = 0
    """Tasks in the phase, when a phase starts."""
    reused: bool = False
    """Was it taken from the journal instead of done again?"""
    note: str = ""
    """What a breaker does now, in one sentence; empty when that is as it should be."""


#: Gets every event; must return at once.
Observer = Callable[[ProgressEvent], None]


@dataclass(slots=True)
class Tally:
    """Counts of one phase or domain."""

    expected: int = 0
    running: int = 0
    ended: Counter[Status] = field(default_factory=Counter[Status])

    @property
    def done(self) -> int:
        """Tasks that completed."""
        return self.ended[Status.COMPLETED]

    @property
    def failed(self) -> int:
        """Tasks that ended without output."""
        return self.ended.total() - self.done


@dataclass(slots=True)
class Progress:
    """Where a run stands."""

    phases: dict[str, Tally] = field(default_factory=dict[str, Tally])
    domains: dict[str, Tally] = field(default_factory=dict[str, Tally])
    current: str = ""
    started: dict[str, float] = field(default_factory=dict[str, float])
    phase_began: float = 0.0
    now: float = 0.0

    def apply(self, event: ProgressEvent) -> None:
        """Take one event into account."""
        self.now = event.at
        _APPLY[event.happening](self, event)

    def remaining_seconds(self) -> float | None:
        """Seconds until the current phase ends at the pace it has had; None before its first task ended (V6)."""
        tally = self.phases.get(self.current)
        if tally is None or tally.ended.total() == 0:
            return None
        pace = (self.now - self.phase_began) / tally.ended.total()
        return pace * (tally.expected - tally.ended.total())


def _phase_started(progress: Progress, event: ProgressEvent) -> None:
    progress.current = event.phase
    progress.phase_began = event.at
    progress.domains = {}
    progress.phases[event.phase] = Tally(expected=event.expected)


def _task_started(progress: Progress, event: ProgressEvent) -> None:
    progress.started[event.node] = event.at
    for tally in _tallies(progress, event):
        tally.running += 1


def _task_ended(progress: Progress, event: ProgressEvent) -> None:
    assert event.status is not None
    was_running = progress.started.pop(event.node, None) is not None
    for tally in _tallies(progress, event):
        tally.ended[event.status] += 1
        tally.running -= was_running


def _task_replaced(progress: Progress, event: ProgressEvent) -> None:
    assert event.status is not None
    for tally in _tallies(progress, event):
        tally.ended[event.status] -= 1
        tally.ended[Status.COMPLETED] += 1


def _nothing(_progress: Progress, _event: ProgressEvent) -> None:
    """Seen, and changes no count."""


def _tallies(progress: Progress, event: ProgressEvent) -> tuple[Tally, ...]:
    phase = progress.phases.setdefault(event.phase, Tally())
    return (phase, progress.domains.setdefault(event.domain, Tally())) if event.domain else (phase,)


_APPLY: dict[Happening, Callable[[Progress, ProgressEvent], None]] = {
    Happening.PHASE_STARTED: _phase_started,
    Happening.TASK_STARTED: _task_started,
    Happening.TASK_ENDED: _task_ended,
    Happening.TASK_REPLACED: _task_replaced,
    Happening.INTEGRATION_STARTED: _nothing,
    Happening.INTEGRATION_ENDED: _nothing,
    Happening.PHASE_ENDED: _nothing,
    Happening.BREAKER_TURNED: _nothing,
}
