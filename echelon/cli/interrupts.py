"""Running a coroutine so that Ctrl-C, SIGTERM and SIGHUP stop it cleanly, and a second one stops it at once.

The event loop runs in a thread of its own. Signals arrive in the main thread, which does nothing but wait for them:
no library that runs flows can put its own handler in the way, as Prefect does with SIGTERM in the main thread, and no
KeyboardInterrupt is thrown into the middle of somebody's code.
"""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Iterable
from types import FrameType
from typing import Any, Generic, NoReturn, TypeVar

import psutil

from echelon.resilience.stoppable import GRACE_SECONDS

T = TypeVar("T")

#: Longest time the main thread waits without looking for signals, in seconds; needed on Windows only.
_GLANCE_SECONDS = 0.5

#: Ctrl-C, a request to end, and a terminal that is closed. What is ignored when we start, as `nohup` does, stays so.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(BaseException):
    """It was stopped by a signal, and everything had the time to clean up. No error, so no `Exception`."""


def run_until_stopped(coroutine: Coroutine[Any, Any, T], on_stop: Callable[[], None], on_kill: Callable[[], None]) -> T:
    """Run a coroutine and return its result; raise `Interrupted` when the first signal has cancelled it.

    `on_stop` is called at the first signal. At the second `on_kill` is called, then every process started from here
    and this one are ended at once. After `Interrupted` leave with `leave`: threads may still be busy.
    """
    running = _Running(coroutine)
    with _handled(_Stopper(running.cancel, on_stop, on_kill)):
        running.thread.start()
        while running.thread.is_alive():
            running.thread.join(_GLANCE_SECONDS)
    return running.outcome()


def leave(code: int) -> NoReturn:
    """End this process without waiting for the threads of agents that cannot be interrupted."""
    with contextlib.suppress(RuntimeError):  # a signal came while one of them was being written to
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


class _Running(Generic[T]):
    """A coroutine in an event loop in a thread, and what became of it."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.thread = threading.Thread(target=self._run, name="echelon-run", daemon=True)
        self._coroutine = coroutine
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[T] | None = None
        self._cancelled = False
        self._error: BaseException | None = None
        self._result: list[T] = []

    def cancel(self) -> None:
        """Cancel the coroutine; called from another thread."""
        self._cancelled = True
        with contextlib.suppress(RuntimeError):  # it has just ended
            self._loop.call_soon_threadsafe(lambda: self._task and self._task.cancel())

    def outcome(self) -> T:
        """Return the result or raise what was raised."""
        if self._result:
            return self._result[0]
        assert self._error is not None
        if self._cancelled:
            raise Interrupted from self._error
        raise self._error

    def _run(self) -> None:
        _spare_children()
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(self._unhandled)
        self._task = self._loop.create_task(self._coroutine)
        try:
            self._result.append(self._loop.run_until_complete(self._task))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            self._error = error
        finally:
            self._close()

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Pass on what Python reports of a loop while it runs; what it finds in tasks that were given up is known."""
        if not loop.is_closed():
            loop.default_exception_handler(context)

    def _close(self) -> None:
        """Close the loop as `asyncio.run` does; when interrupted without waiting for threads that go on."""
        rest = asyncio.all_tasks(self._loop)
        for task in rest:
            task.cancel()
        if rest:
            _report_left(self._loop.run_until_complete(asyncio.wait(rest, timeout=GRACE_SECONDS))[1])
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        if not self._cancelled:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


def _report_left(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Say which tasks go on after they were cancelled; they end with this process."""
    names = [name for task in tasks if (name := getattr(task.get_coro(), "__qualname__", None))]
    if names:
        told = ", ".join(f"{name} ({count})" for name, count in Counter(names).most_common(5))
        sys.stderr.write(f"echelon: tasks of agents go on after they were cancelled, and are given up: {told}\n")


class _Stopper:
    """What a signal does: the first one cancels, the second one kills."""

    def __init__(self, cancel: Callable[[], None], on_stop: Callable[[], None], on_kill: Callable[[], None]) -> None:
        self._cancel = cancel
        self._on_stop = on_stop
        self._on_kill = on_kill
        self._asked = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            # It may have come while the first one was being answered, and a stream cannot be written to twice at once.
            with contextlib.suppress(RuntimeError):
                self._on_kill()
            _kill_children()
            leave(128 + number)
        self._asked = True
        self._on_stop()
        self._cancel()


def _spare_children() -> None:
    """Keep what a terminal sends to all processes away from those that this thread starts.

    They inherit what the thread blocks. They are ended by those who started them, in order and without tracebacks.
    """
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGHUP])


def _kill_children() -> None:
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


@contextlib.contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Generator[None]:
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
