"""The journal in a database: SQLite for one machine, PostgreSQL for several. What it promises stands in `port.py`.

Events, rows and statements are made elsewhere; here they are only put together.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from operator import itemgetter
from typing import Self, TypeVar

from sqlalchemy import Connection

from echelon.journal import queries, rows
from echelon.journal.admission import choose_run
from echelon.journal.database import Database
from echelon.journal.failpoints import failpoint
from echelon.journal.feeds import Feeds, follow
from echelon.journal.fence import Fences, check_part
from echelon.journal.holder import this_process
from echelon.journal.lease import Lease, hold
from echelon.journal.listener import Listener
from echelon.journal.outages import commit_once, retry_through_outage
from echelon.journal.port import Watcher
from echelon.journal.private import make_private
from echelon.journal.queries import MAX_AUTONOMY_RUNS, MAX_REVIEWED_RUNS
from echelon.journal.sessions import GiveBack, Keep, Take, is_held
from echelon.journal.standing.adoption import adopt
from echelon.journal.standing.claims import Claim, is_any_uncounted, read_books
from echelon.journal.standing.session import StandingSession
from echelon.journal.transaction import Written, perform
from echelon.journal.writer import MAX_BATCH, GroupWriter, Outcome, Result, Unit, Write, log_rejection
from echelon.model.concern import ConcernRecord
from echelon.model.errors import InvalidInput, JournalError
from echelon.model.oversight.gate import GateRecord
from echelon.model.run import RunRecord, StepRecord
from echelon.model.session import Session
from echelon.model.standing.claim import ClaimTold, StandingBudget, WindowBooks
from echelon.runlog.events import AdjustmentsApplied, AutonomyDecided, LoggedEvent, RunEvent, RunReviewed, RunStarted
from echelon.runlog.gates import gates_of
from echelon.settings import DEFAULT_LEASE_SECONDS, Settings

DEFAULT_RUNS = 20

#: Events that `tail` gives at most at one time.
TAIL_EVENTS = 1000

T = TypeVar("T")


class SqlJournal:
    """The durable memory of this process, and the common one of all processes with the same settings."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._fences = Fences()
        self._feeds = Feeds()
        self._writer = GroupWriter(self._commit)
        self._listener = Listener(database, self._feeds)

    @staticmethod
    async def is_ready(settings: Settings) -> bool:
        """Say whether there is a journal that can be read as it is; nothing is made or changed.

        Raise `JournalError` when that cannot be found out, `InvalidInput` for a bad URL.
        """
        return await Database.is_ready(settings.journal_url)

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncGenerator[Self]:
        """Open the journal, made or brought up to date where needed; leaving the block writes what is queued.

        Raise `JournalError` when it cannot be opened or was written by a newer version, `InvalidInput` for a bad URL.
        """
        make_private(settings.home)
        database = await Database.open(settings.journal_url)
        journal = cls(database)
        try:
            yield journal
        finally:
            try:
                await journal._listener.close()
                await journal._writer.close()
            finally:
                await database.close()

    # Writing -----------------------------------------------------------------------------------------------------

    async def append(self, *events: RunEvent) -> None:
        """Append events of one run, all or none; they are durable when this returns."""
        if events:
            await self._writer.submit(_unit(events))

    def enqueue(self, *events: RunEvent) -> None:
        """Append events without waiting: they become durable with, and before, whatever is appended next."""
        try:
            if events:
                self._writer.enqueue(_unit(events))
        except (InvalidInput, JournalError) as refused:
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
        """Hold a run, or one part of it, during the block: no other process can (F8)."""
        check_part(part, under)
        first = None if start is None else _unit((start,))
        session = await self._take(Take(run_id, part, under or 0, this_process(), ttl_seconds, force, first))
        async with hold(Lease(session, ttl_seconds, self)) as lease:
            yield lease

    async def is_held(self, run_id: str) -> bool:
        """Say whether a process that may be alive holds a run."""
        return await self._database_read(partial(is_held, run_id=run_id))

    def watching(self, run_id: str, watcher: Watcher) -> AbstractContextManager[None]:
        """Call `watcher` with what this process appends to a run during the block, once it is durable."""
        return self._feeds.watching(run_id, watcher)

    async def keep(self, session: Session, ttl_seconds: float) -> None:
        """Renew a lease."""
        await self._writer.submit(Keep(session.run_id, session.part, session.token, ttl_seconds))

    async def give_back(self, session: Session, *last: RunEvent) -> None:
        """Append the last events of a session and end it: what is submitted at one moment is written together."""
        writes = [*([_unit(last)] if last else []), GiveBack(session.run_id, session.part, session.token)]
        await asyncio.gather(*[self._writer.submit(write) for write in writes])
        self._fences.remove(session)

    # Standing budgets --------------------------------------------------------------------------------------------

    def standing(self, session: Session, job: str) -> StandingSession:
        """Return the door through which a session asks the standing budgets of its job (F10)."""
        return StandingSession(session, job, self._claim, self._adopt)

    async def standing_books(self, job: str, budgets: Sequence[StandingBudget]) -> tuple[WindowBooks, ...]:
        """Return what all runs of a job spent and reserve of standing budgets, in their order (F10)."""
        if await self._database_read(partial(is_any_uncounted, job=job)):
            await self._adopt(job)
        return tuple(await self._database_read(partial(read_books, job=job, budgets=budgets)))

    async def _claim(self, wish: Claim) -> ClaimTold:
        told = await self._writer.submit(wish)
        assert isinstance(told, ClaimTold), "what is claimed is told"
        return told

    async def _adopt(self, job: str) -> None:
        await retry_through_outage(lambda: self._database.write(partial(adopt, job=job)))

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
        query = queries.events_of(run_id, after, kinds, subject).limit(limit)
        return tuple(await self._read(query, rows.logged_event))

    async def tail(
        self, run_id: str, after: int = 0, *, kinds: Sequence[str] = ()
    ) -> AsyncGenerator[Sequence[LoggedEvent]]:
        """Give the events of a run behind place `after` as they become durable, whichever process writes them."""

        async def read(behind: int) -> Sequence[LoggedEvent]:
            query = queries.events_of(run_id, behind, kinds, None).limit(TAIL_EVENTS)
            return await self._read(query, rows.logged_event)

        self._listener.start()
        with self._feeds.ringing(run_id) as bell:
            async for found in follow(read, after, bell, self._database.pauses):
                yield found

    # Indexes -----------------------------------------------------------------------------------------------------

    async def steps(self, run_id: str, phase: str | None = None) -> tuple[StepRecord, ...]:
        """Return all attempts at the steps of a run, or of one phase of it, in the order of the log."""
        return tuple(await self._read(queries.steps_of(run_id, phase), rows.step_record))

    async def find_completed_step(self, key: str, *, run_id: str | None = None) -> StepRecord | None:
        """Return the completed step with this key, of one run or the newest of any; None when there is none (F8)."""
        found = await self._read(queries.find_completed_step(key, run_id), rows.step_record)
        return found[0] if found else None

    async def steps_made_from(self, bases: Sequence[str], *, job: str, before_run_id: str) -> tuple[StepRecord, ...]:
        """Return steps of earlier runs of a job that were made from any of these, the newest of each first."""
        found: list[StepRecord] = []
        for begin in range(0, len(bases), MAX_BATCH):
            query = queries.steps_made_from(bases[begin : begin + MAX_BATCH], job, before_run_id)
            found += await self._read(query, rows.step_record)
        return tuple(step for step in found if step.can_be_kept)

    async def runs(self, limit: int = DEFAULT_RUNS, *, inside: str | None = None) -> tuple[RunRecord, ...]:
        """Return the newest runs, or those begun inside another one, newest first, without their plans."""
        return tuple(await self._read(queries.newest_runs(limit, inside), rows.run_record_or_damage))

    async def run(self, run_id: str) -> RunRecord:
        """Return a run with its plan, by its id or the beginning of it; raise `InvalidInput` unless that is one run."""
        found = await self._read(queries.run_ids_like(run_id), itemgetter("run_id"))
        [record] = await self._runs_with_plan(queries.run_named(choose_run(run_id, found)))
        return record

    async def known_run(self, *, run_id: str | None = None, flow_run_id: str | None = None) -> RunRecord | None:
        """Return the run with exactly this id, or that a flow run of Prefect started; None when there is none."""
        named = queries.run_named(run_id) if run_id is not None else queries.run_of_flow_run(flow_run_id or "")
        return next(iter(await self._runs_with_plan(named)), None)

    async def last_completed(self, job: str, inputs_digest: str | None, before_run_id: str | None) -> RunRecord | None:
        """Return the newest completed run of a job on the same inputs before another run; None when there is none.

        Without inputs those of the run do not count, and without a run all are before it.
        """
        query = queries.last_completed_run(job, inputs_digest, before_run_id)
        return next(iter(await self._runs_with_plan(query)), None)

    async def concerns(
        self,
        run_id: str | None = None,
        *,
        job: str | None = None,
        open_only: bool = False,
        limit: int | None = None,
    ) -> tuple[ConcernRecord, ...]:
        """Return the concerns of a run, of all runs of a job, or of all, in the order they were raised (O1)."""
        read_end = rows.reopening if run_id is not None else rows.reopening_or_none
        read_one = rows.concern_record if run_id is not None else rows.concern_or_none
        ends = await self._read(queries.reopenings(run_id), read_end)
        newest = await self._read(queries.newest_concerns(run_id, job, limit, open_only=open_only), read_one)
        return rows.with_reopenings(reversed([one for one in newest if one]), [end for end in ends if end])

    async def gates(
        self, run_id: str | None = None, *, ids: Sequence[str] = (), open_only: bool = False
    ) -> tuple[GateRecord, ...]:
        """Return the gates of a run, of all runs, or those with these ids, in the order they were raised (O5)."""
        wanted = list(ids) or await self._read(queries.gate_ids(run_id, open_only=open_only), itemgetter("id"))
        found: dict[str, GateRecord] = {}
        for begin in range(0, len(wanted), MAX_BATCH):
            events = await self._read(queries.gate_events(wanted[begin : begin + MAX_BATCH]), rows.event_of)
            found |= gates_of(events)
        return tuple(gate for one in wanted if (gate := found.get(one)) and (gate.is_open or not open_only))

    async def autonomy_decided(
        self, job: str, before_run_id: str | None = None, *, limit: int = MAX_AUTONOMY_RUNS
    ) -> tuple[AutonomyDecided, ...]:
        """Return what was decided about results in the newest runs of a job, or in those before another run (X11)."""
        found = await self._read(queries.autonomy_decided(job, before_run_id, limit), rows.event_of)
        return tuple(event for event in found if isinstance(event, AutonomyDecided))

    async def reviews(
        self, job: str, before_run_id: str | None = None, *, limit: int = MAX_REVIEWED_RUNS
    ) -> tuple[RunReviewed, ...]:
        """Return what the newest runs of a job taught, or those before another run; the oldest comes first (X10)."""
        found = await self._read(queries.reviews(job, before_run_id, limit), rows.event_of)
        return tuple(event for event in reversed(found) if isinstance(event, RunReviewed))

    async def adjustments(self, job: str) -> tuple[AdjustmentsApplied, ...]:
        """Return what was changed of a job behind diagnoses of its runs, and was not taken back, in that order (G)."""
        found = await self._read(queries.adjustments(job), rows.event_of)
        return tuple(event for event in found if isinstance(event, AdjustmentsApplied))

    async def _runs_with_plan(self, query: queries.Query) -> list[RunRecord]:
        return await self._read(queries.with_plan(query), rows.run_record_with_plan)

    async def _read(self, query: queries.Query, made: Callable[[rows.Row], T]) -> list[T]:
        def work(connection: Connection) -> list[T]:
            return [rows.read_row(row, made) for row in connection.execute(query).mappings()]

        return await self._database_read(work)

    async def _database_read(self, work: Callable[[Connection], T]) -> T:
        return await retry_through_outage(lambda: self._database.read(work))

    async def _take(self, wish: Take) -> Session:
        taking = self._writer.submit(wish)
        try:
            session = await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(self._drop)
            raise
        assert isinstance(session, Session), "what was taken is told"
        return session

    def _drop(self, taking: asyncio.Future[Result]) -> None:
        """Give back what was taken for somebody who was cancelled meanwhile."""
        session = None if taking.cancelled() or taking.exception() else taking.result()
        if isinstance(session, Session):
            with contextlib.suppress(JournalError):  # closed: the lease ends by itself
                self._writer.enqueue(GiveBack(session.run_id, session.part, session.token))

    async def _commit(self, batch: Sequence[Write]) -> Sequence[Outcome]:
        fences = self._fences.among({write.run_id for write in batch})

        def write(connection: Connection) -> Written:
            written = perform(connection, batch, fences)
            failpoint("journal.uncommitted")
            return written

        written = await commit_once(self._database, write)
        for session in written.taken:
            self._fences.add(session)
        self._feeds.publish(written.places)
        return written.outcomes


def _unit(events: Sequence[RunEvent]) -> Unit:
    return Unit(events[0].run_id, events, rows.payloads(events))
