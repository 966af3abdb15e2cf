"""Where a run at work stands, rolled up from its state: phases, domains, who is late, how long it takes (V3, V6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from echelon.model.breaker_news import BreakerNews, Turn
from echelon.model.exception_report import Trigger
from echelon.model.learning.outlook import Outlook
from echelon.model.plan import Plan
from echelon.model.run import StepKind, StepRecord
from echelon.runlog.learning.foresight import foresee
from echelon.runlog.state import PhaseState, RunState, StepName

#: So long it is kept when a run will end, in seconds.
LOOK_SECONDS = 5.0

#: After these there is nothing to worry about.
_WELL = frozenset({Turn.CLOSED, Turn.RELIEVED, Turn.LEFT})


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts of one phase or domain."""

    expected: int = 0
    """Tasks it has; 0 where that is not known."""
    done: int = 0
    """Tasks that delivered an output."""
    failed: int = 0
    """Tasks that ended without output, for good."""
    waiting: int = 0
    """Tasks that wait for a quota, or for a budget of a day or a month (F10)."""
    at_work: int = 0
    """Tasks that somebody works on."""
    kept: int = 0
    """Those of the done ones that an earlier run did."""

    @property
    def ended(self) -> int:
        """Tasks that ended, whatever way."""
        return self.done + self.failed + self.waiting


def tally_of(state: RunState, phase: str) -> Tally:
    """Count the tasks of a phase."""
    stands = state.phases.get(phase)
    return _tally(state, _tasks(state, phase), stands.expected if stands else 0)


def tallies_by_domain(state: RunState, phase: str, plan: Plan) -> dict[str, Tally]:
    """Count the tasks of a phase by the node below the primary that they are under, without those of the primary."""
    members: dict[str, list[StepName]] = {}
    for name in _tasks(state, phase):
        node = plan.agent_of.get(name.task_id)
        domain = plan.part_of(node) if node else ""
        if domain:
            members.setdefault(domain, []).append(name)
    return {domain: _tally(state, names, 0) for domain, names in members.items()}


def remaining_seconds(state: RunState, phase: str, now: datetime) -> float | None:
    """Return the seconds until a phase ends at the pace it has had; None before its first task ended (V6)."""
    stands, tally = state.phases.get(phase), tally_of(state, phase)
    # What was kept took no time, and says nothing about the pace.
    ended = tally.ended - sum(
        _was_before(step, stands) or bool(step.handoff.kept_from) for step in _ended_tasks(state, phase)
    )
    if stands is None or ended <= 0:
        return None
    pace = (now - stands.taken_up).total_seconds() / ended
    return pace * (tally.expected - tally.ended)


class Foresight:
    """When a run at work will end, as it was seen last: working that out takes a moment, and it changes slowly (V6)."""

    def __init__(self) -> None:
        self._seen_at: datetime | None = None
        self._seen: Outlook | None = None

    def look(self, state: RunState, now: datetime) -> Outlook | None:
        """Return when a run will end; None where nothing is known of that. What is not older than a moment is kept."""
        if self._seen_at is None or (now - self._seen_at).total_seconds() >= LOOK_SECONDS:
            learnt = state.plan.learnt if state.plan else None
            self._seen_at, self._seen = now, foresee(state, learnt and learnt.basis, now)
        return self._seen


def late_tasks(state: RunState) -> tuple[str, ...]:
    """Return the tasks at work that were reported to be late, the longest at work first (V1)."""
    late = {task for one in state.exceptions if one.trigger is Trigger.LATE for task in one.tasks}
    return tuple(name.task_id for name in state.at_work if name.kind is StepKind.TASK and name.task_id in late)


def breaker_notes(state: RunState) -> tuple[str, ...]:
    """Say of each breaker that is not as it should be what it does."""
    last: Mapping[str, BreakerNews] = {news.name: news for news in state.breakers}
    return tuple(news.message for news in last.values() if news.turn not in _WELL)


def _tasks(state: RunState, phase: str) -> set[StepName]:
    return {name for name in (*state.latest, *state.at_work) if name.phase == phase and name.kind is StepKind.TASK}


def _tally(state: RunState, names: Iterable[StepName], expected: int) -> Tally:
    done = failed = waiting = at_work = kept = 0
    for name in names:
        step = state.latest.get(name)
        if name in state.at_work and (step is None or not step.handoff.done):
            at_work += 1
        elif step is not None and step.handoff.done:
            done += 1
            kept += bool(step.handoff.kept_from)
        elif step is not None and step.handoff.waits:
            waiting += 1
        elif step is not None:
            failed += 1
    return Tally(expected=expected, done=done, failed=failed, waiting=waiting, at_work=at_work, kept=kept)


def _ended_tasks(state: RunState, phase: str) -> list[StepRecord]:
    return [step for name, step in state.latest.items() if name.phase == phase and name.kind is StepKind.TASK]


def _was_before(step: StepRecord, stands: PhaseState | None) -> bool:
    return stands is not None and step.finished < stands.taken_up
