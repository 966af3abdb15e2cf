"""How long steps waited before they began, and for what: a limit, a person, or whoever coordinates (M8, M9). Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from echelon.model.costs.account import CostKind
from echelon.model.integration import task_checked
from echelon.model.oversight.gate import GateRecord
from echelon.model.run import StepKind, StepRecord
from echelon.model.session import seconds_without
from echelon.runlog.costs.purposes import is_echo
from echelon.runlog.draft import step_name
from echelon.runlog.events import Waited
from echelon.runlog.standing import CutOff
from echelon.runlog.state import RunState


class Wait(NamedTuple):
    """A time in which a step could have begun as far as its inputs go, and had not."""

    step: StepRecord
    """The step."""
    ready: datetime
    """When it had everything it needed."""
    kind: CostKind
    """What it waited for, where neither a limit nor a gate is on record."""


class _Moments:
    """Moments by what happened then, to be asked for the last one up to another."""

    def __init__(self) -> None:
        self._all: dict[Hashable, list[datetime]] = defaultdict(list)
        self._sorted = True

    def add(self, what: Hashable, at: datetime) -> None:
        self._all[what].append(at)
        self._sorted = False

    def last(self, what: Hashable, upto: datetime) -> datetime | None:
        if not self._sorted:
            for moments in self._all.values():
                moments.sort()
            self._sorted = True
        moments = self._all.get(what, ())
        place = bisect_right(moments, upto)
        return moments[place - 1] if place else None


class ReadyTimes:
    """When steps had everything they needed, as far as the log says it."""

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._made, self._busy, self._checked = _Moments(), _Moments(), _Moments()
        self._tried, self._cut = _Moments(), _Moments()
        self._handoffs = {(step_name(step), step.finished): step.handoff for step in state.steps}
        for step in state.steps:
            self._learn(step)
        for lost in state.cut_off:
            self._cut.add(lost.name, lost.until)

    def _learn(self, step: StepRecord) -> None:
        handoff = step.handoff
        self._made.add((handoff.task_id, handoff.version), step.finished)
        if step.kind is StepKind.CHECK:
            self._checked.add(task_checked(handoff.task_id), step.finished)
        if step.kind is StepKind.TASK and not is_echo(step):
            self._busy.add(step.node, step.finished)
        self._tried.add((step_name(step), step.replica), step.finished)

    def waits(self) -> Iterator[Wait]:
        """Yield the waits of all steps that took anything, and of which it is known when they could have begun."""
        for step in self._state.steps:
            if not is_echo(step):
                wait = self._wait(step)
                if wait is not None:
                    yield wait

    def _wait(self, step: StepRecord) -> Wait | None:
        name, began = step_name(step), step.started
        tried = self._tried.last((name, step.replica), began)
        # An agent that is at its other tasks waits for nobody.
        busy = self._busy.last(step.node, began) if step.kind is StepKind.TASK else None
        checked = self._checked.last(step.handoff.task_id, began) if step.round > 1 else None
        known = (*self._given(step), tried, self._cut.last(name, began), busy, checked)
        ready = max((moment for moment in known if moment is not None), default=None)
        if ready is None:
            return None
        before = self._handoffs.get((name, tried)) if tried is not None and ready == tried else None
        if before is None or before.done:
            return Wait(step, ready, CostKind.COORDINATOR)
        held = CostKind.LIMIT if before.waits else CostKind.UNKNOWN  # who had it done again, and why so late?
        return Wait(step, ready, CostKind.PERSON if before.waits_for_person else held)

    def _given(self, step: StepRecord) -> Iterator[datetime | None]:
        """Yield when what it used was there; of what uses nothing when its phase began."""
        used = [self._made.last((one.task_id, one.version), step.started) for one in step.handoff.dependencies]
        yield from used
        phase = self._state.phases.get(step.phase)
        if phase is not None and not any(used):
            yield next((at for at in (phase.taken_up, phase.started) if at <= step.started), None)


class Gated(NamedTuple):
    """A time in which a step waited for a person."""

    gate: GateRecord
    began: datetime
    ended: datetime


def gated(state: RunState) -> Iterator[Gated]:
    """Yield when gates were open."""
    for gate in state.gates.values():
        decision = gate.decision
        ended = decision.at if decision else gate.closed_at or state.last_at
        # A gate of a log of before does not say when it was closed: how long that took is not known.
        if ended is not None and ended > gate.at and (not gate.closed or gate.closed_at or decision):
            yield Gated(gate, gate.at, ended)


class WaitParts(NamedTuple):
    """The seconds of one wait, by what it was for."""

    limit: float
    person: float
    rest: float


def parted(wait: Wait, waited: Sequence[Waited], gates: Iterable[Gated], state: RunState) -> WaitParts:
    """Divide a wait; what is neither of a limit nor of a gate is the rest."""
    began = wait.step.started
    whole = seconds_without(wait.ready, began, state.pauses)
    limit = sum(one.seconds for one in waited if one.at <= began)
    person = sum(
        seconds_without(max(one.began, wait.ready), min(one.ended, began), state.pauses)
        for one in gates
        if one.began < began and one.ended > wait.ready
    )
    return WaitParts(limit, person, max(0.0, whole - limit - person))


def cut_seconds(lost: CutOff, state: RunState) -> float:
    """Return how long work went on that ended with its process."""
    return seconds_without(lost.began, max(lost.began, lost.until), state.pauses)
