"""What is said about the runs of a served deployment, from what Prefect and the journal know of each. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from echelon.model.run import RunRecord, RunStatus
from echelon.model.views.rest import Waiting

#: A run without a record, in the hands of nobody that is known, has died when nothing happened to it for so long.
SILENCE = timedelta(seconds=60)

#: How Prefect says that a run was due while another one was at work.
LIMIT_REACHED = "concurrency limit reached"

#: How Prefect says that who served a run has stopped while its process was there.
SERVING_STOPPED = "runner is shutting down"


class RunStage(StrEnum):
    """How far a run of a deployment has come."""

    BEGUN = "begun"  #: it is at work
    ENDED = "ended"  #: its end is on record
    NOT_BEGUN = "not begun"  #: Prefect ended it before there was anything on record
    LEFT_OUT = "left out"  #: it was due while another one was at work


@dataclass(frozen=True, kw_only=True)
class ServedRun:
    """One flow run of the deployment, and the run that it started."""

    flow_run_id: str
    """In Prefect."""
    name: str
    """What Prefect calls it."""
    due: datetime | None
    """When it was to begin, in UTC."""
    state: str
    """Name of its state in Prefect."""
    is_final: bool
    """Has it ended in Prefect?"""
    since: datetime
    """When it came to that state, in UTC."""
    message: str = ""
    """What Prefect says of the state."""
    record: RunRecord | None = None
    """The run in the journal; None before it is on record."""
    held: bool = False
    """Does a process that may be alive hold the run?"""
    resumes: bool = False
    """Does it go on with a run that another flow run began (F10)?"""
    suspended: bool = False
    """Does it ask in Prefect, without a process, until somebody has answered (O8)?"""
    was_cut_short: bool = False
    """Did Prefect end it for a reason that has nothing to do with its run?"""
    waiting: Waiting | None = None
    """What its run waits for; None where it does not wait."""
    until: datetime | None = None
    """When its run goes on by itself, in UTC; None where it does not wait for that (F10)."""

    @property
    def stage(self) -> RunStage | None:
        """How far it has come; None while it waits to begin."""
        waits = self.record is not None and self.record.status is RunStatus.WAITING
        if waits and self.resumes and not self.has_worked and not self.suspended:
            return None
        if self.record is not None:
            return RunStage.BEGUN if self.record.status is RunStatus.RUNNING else RunStage.ENDED
        if not self.is_final:
            return None
        return RunStage.LEFT_OUT if LIMIT_REACHED in self.message else RunStage.NOT_BEGUN

    @property
    def needs_care(self) -> bool:
        """Is nobody at work in it, although its run has not ended? Somebody else has to look what is to be done."""
        waits = self.record is not None and self.record.status is RunStatus.WAITING
        return (self.suspended and self.record is not None) or (self.was_cut_short and waits)

    @property
    def has_worked(self) -> bool:
        """Has its process come to an end by itself? One that was ended before, or is due, has not."""
        return self.is_final and self.state != "Cancelled"

    @property
    def died(self) -> bool:
        """Does the journal say that it is at work, and no process can be?"""
        return self.stage is RunStage.BEGUN and not self.held

    def is_stale(self, now: datetime) -> bool:
        """Say whether Prefect waits for a process that is no more: what it was to run has ended, or never began."""
        return not self.is_final and not self.suspended and not self.held and now - self.since > SILENCE


def newest_of_each(runs: Iterable[ServedRun]) -> list[ServedRun]:
    """Return for each run the last of the flow runs that were at work on it, in their order; all without a record."""
    newest: dict[str, ServedRun] = {}
    for run in runs:
        name = run.record.run_id if run.record else run.flow_run_id
        newest.pop(name, None)
        newest[name] = run
    return list(newest.values())


class RunNews:
    """Finds what has changed since the runs were looked at last; what ended before the first look is no news."""

    def __init__(self, earlier: Iterable[ServedRun]) -> None:
        self._known = {run.flow_run_id: _place(run) for run in earlier if run.is_final}
        self._said_left_out = False

    def of(self, runs: Iterable[ServedRun]) -> list[ServedRun]:
        """Return the runs of which something is to be said, in their order; runs left out are said once in a row."""
        return [run for run in runs if self._is_new(run)]

    def _is_new(self, run: ServedRun) -> bool:
        if run.stage is None or self._known.get(run.flow_run_id) == _place(run):
            return False
        self._known[run.flow_run_id] = _place(run)
        repeats = run.stage is RunStage.LEFT_OUT and self._said_left_out
        self._said_left_out = run.stage is RunStage.LEFT_OUT
        return not repeats


def _place(run: ServedRun) -> tuple[RunStage | None, datetime | None]:
    return run.stage, run.record.finished if run.record else None
