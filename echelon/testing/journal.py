"""A journal that forgets: the same promises as the durable one, in memory, without a file and without waiting.

journal = MemoryJournal()
await journal.append(RunStarted(...))

other = journal.beside()        # what another process would see, with leases and fences of its own
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from echelon.journal.admission import MAX_CANDIDATES, Known, admit, choose_run, unknown
from echelon.journal.digest import digest_of
from echelon.journal.feeds import Feeds, Pauses, Place, follow
from echelon.journal.fence import Fences, check_part
from echelon.journal.holder import held_message, is_dead, this_process
from echelon.journal.lease import Lease, hold
from echelon.journal.port import Watcher
from echelon.journal.queries import MAX_AUTONOMY_RUNS, MAX_KEPT_CANDIDATES, MAX_REVIEWED_RUNS, WITH_OUTPUT
from echelon.journal.rows import payloads
from echelon.journal.writer import log_rejection
from echelon.model.concern import ConcernRecord
from echelon.model.errors import EchelonError, LeaseLost, RunHeld
from echelon.model.oversight.gate import GateRecord
from echelon.model.run import RunRecord, StepRecord
from echelon.model.session import Session
from echelon.runlog.changes import record_changes
from echelon.runlog.events import (
    AdjustmentsApplied,
    AdjustmentsReverted,
    AutonomyDecided,
    LoggedEvent,
    RunEvent,
    RunReviewed,
    RunStarted,
    RunTaken,
    StepEnded,
    read_event,
)
from echelon.settings import DEFAULT_LEASE_SECONDS

#: Everybody who writes rings; it is looked for now and then all the same.
_POLLS = Pauses(first_seconds=1.0, longest_seconds=1.0)


@dataclass
class _Held:
    """A session, and when its lease ends by the monotonic clock."""

    session: Session
    expires: float


@dataclass
class _Memory:
    """What is on record; shared by all who stand beside one another."""

    known: Known = field(default_factory=Known)
    logs: dict[str, list[LoggedEvent]] = field(default_factory=dict[str, list[LoggedEvent]])
    runs: dict[str, RunRecord] = field(default_factory=dict[str, RunRecord])
    steps: list[StepRecord] = field(default_factory=list[StepRecord])
    sessions: dict[tuple[str, str], list[_Held]] = field(default_factory=dict[tuple[str, str], list[_Held]])
    feeds: list[Feeds] = field(default_factory=list[Feeds])

    def write(self, run_id: str, events: Sequence[RunEvent]) -> list[Place]:
        """Write a unit that was admitted."""
        written = self.logs.setdefault(run_id, [])
        places: list[Place] = []
        for event, payload in zip(events, payloads(events), strict=True):
            written.append(LoggedEvent(seq=len(written) + 1, event=read_event(payload)))
            places.append(Place(run_id, len(written), event))
            self._index(written[-1].event)
        return places

    def token(self, run_id: str) -> int:
        """Return the newest token of a run."""
        return len(self.sessions.get((run_id, ""), ()))

    def parts(self, run_id: str) -> dict[str, int]:
        """Return the newest token of each part of a run."""
        return {part: len(held) for (run, part), held in self.sessions.items() if run == run_id and part}

    def of_run(self, run_id: str) -> list[_Held]:
        """Return all sessions of a run and of its parts."""
        return [held for (run, _), sessions in self.sessions.items() if run == run_id for held in sessions]

    def _index(self, event: RunEvent) -> None:
        if isinstance(event, RunStarted):
            self.runs[event.run_id] = event.record
        elif isinstance(event, StepEnded):
            self.steps.append(event.record)
        elif changes := record_changes(event):
            self.runs[event.run_id] = self.runs[event.run_id].model_copy(update=changes)


class MemoryJournal:
    """A journal in memory; see `echelon.journal.port` for what it promises."""

    def __init__(self, memory: _Memory | None = None) -> None:
        self._memory = memory or _Memory()
        self._fences = Fences()
        self._feeds = Feeds()
        self._memory.feeds.append(self._feeds)

    def beside(self) -> "MemoryJournal":
        """Return a journal with the same memory, as another process has it."""
        return MemoryJournal(self._memory)

    # Writing -----------------------------------------------------------------------------------------------------

    async def append(self, *events: RunEvent) -> None:
        """Append events of one run, all or none."""
        if events:
            self._write(events)
        await asyncio.sleep(0)  # whoever appends waits, if only for a moment

    def enqueue(self, *events: RunEvent) -> None:
        """Append events without waiting; what is refused is logged."""
        try:
            if events:
                self._write(events)
        except EchelonError as refused:
            log_rejection(f"event {events[0].kind!r} of run {events[0].run_id!r}", refused)

    @asynccontextmanager
    async def holding(
        self,
        run_id: str,
        ttl_seconds: float = DEFAULT_LEASE_SECONDS,
        *,
        part: str = "",
        under: int | None = None,
        start: RunStarted | None = None,
        force: bool = False,
    ) -> AsyncGenerator[Lease]:
        """Hold a run, or one part of it, during the block."""
        check_part(part, under)
        if start is not None:
            self._write((start,))
        session = self._take(run_id, part, under or 0, ttl_seconds, force=force)
        async with hold(Lease(session, ttl_seconds, self)) as lease:
            yield lease

    async def is_held(self, run_id: str) -> bool:
        """Say whether a process that may be alive holds a run."""
        return any(map(_is_live, self._memory.sessions.get((run_id, ""), ())))

    def watching(self, run_id: str, watcher: Watcher) -> AbstractContextManager[None]:
        """Call `watcher` with what this journal appends to a run during the block."""
        return self._feeds.watching(run_id, watcher)

    async def keep(self, session: Session, ttl_seconds: float) -> None:
        """Renew a lease."""
        self._prove(session.run_id)
        held = self._held(session)
        held.expires = time.monotonic() + ttl_seconds
        held.session = held.session.model_copy(update={"seen": datetime.now(UTC)})

    async def give_back(self, session: Session, *last: RunEvent) -> None:
        """Append the last events of a session and end it."""
        self._prove(session.run_id)
        if last:
            self._write(last)
        held, now = self._held(session), datetime.now(UTC)
        held.session = held.session.model_copy(update={"seen": now, "ended": now})
        self._fences.remove(session)

    # The log -----------------------------------------------------------------------------------------------------

    async def events(
        self,
        run_id: str,
        *,
        after: int = 0,
        kinds: Sequence[str] = (),
        subject: str | None = None,
        limit: int | None = None,
    ) -> tuple[LoggedEvent, ...]:
        """Return the events of a run behind place `after`, of all kinds or some, in the order of the log."""
        found = (
            logged
            for logged in self._memory.logs.get(run_id, ())[after:]
            if (not kinds or logged.event.kind in kinds) and subject in (None, logged.event.subject)
        )
        return tuple(islice(found, limit))

    async def tail(
        self, run_id: str, after: int = 0, *, kinds: Sequence[str] = ()
    ) -> AsyncGenerator[Sequence[LoggedEvent]]:
        """Give the events of a run behind place `after` as they are written, whoever writes them."""

        async def read(behind: int) -> Sequence[LoggedEvent]:
            return await self.events(run_id, after=behind, kinds=kinds)

        with self._feeds.ringing(run_id) as bell:
            async for found in follow(read, after, bell, _POLLS):
                yield found

    # Indexes -----------------------------------------------------------------------------------------------------

    async def steps(self, run_id: str, phase: str | None = None) -> tuple[StepRecord, ...]:
        """Return all attempts at the steps of a run, or of one phase of it, in the order of the log."""
        return tuple(step for step in self._memory.steps if step.run_id == run_id and phase in (None, step.phase))

    async def find_completed_step(self, key: str, *, run_id: str | None = None) -> StepRecord | None:
        """Return the completed step with this key, of one run or the newest of any; None when there is none."""
        done = [step for step in self._memory.steps if step.key == key and step.handoff.done]
        order = list(self._memory.runs)
        found = [step for step in done if run_id in (None, step.run_id)]
        return max(found, key=lambda step: order.index(step.run_id), default=None)

    async def steps_made_from(self, bases: Sequence[str], *, job: str, before_run_id: str) -> tuple[StepRecord, ...]:
        """Return steps of earlier runs of a job that were made from any of these, the newest of each first."""
        order = list(self._memory.runs)
        before = order[: order.index(before_run_id)] if before_run_id in order else []
        earlier = {run_id: place for place, run_id in enumerate(before) if self._memory.runs[run_id].job == job}
        found = [one for one in self._memory.steps if one.run_id in earlier and one.basis in bases and one.can_be_kept]
        oldest_first = sorted(found, key=lambda one: earlier[one.run_id])
        by_basis = {basis: [one for one in oldest_first if one.basis == basis] for basis in dict.fromkeys(bases)}
        return tuple(one for same in by_basis.values() for one in same[: -MAX_KEPT_CANDIDATES - 1 : -1])

    async def runs(self, limit: int = 20, *, inside: str | None = None) -> tuple[RunRecord, ...]:
        """Return the newest runs, or those begun inside another one, newest first, without their plans."""
        newest = [run for run in reversed(self._memory.runs.values()) if inside in (None, run.parent_run_id)]
        return tuple(record.model_copy(update={"plan": None}) for record in newest[:limit])

    async def run(self, run_id: str) -> RunRecord:
        """Return a run with its plan, by its id or the beginning of it; raise `InvalidInput` unless that is one run."""
        found = sorted(known for known in self._memory.runs if known.startswith(run_id))
        return self._memory.runs[choose_run(run_id, found[:MAX_CANDIDATES])]

    async def known_run(self, *, run_id: str | None = None, flow_run_id: str | None = None) -> RunRecord | None:
        """Return the run with exactly this id, or that a flow run of Prefect started; None when there is none."""
        if run_id is not None:
            return self._memory.runs.get(run_id)
        return _newest(run for run in self._memory.runs.values() if run.flow_run_id == flow_run_id)

    async def last_completed(self, job: str, inputs_digest: str | None, before_run_id: str | None) -> RunRecord | None:
        """Return the newest completed run of a job on the same inputs before another run; None when there is none.

        Without inputs those of the run do not count, and without a run all are before it.
        """
        order = list(self._memory.runs)
        if before_run_id is None:
            before = order
        else:
            before = order[: order.index(before_run_id)] if before_run_id in order else []
        earlier = [self._memory.runs[run_id] for run_id in before]
        return _newest(
            run
            for run in earlier
            if run.job == job and run.status in WITH_OUTPUT and inputs_digest in (None, digest_of(run.inputs))
        )

    async def gates(
        self, run_id: str | None = None, *, ids: Sequence[str] = (), open_only: bool = False
    ) -> tuple[GateRecord, ...]:
        """Return the gates of a run, of all runs, or those with these ids, in the order they were raised (O5)."""
        known = self._memory.known.gates
        found = [known[one] for one in ids if one in known] if ids else list(known.values())
        return tuple(one for one in found if run_id in (None, one.run_id) and (one.is_open or not open_only))

    async def autonomy_decided(
        self, job: str, before_run_id: str | None = None, *, limit: int = MAX_AUTONOMY_RUNS
    ) -> tuple[AutonomyDecided, ...]:
        """Return what was decided about results in the newest runs of a job, or in those before another run (X11)."""
        order = list(self._memory.runs)
        before = order if before_run_id is None else order[: order.index(before_run_id)]
        of_job = [run_id for run_id in before if self._memory.runs[run_id].job == job]
        found = {
            run_id: [one.event for one in self._memory.logs[run_id] if isinstance(one.event, AutonomyDecided)]
            for run_id in of_job
        }
        newest = [events for events in found.values() if events][-limit:]
        return tuple(event for events in newest for event in events)

    async def reviews(
        self, job: str, before_run_id: str | None = None, *, limit: int = MAX_REVIEWED_RUNS
    ) -> tuple[RunReviewed, ...]:
        """Return what the newest runs of a job taught, or those before another run; the oldest comes first (X10)."""
        order, runs = list(self._memory.runs), self._memory.runs
        before = (
            order if before_run_id is None else order[: order.index(before_run_id)] if before_run_id in order else []
        )
        found = [
            [one.event for one in self._memory.logs[run_id] if isinstance(one.event, RunReviewed)][-1:]
            for run_id in before
            if runs[run_id].job == job and runs[run_id].status in WITH_OUTPUT
        ]
        return tuple(event for last in [one for one in found if one][-limit:] for event in last)

    async def adjustments(self, job: str) -> tuple[AdjustmentsApplied, ...]:
        """Return what was changed of a job behind diagnoses of its runs, and was not taken back, in that order (G)."""
        either = AdjustmentsApplied | AdjustmentsReverted
        logs = (self._memory.logs[run_id] for run_id, record in self._memory.runs.items() if record.job == job)
        last = [said[-1] for log in logs if (said := [one.event for one in log if isinstance(one.event, either)])]
        return tuple(one for one in sorted(last, key=lambda one: one.at) if isinstance(one, AdjustmentsApplied))

    async def concerns(
        self,
        run_id: str | None = None,
        *,
        job: str | None = None,
        open_only: bool = False,
        limit: int | None = None,
    ) -> tuple[ConcernRecord, ...]:
        """Return the concerns of a run, of all runs of a job, or of all, in the order they were raised."""
        runs = self._memory.runs
        found = tuple(
            record
            for record in self._memory.known.concerns.values()
            if run_id in (None, record.run_id) and job in (None, runs[record.run_id].job)
            if record.is_open or not open_only
        )
        return found if limit is None else found[max(len(found) - limit, 0) :]

    # -------------------------------------------------------------------------------------------------------------

    def _write(self, events: Sequence[RunEvent]) -> None:
        run_id = events[0].run_id
        payloads(events)  # what is no JSON is refused before anything is written
        self._prove(run_id)
        rejection = admit(run_id, events, self._memory.known)
        if rejection is not None:
            raise rejection
        self._publish(run_id, self._memory.write(run_id, events))

    def _publish(self, run_id: str, places: Sequence[Place]) -> None:
        self._feeds.publish(places)
        for feeds in self._memory.feeds:
            feeds.ring(run_id)

    def _prove(self, run_id: str) -> None:
        fence = self._fences.among([run_id]).get(run_id)
        if fence is not None and not fence.stands(self._memory.token(run_id), self._memory.parts(run_id)):
            raise LeaseLost(run_id)

    def _take(self, run_id: str, part: str, under: int, ttl_seconds: float, *, force: bool) -> Session:
        memory, holder, now = self._memory, this_process(), datetime.now(UTC)
        if run_id not in memory.runs:
            raise unknown("run", run_id, "echelon runs")
        if part and under != memory.token(run_id):
            raise LeaseLost(run_id)
        before = memory.sessions.setdefault((run_id, part), [])
        for held in before:
            if _is_live(held) and not force:
                raise RunHeld(held_message(held.session, held.expires - time.monotonic()))
        signs = [held.session.ended or held.session.seen for held in memory.of_run(run_id)]
        for held in before if part else memory.of_run(run_id):
            held.session = held.session.model_copy(update={"ended": held.session.ended or held.session.seen})
        session = Session(
            run_id=run_id, part=part, under=under, token=len(before) + 1, began=now, seen=now, **vars(holder)
        )
        before.append(_Held(session, time.monotonic() + ttl_seconds))
        self._fences.add(session)
        if not part:
            self._publish(run_id, memory.write(run_id, [RunTaken.by(session, max(signs, default=None))]))
        return session

    def expire(self, run_id: str) -> None:
        """End every lease of a run and its parts, as if their processes had not been heard of for long."""
        for held in self._memory.of_run(run_id):
            held.expires = 0.0

    def _held(self, session: Session) -> _Held:
        return self._memory.sessions[session.run_id, session.part][session.token - 1]


def _is_live(held: _Held) -> bool:
    return held.session.ended is None and held.expires > time.monotonic() and not is_dead(held.session)


def _newest(runs: Iterable[RunRecord]) -> RunRecord | None:
    return next(reversed(list(runs)), None)
