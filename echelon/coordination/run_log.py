"""The log of one run as its process sees it: what it appends, and the state that follows from that."""

from collections.abc import Sequence

from echelon.journal.port import Journal
from echelon.model.exception_report import ExceptionReport
from echelon.model.oversight.channel import NotifyChannel
from echelon.model.run import StepRecord
from echelon.oversight.ledger import NOTHING_EARLIER, EarlierConcerns
from echelon.oversight.notify.queueing import with_notices
from echelon.runlog.draft import step_name
from echelon.runlog.events import ExceptionPushed, LoggedEvent, RunEvent
from echelon.runlog.judging.autonomy import NOTHING_KNOWN, KnownAgents
from echelon.runlog.state import RunState


class RunLog:
    """Appends the events of one run, and folds them once they are durable: nothing is known before it is on record.

    What people have to know goes into the outbox in the same transaction, for each of `channels` (O8): whoever appends
    it can neither forget nor hold back who is told of it.
    """

    def __init__(
        self,
        journal: Journal,
        run_id: str,
        earlier: Sequence[LoggedEvent] = (),
        earlier_concerns: EarlierConcerns = NOTHING_EARLIER,
        channels: Sequence[NotifyChannel] = (),
        known_agents: KnownAgents = NOTHING_KNOWN,
    ) -> None:
        self.journal = journal
        #: What earlier runs of the job know of its agents (X11).
        self.known_agents = known_agents
        #: What earlier runs of the job say of what is raised in this one (O7, O9).
        self.earlier_concerns = earlier_concerns
        self.run_id = run_id
        self.channels = channels
        self._state = RunState()
        self._seq = 0
        self._unfolded: list[LoggedEvent] = list(earlier)
        self._has_gap = False

    async def append(self, *events: RunEvent) -> None:
        """Append events, all or none; they are durable, and in the state, when this returns."""
        await self.journal.append(*with_notices(events, self.channels))

    def enqueue(self, *events: RunEvent) -> None:
        """Append events without waiting: they are durable before whatever is appended next."""
        self.journal.enqueue(*with_notices(events, self.channels))

    async def push(self, report: ExceptionReport) -> None:
        """Report something upwards (V1)."""
        await self.append(self.pushed(report))

    def pushed(self, report: ExceptionReport) -> ExceptionPushed:
        """Return the event that reports something upwards."""
        return ExceptionPushed(run_id=self.run_id, at=report.at, report=report)

    def waits_still(self, step: StepRecord) -> bool:
        """Say whether a step that ends now waits for just what it is on record to wait for: that was reported (F6)."""
        before, now = self.state.latest.get(step_name(step)), step.handoff
        if before is None or now.error is None or before.handoff.error is None:
            return False
        return now.waits and before.handoff.waits and now.error.message == before.handoff.error.message

    def watch(self, committed: Sequence[LoggedEvent]) -> None:
        """Take what this process has made durable; the journal calls this."""
        self._unfolded.extend(committed)

    @property
    def state(self) -> RunState:
        """What is known of the run by now; what other processes wrote is known after `refresh`."""
        self._fold()
        return self._state

    @property
    def is_whole(self) -> bool:
        """Is everything known that was on record when this process wrote last?"""
        self._fold()
        return not self._has_gap

    def _fold(self) -> None:
        # What `refresh` has read may be reported after that: nothing is folded twice.
        entries, self._unfolded = [entry for entry in self._unfolded if entry.seq > self._seq], []
        if entries:
            self._has_gap = self._has_gap or entries[0].seq != self._seq + 1 or _skips(entries)
            self._state = self._state.apply(*[entry.event for entry in entries])
            self._seq = entries[-1].seq

    async def refresh(self) -> RunState:
        """Return what is known by everybody: what others wrote is folded in where it stands in the log."""
        while True:
            state, seq, has_gap = self.state, self._seq, self._has_gap
            newer = await self.journal.events(self.run_id, after=0 if has_gap else seq)
            if self._seq == seq:
                break
            # Somebody has looked at the state meanwhile, so that more was folded: what was read is out of date.
        if newer:
            self._state = (RunState() if has_gap else state).apply(*[entry.event for entry in newer])
            self._seq, self._has_gap = newer[-1].seq, False
        return self.state


def _skips(entries: Sequence[LoggedEvent]) -> bool:
    return entries[-1].seq - entries[0].seq != len(entries) - 1
