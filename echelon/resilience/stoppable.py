"""An attempt that ends when it is stopped, also when its code does not (F4).

Cancellation is a request: code may catch it and go on, and a thread never hears of it. An attempt is a task of its own,
so that whoever stops it waits for a grace time only. Then `GivenUp` is raised where it waits, which code that catches
cancellations lets through. What holds on even so is not driven by the event loop any more, and does nothing more.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

T = TypeVar("T")

#: Time that cancelled work has for cleaning up, in seconds, unless somebody says otherwise.
GRACE_SECONDS = 5.0
#: Time that work which was given up has for its last cleaning up, in seconds.
LAST_SECONDS = 1.0


class GivenUp(BaseException):
    """Ends work that goes on after it was cancelled; no `Exception`, so that only `BaseException` catches it."""


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
    its result. After it the work is given up, `CancelledError` passes, and `noting_stops` hears of it.
    """
    driven = _Driven(work())
    task = asyncio.get_running_loop().create_task(driven)
    try:
        yield task
    except asyncio.CancelledError:
        task.cancel()
        if await _wait_for_end(task, grace_seconds):
            return
        note_left(f"it went on after it was cancelled, and was given up after {grace_seconds:g} s")
        driven.given_up = True
        task.cancel()
        if not await _wait_for_end(task, min(grace_seconds, LAST_SECONDS)):
            driven.leave()
        elif not task.cancelled():
            task.exception()  # it is nobody's any more
        raise


class StopRequest:
    """Lets a call be stopped that nobody needs any more: it ends, and what it used by then is known (F9).

    Whoever waits for the call is not cancelled; it ends for them like one that failed.
    """

    def __init__(self) -> None:
        self.reason = ""
        """Why it is to be stopped; empty as long as it is not."""
        self._task: asyncio.Task[Any] | None = None

    def stop(self, reason: str) -> None:
        """Stop the call, or keep it from beginning; one that has ended stays as it is."""
        if not self.reason:
            self.reason = reason
            if self._task is not None:
                self._task.cancel()

    async def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for the call, which asks for `reason` when it is cancelled."""
        self._task = asyncio.get_running_loop().create_task(call)
        try:
            result = await self._task
        finally:
            self._task = None
        waiting = asyncio.current_task()
        if waiting is not None and waiting.cancelling():  # both were stopped: who waits must not go on
            raise asyncio.CancelledError
        return result


async def _wait_for_end(task: asyncio.Task[Any], grace_seconds: float) -> bool:
    """Wait for a cancelled task, whatever else is cancelled meanwhile; say whether it ended in time."""
    loop = asyncio.get_running_loop()
    until = loop.time() + grace_seconds
    while not task.done() and (left := until - loop.time()) > 0:
        with contextlib.suppress(asyncio.CancelledError):  # cancelled once more: the grace time ends all the same
            await asyncio.wait({task}, timeout=left)
    return task.done()


def _keep(work: object) -> None:
    """Hold on to a coroutine until the process ends, or Python would close it when it finds it unused.

    What a daemon thread has in hand is never taken apart, not even when the interpreter is.
    """
    threading.Thread(target=_hold, args=(work,), name="echelon-unclosed", daemon=True).start()


def _hold(_work: object) -> None:
    threading.Event().wait()


class _Driven(Coroutine[Any, Any, T], Generic[T]):
    """A coroutine that can be given up: it is stopped for good, or left where it waits."""

    def __init__(self, work: Awaitable[T]) -> None:
        self._work: Coroutine[Any, Any, T] = work if isinstance(work, Coroutine) else _coroutine_of(work)
        self.send = self._work.send  # the way of every step: no frame of ours is in between
        self.given_up = False
        """Was it given up? The next cancellation is none that can be caught."""
        self._is_left = False

    def send(self, value: Any, /) -> Any:
        """Go on to the next wait."""
        return self._work.send(value)

    def throw(self, *error: Any) -> Any:
        """Go on with an error where the work waits."""
        if self._is_left:
            raise asyncio.CancelledError
        if self.given_up:
            return self._work.throw(GivenUp())
        return self._work.throw(*error)

    def close(self) -> None:
        """End the work where it waits."""
        if not self._is_left:
            self._work.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._work.__await__()

    def leave(self) -> None:
        """Do not drive the work any more: it stays where it waits."""
        self._is_left = True
        self.send = self._refuse
        _keep(self._work)

    def _refuse(self, _value: object, /) -> Any:
        raise asyncio.CancelledError


async def _coroutine_of(work: Awaitable[T]) -> T:
    return await work
