"""An attempt that ends when it is stopped, also when its code does not (F4).

Cancellation is a request: code may catch it and go on, and a thread never hears of it. An attempt is a task of its own,
so that whoever stops it waits for a grace time only. Then the coroutine is closed: what is no longer driven by the
event loop does nothing more.
"""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

T = TypeVar("T")

#: Time that cancelled work has for cleaning up, in seconds, unless somebody says otherwise.
GRACE_SECONDS = 5.0


class StopNotes:
    """What is known about how the work of an attempt stopped, for the message of its timeout."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left: str | None = None
        """What did not end when it was stopped, and what becomes of it; None when everything ended."""


_NOTES: ContextVar[StopNotes | None] = ContextVar("echelon_stop_notes", default=None)


@contextlib.contextmanager
def noting_stops() -> Generator[StopNotes]:
    """Collect what `note_left` says during the block, in the tasks that it starts too."""
    notes = StopNotes()
    token = _NOTES.set(notes)
    try:
        yield notes
    finally:
        _NOTES.reset(token)


def note_left(what: str) -> None:
    """Say what goes on, or was given up, although the attempt under way has been stopped."""
    notes = _NOTES.get()
    if notes is not None:
        notes.left = what


@contextlib.asynccontextmanager
async def run_stoppably(
    work: Callable[[], Awaitable[T]], grace_seconds: float = GRACE_SECONDS
) -> AsyncGenerator[asyncio.Task[T]]:
    """Start `work()` as a task, for a block that waits until it is done; its result is to be taken behind the block.

    When the block is cancelled, the work has `grace_seconds` to clean up: what it returns or raises within that time is
    its result. After it the work is closed, `CancelledError` passes, and `noting_stops` hears of it.
    """
    driven, context = _Driven(work()), contextvars.copy_context()
    task = asyncio.get_running_loop().create_task(driven, context=context)
    try:
        yield task
    except asyncio.CancelledError:
        task.cancel()
        if await _wait_for_end(task, grace_seconds):
            return
        context.run(driven.give_up)  # variables that it has set are reset where they were set
        task.cancel()
        note_left(f"it went on after it was cancelled, and was given up after {grace_seconds:g} s")
        raise


async def _wait_for_end(task: asyncio.Task[Any], grace_seconds: float) -> bool:
    """Wait for a cancelled task, whatever else is cancelled meanwhile; say whether it ended in time."""
    loop = asyncio.get_running_loop()
    until = loop.time() + grace_seconds
    while not task.done() and (left := until - loop.time()) > 0:
        with contextlib.suppress(asyncio.CancelledError):  # cancelled once more: the grace time ends all the same
            await asyncio.wait({task}, timeout=left)
    return task.done()


def _keep(works: list[object]) -> None:
    """Hold on to coroutines that would not be closed until the process ends, or Python would try again, and say so.

    What a daemon thread has in hand is never taken apart, not even when the interpreter is.
    """
    threading.Thread(target=_hold, args=(works,), name="echelon-unclosed", daemon=True).start()


def _hold(_works: list[object]) -> None:
    threading.Event().wait()


def _waiting_in(work: object) -> list[object]:
    """Return a coroutine, what it awaits, what that awaits, and so on."""
    chain: list[object] = []
    while work is not None:
        chain.append(work)
        work = getattr(work, "cr_await", None) or getattr(work, "gi_yieldfrom", None)
    return chain


class _Driven(Coroutine[Any, Any, T], Generic[T]):
    """A coroutine that is no longer driven once it was given up."""

    def __init__(self, work: Awaitable[T]) -> None:
        self._work: Coroutine[Any, Any, T] = work if isinstance(work, Coroutine) else _coroutine_of(work)
        self._given_up = False
        self.send = self._work.send  # the way of every step: no frame of ours is in between

    def send(self, value: Any, /) -> Any:
        """Go on to the next wait."""
        return self._work.send(value)

    def throw(self, *error: Any) -> Any:
        """Go on with an error where the work waits."""
        if self._given_up:
            raise asyncio.CancelledError
        return self._work.throw(*error)

    def close(self) -> None:
        """End the work where it waits."""
        self._work.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._work.__await__()

    def give_up(self) -> None:
        """Close the work where it waits, and do not drive it again if it refuses that."""
        self._given_up = True
        self.send = self._refuse
        chain = _waiting_in(self._work)
        try:
            self._work.close()
        except BaseException:  # noqa: BLE001 - it is no longer anybody's; a second stop would do no more
            _keep(chain)

    def _refuse(self, _value: object, /) -> Any:
        raise asyncio.CancelledError


async def _coroutine_of(work: Awaitable[T]) -> T:
    return await work
