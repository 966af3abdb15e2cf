"""Group commit: everything that waits to be written goes into one transaction; who waits is told when it is durable.

How it is written is not this file's business: `commit` writes a batch of units and says what came of each.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from echelon.journal.admission import Rejection
from echelon.journal.failpoints import failpoint
from echelon.model.errors import JournalError
from echelon.model.session import Session
from echelon.model.standing.claim import ClaimTold
from echelon.runlog.events import RunEvent

log = logging.getLogger("echelon.journal")

#: Events that bound one transaction, and the number of parameters of its queries; a unit is never cut.
MAX_BATCH = 1000

#: What nobody waits for comes along with what is appended next, or is written by itself after so long: half of the
#: transactions of a run would be for nothing else.
LINGER_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Unit:
    """What is written as a whole or not at all: events of one run."""

    run_id: str
    """The run."""
    events: Sequence[RunEvent]
    """What happened."""
    payloads: Sequence[str]
    """The same as JSON."""

    @property
    def size(self) -> int:
        """Events it has."""
        return len(self.events)

    @property
    def what(self) -> str:
        """What it is, for people."""
        first = self.events[0]
        more = f" and {self.size - 1} more" if self.size > 1 else ""
        return f"event {first.kind!r}{f' of {first.subject!r}' if first.subject else ''}{more} of run {self.run_id!r}"


@dataclass(frozen=True, slots=True)
class LeaseChange:
    """What a lease of a run or of one part of it writes."""

    run_id: str
    """The run."""
    part: str
    """The part; empty for the run itself."""

    @property
    def size(self) -> int:
        """It counts as one event."""
        return 1

    @property
    def what(self) -> str:
        """What it is, for people."""
        return f"{self.name} of {f'part {self.part!r} of ' if self.part else ''}run {self.run_id!r}"

    @property
    def name(self) -> str:
        """What is done, for people."""
        return "the lease"


Write = Unit | LeaseChange

Result = Session | ClaimTold | None
"""What came of a write."""

Outcome = Rejection | Result
"""Why something is refused, else what came of it."""

Commit = Callable[[Sequence[Write]], Awaitable[Sequence[Outcome]]]


@dataclass(frozen=True, slots=True)
class _Pending:
    write: Write
    done: asyncio.Future[Result] | None
    """Who waits; None when nobody does."""


class GroupWriter:
    """The one writer of a process. `commit` makes a batch durable and says what it refused; it cannot be cancelled."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._queue: asyncio.Queue[_Pending | None] = asyncio.Queue()
        self._closed = False
        self._hurry = asyncio.Event()
        """Set while somebody waits for something in the queue."""
        self._task = asyncio.create_task(self._run(), name="echelon-journal-writer")

    def submit(self, write: Write) -> asyncio.Future[Result]:
        """Queue a write; the future is done when it is durable, and raises what it was refused for.

        It is written even when nobody waits for it any more.
        """
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._put(_Pending(write, done))
        self._hurry.set()
        return done

    def enqueue(self, write: Write) -> None:
        """Queue a write that nobody waits for: that it was refused is logged."""
        self._put(_Pending(write, None))

    async def close(self) -> None:
        """Write what is queued, then stop."""
        if not self._closed:
            self._closed = True
            self._queue.put_nowait(None)
            self._hurry.set()
        await asyncio.shield(self._task)

    def _put(self, pending: _Pending) -> None:
        if self._closed:
            raise JournalError(
                f"cannot write {pending.write.what}: the journal is closed; write before leaving its block"
            )
        self._queue.put_nowait(pending)

    async def _next(self) -> _Pending | None:
        """Wait for something to write; a loop that is being shut down cancels everybody, but only `close` ends this."""
        while True:
            try:
                first = await self._queue.get()
            except asyncio.CancelledError:
                continue
            with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                async with asyncio.timeout(LINGER_SECONDS):
                    await self._hurry.wait()
                await asyncio.sleep(0)  # whoever is ready to write at this moment comes along
            return first

    async def _run(self) -> None:
        while (first := await self._next()) is not None:
            batch, size = [first], first.write.size
            while size < MAX_BATCH and not self._queue.empty():
                if (pending := self._queue.get_nowait()) is None:
                    self._queue.put_nowait(None)  # closing: nothing comes behind it
                    break
                batch.append(pending)
                size += pending.write.size
            if self._queue.empty():
                self._hurry.clear()
            await self._settle(batch)

    async def _settle(self, batch: Sequence[_Pending], *, again: bool = True) -> None:
        """Commit a batch and answer all who wait; a batch with a poisonous unit is halved until that one is alone."""
        try:
            failpoint("journal.queued")
            outcomes = await self._commit([pending.write for pending in batch])
            failpoint("journal.committed")
        except JournalError as error:
            _answer_all(batch, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told and the writer lives on
            await self._isolate(batch, error, again=again)
        else:
            for pending, outcome in zip(batch, outcomes, strict=True):
                _answer(pending, outcome)

    async def _isolate(self, batch: Sequence[_Pending], error: Exception, *, again: bool) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._settle(batch[:middle])
            await self._settle(batch[middle:])
        elif again:
            # Another process wrote the same at the same time: now it is seen, and refused with the reason.
            await self._settle(batch, again=False)
        else:
            _answer_all(batch, error)


def log_rejection(what: str, why: Exception) -> None:
    """Tell that something is not on record that nobody waits for."""
    log.error("%s is not on record: %s", what, why)


def _answer_all(batch: Sequence[_Pending], error: Exception) -> None:
    for pending in batch:
        reason = error if isinstance(error, JournalError) else f"cannot write {pending.write.what}: {_reason(error)}"
        refusal = JournalError(str(reason))
        refusal.__cause__ = error
        _answer(pending, refusal)


def _reason(error: Exception) -> str:
    cause = " ".join(str(getattr(error, "orig", None) or error).split())
    return f"the database refuses it ({cause})"


def _answer(pending: _Pending, outcome: Outcome) -> None:
    if pending.done is None:
        if isinstance(outcome, Exception):
            log_rejection(pending.write.what, outcome)
    elif not pending.done.done():  # who waited may have been cancelled
        if isinstance(outcome, Exception):
            pending.done.set_exception(outcome)
        else:
            pending.done.set_result(outcome)
