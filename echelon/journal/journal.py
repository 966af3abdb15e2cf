"""The journal: what happened, kept for good. An append returns when it is durable; a question is asked of the database.

Records, rows and statements are made elsewhere; here they are only put together.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from echelon.journal import operations, queries, rows, sessions
from echelon.journal.database import Database
from echelon.journal.event import EventRecord
from echelon.journal.failpoints import failpoint
from echelon.journal.holder import this_process
from echelon.journal.lease import Lease, held
from echelon.journal.outages import committed, ridden_out
from echelon.journal.writer import GroupWriter, Verdict, Write
from echelon.model.concern import Concern, ConcernRecord, Disposition
from echelon.model.errors import InvalidInput
from echelon.model.exception_report import ExceptionReport
from echelon.model.plan import Plan
from echelon.model.run import RunRecord, RunStatus, StepRecord
from echelon.model.session import Claim, Session
from echelon.settings import DEFAULT_LEASE_SECONDS, Settings

DEFAULT_RUNS = 20

#: Kind of the event that a run leaves when it is at work again.
REOPENED = "run.reopened"

#: Digits and letters that are not mistaken for one another; ten of them hardly ever meet twice (50 bits).
_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID_LENGTH = 10


class Journal:
    """The durable memory of this process, and the common one of all processes with the same settings."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tokens: dict[str, int] = {}
        """By run that this process took: what proves that it may still write."""
        self._writer = GroupWriter(self._commit)

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[Self]:
        """Open the journal, made or brought up to date where needed; leaving the block writes what is queued.

        Raise `JournalError` when it cannot be opened or was written by a newer version, `InvalidInput` for a bad URL.
        """
        database = await Database.open(settings.journal_url)
        journal = cls(database)
        try:
            yield journal
        finally:
            try:
                await journal._writer.close()
            finally:
                await database.close()

    # Writing -----------------------------------------------------------------------------------------------------

    async def start_run(self, record: RunRecord) -> None:
        """Record the beginning of a run; raise `JournalError` when its id is taken."""
        await self._write(operations.start_runs, rows.run_row(record), f"run {record.run_id!r}")

    @asynccontextmanager
    async def holding(self, run_id: str, ttl_seconds: float = DEFAULT_LEASE_SECONDS) -> AsyncIterator[Lease]:
        """Hold a run during the block: no other process can, and what this one writes is refused once one did (F8).

        Raise `RunHeld` while another process holds it, `InvalidInput` when it is unknown; `LeaseLost` takes the place
        of the block's end when the run is taken over in between.
        """
        async with self._database.writing() as connection:
            session = await sessions.take(connection, run_id, this_process(), ttl_seconds)
            failpoint("lease.uncommitted")
        self._tokens[run_id] = session.token
        async with held(Lease(session, ttl_seconds, self._writer.submit)) as lease:
            yield lease

    async def finish_run(
        self, run_id: str, status: RunStatus, finished: datetime | None, report: str | None = None
    ) -> None:
        """Record how a run ended; raise `InvalidInput` when it is unknown."""
        row = {"id": run_id, "status": status.value, "finished": finished and finished.isoformat(), "report": report}
        await self._write(operations.update_runs, row, f"the end of run {run_id!r}", run_id)

    async def reopen_run(self, run_id: str, plan: Plan | None = None) -> RunRecord:
        """Record that a run is at work again, by which plan, and what it was before (F8); return it as it is now.

        The end of a run that was completed stays on record: looking at it again is no work.
        """
        before = await self.run(run_id)
        event = rows.event_row(before.run_id, REOPENED, before.job, _stand(before), datetime.now(UTC).isoformat())
        what = f"that run {before.run_id!r} is at work again"
        row = {"id": before.run_id, "plan": plan.model_dump_json() if plan else None}
        writes = (
            Write(operations.insert_events, event, what, before.run_id),
            Write(operations.reopen_runs, row, what, before.run_id),
        )
        await asyncio.gather(*[self._writer.submit(write) for write in writes])
        return await self.run(before.run_id)

    async def append(self, step: StepRecord) -> None:
        """Record an attempt at a step; it is durable when this returns, and written even if the caller is cancelled.

        Raise `IllegalTransition` when the step is completed already: the first record stays (C2). What failed or was
        blocked may be followed by another attempt; all of them are kept.
        """
        await self._write(
            operations.append_steps, rows.step_row(step), f"step {step.key!r} of {step.node!r}", step.run_id
        )

    async def record_exceptions(self, run_id: str, reports: Sequence[ExceptionReport]) -> None:
        """Record what was pushed upwards (V1)."""
        what = f"an exception of run {run_id!r}"
        writes = [
            Write(operations.insert_exceptions, rows.exception_row(run_id, report), what, run_id) for report in reports
        ]
        await asyncio.gather(*[self._writer.submit(write) for write in writes])

    async def raise_concern(self, run_id: str, source: str, concern: Concern) -> ConcernRecord:
        """Record a concern; from here on only a disposition ends it (O1)."""
        identity = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))
        record = ConcernRecord(id=identity, run_id=run_id, source=source, concern=concern, at=datetime.now(UTC))
        await self._write(operations.insert_concerns, rows.concern_row(record), f"a concern of {source!r}", run_id)
        return record

    async def dispose(self, concern_id: str, disposition: Disposition) -> None:
        """End a concern; raise `InvalidInput` when it is unknown, or ended already: then it says by whom (O1)."""
        row = rows.disposition_row(concern_id, disposition)
        await self._write(operations.insert_dispositions, row, f"the disposition of concern {concern_id!r}")

    async def append_event(self, run_id: str, kind: str, subject: str, payload: dict[str, Any], at: datetime) -> None:
        """Record something that happened and has no table of its own; `payload` is JSON."""
        row = rows.event_row(run_id, kind, subject, payload, at.isoformat())
        await self._write(operations.insert_events, row, f"event {kind!r} of {subject!r}", run_id)

    async def claim(self, claim: Claim) -> None:
        """Record that something is about to be done that cannot be taken back; done only once this returns (F8)."""
        await self._write(
            operations.insert_claims, rows.claim_row(claim), f"a claim of {claim.task_id!r}", claim.run_id
        )

    async def settle(self, claim: Claim) -> None:
        """Record that nothing happened in an attempt that was claimed."""
        row = {"of_run": claim.run_id, "of_step": claim.key, "nth": claim.attempt}
        await self._write(operations.settle_claims, row, f"the end of a claim of {claim.task_id!r}", claim.run_id)

    # Reading -----------------------------------------------------------------------------------------------------

    async def steps(self, run_id: str, phase: str | None = None) -> tuple[StepRecord, ...]:
        """Return all attempts at the steps of a run, or of one phase of it, in the order of their commits."""
        return tuple(rows.step_record(row["record"]) for row in await self._read(queries.steps_of(run_id, phase)))

    async def completed_step(self, key: str, *, run_id: str | None = None) -> StepRecord | None:
        """Return the completed step with this key, of one run or the newest of any; None when there is none (F8)."""
        found = await self._read(queries.completed_step(key, run_id))
        return rows.step_record(found[0]["record"]) if found else None

    async def ended(self, run_id: str, phase: str) -> set[str]:
        """Return the nodes whose step of a phase ended, whatever way: what the barrier of a sync point asks."""
        return {row["node"] for row in await self._read(queries.ended_nodes(run_id, phase))}

    async def runs(self, limit: int = DEFAULT_RUNS) -> tuple[RunRecord, ...]:
        """Return the newest runs, newest first, without their plans."""
        return tuple(rows.run_record(row) for row in await self._read(queries.newest_runs(limit)))

    async def run(self, run_id: str) -> RunRecord:
        """Return a run with its plan, by its id or the beginning of it; raise `InvalidInput` unless that is one run."""
        found = await self._read(queries.runs_like(run_id))
        exact = [row for row in found if row["run_id"] == run_id] or found
        if len(exact) == 1:
            return rows.run_record(exact[0])
        if not found:
            raise InvalidInput(f"there is no run {run_id!r} in the journal; `echelon runs` shows what is there")
        candidates = ", ".join(row["run_id"] for row in found[: queries.MAX_CANDIDATES - 1])
        raise InvalidInput(f"{run_id!r} may mean several runs: {candidates}; give more of the id")

    async def known_run(self, *, run_id: str | None = None, flow_run_id: str | None = None) -> RunRecord | None:
        """Return the run with exactly this id, or that a flow run of Prefect started; None when there is none."""
        query = queries.run_named(run_id) if run_id is not None else queries.run_of_flow_run(flow_run_id or "")
        found = await self._read(query)
        return rows.run_record(found[0]) if found else None

    async def sessions(self, run_id: str) -> tuple[Session, ...]:
        """Return who worked on a run and when, in their order."""
        return tuple(rows.session_record(row) for row in await self._read(queries.sessions_of(run_id)))

    async def claims(self, run_id: str) -> tuple[Claim, ...]:
        """Return what was begun in a run that changes the world outside, in its order."""
        return tuple(rows.claim_record(row) for row in await self._read(queries.claims_of(run_id)))

    async def last_completed(self, job: str, inputs_digest: str, before_run_id: str) -> RunRecord | None:
        """Return the newest completed run of a job on the same inputs before another run; None when there is none."""
        found = await self._read(queries.last_completed_run(job, inputs_digest, before_run_id))
        return rows.run_record(found[0]) if found else None

    async def concerns(self, run_id: str | None = None, *, open_only: bool = False) -> tuple[ConcernRecord, ...]:
        """Return the concerns of a run or of all runs, in the order they were raised (O1)."""
        found = await self._read(queries.concerns(run_id, open_only=open_only))
        return tuple(rows.concern_record(row["record"], row["end"]) for row in found)

    async def exceptions(self, run_id: str) -> tuple[ExceptionReport, ...]:
        """Return what was pushed upwards in a run, in the order it came (V1)."""
        return tuple(rows.exception_report(row["record"]) for row in await self._read(queries.exceptions_of(run_id)))

    async def events(self, run_id: str, kind: str | None = None) -> tuple[EventRecord, ...]:
        """Return the events of a run, or those of one kind, in the order they happened."""
        return tuple(rows.event_record(row) for row in await self._read(queries.events_of(run_id, kind)))

    async def _read(self, query: Select[Any]) -> list[dict[str, Any]]:
        return await ridden_out(lambda: self._rows(query))

    async def _rows(self, query: Select[Any]) -> list[dict[str, Any]]:
        async with self._database.reading() as connection:
            return [row._asdict() for row in await connection.execute(query)]

    async def _write(self, operation: operations.Operation, row: dict[str, Any], what: str, run_id: str = "") -> None:
        await self._writer.submit(Write(operation, row, what, run_id))

    async def _commit(self, batch: Sequence[Write]) -> Sequence[Verdict]:
        async def perform(connection: AsyncConnection) -> Sequence[Verdict]:
            verdicts = await sessions.perform_fenced(connection, batch, self._tokens)
            failpoint("journal.uncommitted")
            return verdicts

        return await committed(self._database, batch, perform)


def _stand(record: RunRecord) -> dict[str, Any]:
    plan = record.plan.digest if record.plan else None
    return {
        "status": record.status.value,
        "finished": record.finished and record.finished.isoformat(),
        "plan": plan,
    }
