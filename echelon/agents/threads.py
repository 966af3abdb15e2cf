"""Threads for plain functions: a process ends without them.

Python's own pool joins its threads when the process ends: one function that never returns, and that nobody can stop,
would keep it for ever. These are daemon threads. At the end of a process they have a grace time, and are then given up.
"""

import asyncio
import atexit
import contextlib
import functools
import itertools
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

import psutil

from echelon.resilience.stoppable import GRACE_SECONDS, note_left

P = ParamSpec("P")
T = TypeVar("T")

#: A thread without work ends after so many seconds.
IDLE_SECONDS = 10.0
#: Threads of the default pool of an event loop, for `asyncio.to_thread` in agents.
MAX_DEFAULT_THREADS = 64

_Work = tuple["Future[Any]", Callable[[], Any]]


class DaemonThreads(ThreadPoolExecutor):
    """Calls functions in daemon threads, at most `most` at one time; None: as many as there are calls.

    A `ThreadPoolExecutor` by its type, since an event loop takes no other as its default.
    """

    def __init__(self, name: str, most: int | None = None, *, grace_seconds: float = GRACE_SECONDS) -> None:
        super().__init__(1)  # it starts no thread of its own: every call comes in through `submit`
        self._names = (f"{name}-{number}" for number in itertools.count(1))
        self._most = most
        self._grace_seconds = grace_seconds
        self._changed = threading.Condition()
        self._waiting = deque[_Work]()
        self._idle: list[SimpleQueue[_Work]] = []
        self._working = 0
        self._abandoned: set[Future[Any]] = set()
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Call a function in a thread, at once or when fewer than `most` are at work."""
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._waiting.append((future, functools.partial(fn, *args, **kwargs)))
            self._hand_out()
        return future

    def abandon(self, future: "Future[Any]") -> bool:
        """Give up a call that is no longer waited for; say whether it is at work, and goes on all the same.

        One that goes on does not count among the `most`: others get its turn.
        """
        with self._changed:
            if future.cancel() or future.done():
                return False
            self._abandoned.add(future)
            self._working -= 1
            self._hand_out()
            return True

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; wait for those at work for the grace time and no longer, and say how many go on."""
        with self._changed:
            self._closed = True
            if cancel_futures:
                for future, _ in self._waiting:
                    future.cancel()
        left = self._settle() if wait else 0
        if left:
            _end_children()
            functions = "1 function is" if left == 1 else f"{left} functions are"
            sys.stderr.write(f"echelon: {functions} still at work in a thread, and cannot be stopped: given up\n")

    def _settle(self) -> int:
        with self._changed:
            self._changed.wait_for(lambda: not self._at_work(), self._grace_seconds)
            return self._at_work()

    def _at_work(self) -> int:
        return self._working + len(self._abandoned) + len(self._waiting)

    def _hand_out(self) -> None:
        """Give calls that wait to threads, as many as may be at work; the lock is held."""
        while self._waiting and (self._most is None or self._working < self._most):
            self._working += 1
            inbox = self._idle.pop() if self._idle else self._new_thread()
            inbox.put(self._waiting.popleft())

    def _new_thread(self) -> SimpleQueue[_Work]:
        inbox = SimpleQueue[_Work]()
        threading.Thread(target=self._serve, args=(inbox,), name=next(self._names), daemon=True).start()
        return inbox

    def _serve(self, inbox: SimpleQueue[_Work]) -> None:
        """Make the calls that come in, until none has come for a while."""
        while True:
            try:
                future, call = inbox.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._changed:
                    if inbox in self._idle:
                        self._idle.remove(inbox)
                        return
                continue  # a call is on its way: it was taken from the idle ones at this very moment
            _make(future, call)
            with self._changed:
                if future in self._abandoned:
                    self._abandoned.remove(future)
                else:
                    self._working -= 1
                self._idle.append(inbox)
                self._hand_out()
                self._changed.notify_all()
            del future, call  # what a call holds must not live as long as the thread


def _end_children() -> None:
    """End what functions that are given up wait for: it would hold the terminal, or a pipe, after this process.

    Our own processes, such as the one that draws the picture, and what they have started are left alone.
    """
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if not any(part.startswith("echelon.") for part in child.cmdline()):
                for one in (*child.children(recursive=True), child):
                    one.kill()


def _make(future: "Future[Any]", call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
        future.set_exception(error)
    else:
        future.set_result(result)


#: Of all plain functions that are agents. How many are at work at one time is bounded by the run.
_AGENTS = DaemonThreads("echelon-agent")
atexit.register(_AGENTS.shutdown)


async def call_in_thread(function: Callable[[], T]) -> T:
    """Call a function in a thread and return what it returns; when this is cancelled, the call is given up."""
    future = _AGENTS.submit(function)
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        if _AGENTS.abandon(future):
            note_left("its thread cannot be stopped, and goes on until the function returns or this process ends")
        raise


def use_daemon_threads(loop: asyncio.AbstractEventLoop) -> None:
    """Let `asyncio.to_thread` use threads that a process ends without, unless the loop has a pool already."""
    if getattr(loop, "_default_executor", None) is None:
        loop.set_default_executor(DaemonThreads("echelon-thread", MAX_DEFAULT_THREADS))


def end_within(seconds: float, code: int) -> None:
    """Let this process, whose work is done, end with `code` in so many seconds at most, whatever keeps it.

    Python waits for threads that are no daemons, for pools of threads, and for tasks that go on although they were
    cancelled; an agent may have started and forgotten them.
    """
    threading.Thread(target=_end, args=(seconds, code), name="echelon-end", daemon=True).start()


def _end(seconds: float, code: int) -> None:
    time.sleep(seconds)
    names = [thread.name for thread in threading.enumerate() if not thread.name.startswith(("echelon-", "MainThread"))]
    sys.stderr.write(f"echelon: this process is kept by threads of agents, and is ended: {', '.join(names[:5])}\n")
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(code)
