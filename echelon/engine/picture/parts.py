"""What is known of one thing that is shown, a step or a part of a phase, and the state it is in. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from echelon.engine.picture.placing import Spot
from echelon.engine.picture.strokes import DrawnState, StateKind
from echelon.model.phrasing import count
from echelon.model.run import StepKind, StepRecord
from echelon.runlog.draft import step_name
from echelon.runlog.losses import missing_of
from echelon.runlog.standing import StepName

#: What is said of work that was cut off.
STOPPED = "the run was stopped"

#: A part is taken for done when everybody in it has been for so long: the integration of it begins at once, if there
#: is one, and no event says that there is none.
GRACE = timedelta(seconds=2)


@dataclass
class StepPart:
    """One step."""

    name: StepName
    """Which."""
    node: str
    """Who does it."""
    spot: Spot
    """Where it is shown."""
    started: datetime
    """When the present try began."""
    record: StepRecord | None = None
    """How it ended; None while it is at work, or when it was cut off."""
    cut_at: datetime | None = None
    """When it was cut off."""

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return max(1, self.record.handoff.attempts) if self.record else 1

    def state(self) -> DrawnState:
        """Return where it stands."""
        if self.record is not None:
            handoff, at = self.record.handoff, self.record.finished
            if handoff.error is None:
                return DrawnState(kind=StateKind.COMPLETED, at=at, message=handoff.summary)
            return DrawnState(kind=StateKind.FAILED, at=at, message=handoff.error.message)
        if self.cut_at is not None:
            return DrawnState(kind=StateKind.CRASHED, at=max(self.cut_at, self.started), message=STOPPED)
        return DrawnState(kind=StateKind.RUNNING, at=self.started)


@dataclass
class Part:
    """The steps of a domain or a team in one phase."""

    phase: str
    """The phase."""
    node: str
    """The domain or the team."""
    domain: str
    """The domain that it is, or lies in; empty for a team that reports to the primary."""
    since: datetime
    """When the present stretch of work began."""
    planned: frozenset[str] = frozenset()
    """Tasks that belong to it."""
    working: dict[StepName, datetime] = field(default_factory=dict[StepName, datetime])
    """Steps at work, with when they began."""
    ended: dict[StepName, StepRecord] = field(default_factory=dict[StepName, StepRecord])
    """The last record of each step that ended."""
    over: bool = False
    """Has its phase ended?"""
    cut_at: datetime | None = None
    """When the run was stopped, while this was not done."""
    was_cut: bool = False
    """Was somebody at work then?"""
    is_closed: bool = False
    """Was it done when it was last looked at?"""

    @property
    def is_domain(self) -> bool:
        """Is it shown as a flow run? Else as a task run."""
        return self.node == self.domain

    def begin(self, name: StepName, at: datetime) -> None:
        """Take note that somebody is at work."""
        if self.is_closed:
            self.since, self.is_closed = at, False
        self.cut_at, self.was_cut = None, False
        self.working[name] = at

    def end(self, record: StepRecord) -> None:
        """Take note that a step ended."""
        self.working.pop(step_name(record), None)
        self.ended[step_name(record)] = record

    def cut(self, at: datetime) -> None:
        """Take note that nobody works on the run any more."""
        if not self.is_closed:
            self.cut_at, self.was_cut = at, bool(self.working)
            self.working.clear()

    def look(self, until: datetime) -> DrawnState:
        """Return where it stands at a time at which all events up to then are known."""
        state = self._state(until)
        self.is_closed = state.ended
        return state

    @property
    def may_end(self) -> bool:
        """Could it be done without another event?"""
        return not self.is_closed and not self.working and not self._is_unfinished

    @property
    def _is_unfinished(self) -> bool:
        return not self.planned <= {name.task_id for name in self.ended if name.kind is StepKind.TASK}

    def _state(self, until: datetime) -> DrawnState:
        if self.working:
            return DrawnState(kind=StateKind.RUNNING, at=self.since)
        if self.cut_at is not None and (self.was_cut or (self._is_unfinished and not self.over)):
            return DrawnState(kind=StateKind.CRASHED, at=max(self.cut_at, self.since), message=STOPPED)
        if not self.over and self.cut_at is None and (self._is_unfinished or until - self._last_end < GRACE):
            return DrawnState(kind=StateKind.RUNNING, at=self.since)
        return self._result()

    @property
    def _last_end(self) -> datetime:
        return max((record.finished for record in self.ended.values()), default=self.since)

    def _result(self) -> DrawnState:
        """Return what came of it: handoffs that nothing in it integrated are passed on."""
        done = [record.handoff for record in self.ended.values() if record.handoff.done]
        lost = [missing_of(record.handoff).reason for record in self.ended.values() if not record.handoff.done]
        lost += ["no handoff was recorded"] * len(self.planned - {name.task_id for name in self.ended})
        integrated = {
            used.task_id
            for record in self.ended.values()
            if record.kind is StepKind.INTEGRATION and record.handoff.done
            for used in record.handoff.dependencies
        }
        found_out = {name.task_id for name in self.ended if name.kind in (StepKind.CHECK, StepKind.PLANNING)}
        passed = [handoff for handoff in done if handoff.task_id not in integrated | found_out]
        at = self._last_end
        if not lost:
            message = f"{count(len(passed), 'handoff')} passed on"
            return DrawnState(kind=StateKind.COMPLETED, at=at, message=message)
        message = f"{len(lost)} missing, the first: {lost[0]}"
        if passed:
            return DrawnState(kind=StateKind.COMPLETED, at=at, message=message, name="Partial")
        return DrawnState(kind=StateKind.FAILED, at=at, message=message)
