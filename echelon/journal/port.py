"""The port of durable memory: what happened is appended, and read back in its order, by any process.

Adapters: `SqlJournal` (SQLite, PostgreSQL) and `echelon.testing.MemoryJournal`. One contract suite holds for all.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

from echelon.journal.lease import Lease
from echelon.model.concern import ConcernRecord
from echelon.model.oversight.gate import GateRecord
from echelon.model.run import RunRecord, StepRecord
from echelon.runlog.events import AdjustmentsApplied, AutonomyDecided, LoggedEvent, RunEvent, RunReviewed, RunStarted

Watcher = Callable[[Sequence[LoggedEvent]], None]
"""Gets what this process has just made durable, in the order of the log; returns at once."""


class Journal(Protocol):
    """The log of every run, and the indexes that are kept with it in the same transactions."""

    # Writing -----------------------------------------------------------------------------------------------------

    async def append(self, *events: RunEvent) -> None:
        """Append events of one run, all or none; they are durable when this returns.

        They are written even when the caller is cancelled. Raises `IllegalTransition` behind a completed step (C2),
        `InvalidInput` for an unknown run or concern and for a second disposition (O1), `LeaseLost` when another
        process has taken the run, `JournalError` when nothing can be written, or when the id of the run is taken.
        """
        ...

    def enqueue(self, *events: RunEvent) -> None:
        """Append events without waiting: they become durable with, and before, whatever is appended next.

        What is refused is logged, never raised.
        """
        ...

    def holding(
        self,
        run_id: str,
        ttl_seconds: float = ...,
        *,
        part: str = "",
        under: int | None = None,
        start: RunStarted | None = None,
        force: bool = False,
    ) -> AbstractAsyncContextManager[Lease]:
        """Hold a run, or one part of it, during the block: no other process can (F8).

        What this process writes to the run in the block is refused once another one has taken the run or the part.
        `start` puts a new run on record in the transaction that takes it: it is never seen without its holder.
        `force` takes the run from whoever holds it, dead or alive: what that one writes from then on is refused.
        `part` names a stage of the run, held under the token `under` of the run: a sub-lease, which does not disturb
        who holds the run, and ends with its token. Taking a run appends `RunTaken`; taking a part appends nothing.

        Raises `RunHeld` while another process holds it, `LeaseLost` when `under` is not the newest token of the run (or
        in place of the block's end when it is taken over in between), `InvalidInput` when the run is unknown,
        `JournalError` when `start` begins a run that is on record.
        """
        ...

    async def is_held(self, run_id: str) -> bool:
        """Say whether a process that may be alive holds a run: a dead one's lease ends, or it is seen to be dead."""
        ...

    def watching(self, run_id: str, watcher: Watcher) -> AbstractContextManager[None]:
        """Call `watcher` with what this process appends to a run during the block, once it is durable."""
        ...

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
        """Return the events of a run behind place `after`, of all kinds or some, in the order of the log.

        With `limit` only the first of them.
        """
        ...

    def tail(self, run_id: str, after: int = 0, *, kinds: Sequence[str] = ()) -> AsyncGenerator[Sequence[LoggedEvent]]:
        """Give the events of a run behind place `after` as they become durable, whichever process writes them.

        All kinds or some; a bounded number at a time.
        Never ends by itself: who has seen enough (`RunEnded`) stops. No event is given twice or left out.
        """
        ...

    # Indexes -----------------------------------------------------------------------------------------------------

    async def steps(self, run_id: str, phase: str | None = None) -> tuple[StepRecord, ...]:
        """Return all attempts at the steps of a run, or of one phase of it, in the order of the log."""
        ...

    async def find_completed_step(self, key: str, *, run_id: str | None = None) -> StepRecord | None:
        """Return the completed step with this key, of one run or the newest of any; None when there is none (F8)."""
        ...

    async def steps_made_from(self, bases: Sequence[str], *, job: str, before_run_id: str) -> tuple[StepRecord, ...]:
        """Return steps of earlier runs of a job that were made from any of these, the newest of each first.

        Of each a few at most, and only those that can be kept; steps that were themselves kept are none of them.
        """
        ...

    async def runs(self, limit: int = ..., *, inside: str | None = None) -> tuple[RunRecord, ...]:
        """Return the newest runs, or those begun inside another one, newest first, without their plans."""
        ...

    async def run(self, run_id: str) -> RunRecord:
        """Return a run with its plan, by its id or the beginning of it; raise `InvalidInput` unless that is one run."""
        ...

    async def known_run(self, *, run_id: str | None = None, flow_run_id: str | None = None) -> RunRecord | None:
        """Return the run with exactly this id, or that a flow run of Prefect started; None when there is none."""
        ...

    async def last_completed(self, job: str, inputs_digest: str | None, before_run_id: str | None) -> RunRecord | None:
        """Return the newest completed run of a job on the same inputs before another run; None when there is none.

        Without inputs those of the run do not count, and without a run all are before it.
        """
        ...

    async def concerns(
        self,
        run_id: str | None = None,
        *,
        job: str | None = None,
        open_only: bool = False,
        limit: int | None = None,
    ) -> tuple[ConcernRecord, ...]:
        """Return the concerns of a run, of all runs of a job, or of all, in the order they were raised (O1).

        With a limit, so many of the newest.
        """
        ...

    async def gates(
        self, run_id: str | None = None, *, ids: Sequence[str] = (), open_only: bool = False
    ) -> tuple[GateRecord, ...]:
        """Return the gates of a run, of all runs, or those with these ids, in the order they were raised (O5)."""
        ...

    async def autonomy_decided(
        self, job: str, before_run_id: str | None = None, *, limit: int = ...
    ) -> tuple[AutonomyDecided, ...]:
        """Return what was decided about results in the newest runs of a job, or in those before another run (X11).

        `limit` is how many runs, of those in which anything was decided; the oldest comes first.
        """
        ...

    async def reviews(self, job: str, before_run_id: str | None = None, *, limit: int = ...) -> tuple[RunReviewed, ...]:
        """Return what the newest runs of a job taught, or those before another run; the oldest comes first (X10).

        Of runs that have an output, the last word of each; only these are read, however long their logs are.
        """
        ...

    async def adjustments(self, job: str) -> tuple[AdjustmentsApplied, ...]:
        """Return what was changed of a job behind diagnoses of its runs, and was not taken back, in that order (G)."""
        ...
