"""Group commit: everything that waits to be written goes into one transaction; who waits is told when it is durable.

What is written is not this file's business: a `Write` names its operation, operations are in `operations.py`.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from echelon.journal.failpoints import failpoint
from echelon.model.errors import EchelonError, JournalError

#: Bounds one transaction, and the number of parameters of its queries.
MAX_BATCH = 1000

Row = Mapping[str, Any]

#: Why a row is refused; None when it is written.
Verdict = EchelonError | None


@dataclass(frozen=True, slots=True)
class Write:
    """A row to be written."""

    operation: Callable[..., Awaitable[Sequence[Verdict]]]
    """Writes rows of this kind."""
    row: Row
    """What is written."""
    what: str
    """What it is, for people."""
    run_id: str = ""
    """The run that writes it, which must be held by this process if it took it; empty for what people write."""


Commit = Callable[[Sequence[Write]], Awaitable[Sequence[Verdict]]]


@dataclass(frozen=True, slots=True)
class _Pending:
    write: Write
    done: asyncio.Future[None]


class GroupWriter:
    """The one writer of a process. `commit` makes a batch durable and says which rows it refused."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._queue: asyncio.Queue[_Pending | None] = asyncio.Queue()
        self._closed = False
        self._task = asyncio.create_task(self._run(), name="echelon-journal-writer")

    def submit(self, write: Write) -> asyncio.Future[None]:
        """Queue a row; the future is done when it is durable, and raises what it was refused for.

        The row is written even when nobody waits for it any more.
        """
        if self._closed:
            raise JournalError(f"cannot write {write.what}: the journal is closed; write before leaving its block")
        pending = _Pending(write, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(pending)
        return pending.done

    async def close(self) -> None:
        """Write what is queued, then stop."""
        if not self._closed:
            self._closed = True
            self._queue.put_nowait(None)
        await asyncio.shield(self._task)

    async def _next(self) -> _Pending | None:
        """Wait for something to write; a loop that is being shut down cancels everybody, but only `close` ends this."""
        while True:
            try:
                first = await self._queue.get()
            except asyncio.CancelledError:
                continue
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)  # whoever is ready to write at this moment comes along
            return first

    async def _run(self) -> None:
        while (first := await self._next()) is not None:
            batch = [first]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                if (pending := self._queue.get_nowait()) is None:
                    self._queue.put_nowait(None)  # closing: nothing comes behind it
                    break
                batch.append(pending)
            await self._settle(batch)

    async def _settle(self, batch: Sequence[_Pending], *, again: bool = True) -> None:
        """Commit a batch and answer all who wait; a batch with a poisonous row is halved until that row is alone."""
        try:
            failpoint("journal.queued")
            verdicts = await self._commit([pending.write for pending in batch])
            failpoint("journal.committed")
        except asyncio.CancelledError:
            await self._settle(batch, again=again)  # rolled back; who waits must still be told
        except JournalError as error:
            _answer_all(batch, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must be told and the writer lives on
            await self._isolate(batch, error, again=again)
        else:
            for pending, verdict in zip(batch, verdicts, strict=True):
                _answer(pending, verdict)

    async def _isolate(self, batch: Sequence[_Pending], error: Exception, *, again: bool) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            await self._settle(batch[:middle])
            await self._settle(batch[middle:])
        elif again:
            # Another process wrote the same at the same time: the operation now sees it, and refuses with the reason.
            await self._settle(batch, again=False)
        else:
            _answer_all(batch, error)


def _answer_all(batch: Sequence[_Pending], error: Exception) -> None:
    for pending in batch:
        reason = error if isinstance(error, JournalError) else f"cannot write {pending.write.what}: {_reason(error)}"
        refusal = JournalError(str(reason))
        refusal.__cause__ = error
        _answer(pending, refusal)


def _reason(error: Exception) -> str:
    cause = " ".join(str(getattr(error, "orig", None) or error).split())
    return f"its run is not in the journal, or something with this id is there already ({cause})"


def _answer(pending: _Pending, verdict: Verdict) -> None:
    if pending.done.done():  # who waited was cancelled
        return
    if verdict is None:
        pending.done.set_result(None)
    else:
        pending.done.set_exception(verdict)
