"""SIGTERM in a process that runs flows: a run is cancelled, puts its end on record, and Prefect is informed then.

Prefect's own handler raises in the middle of whatever code is running. In an agent that would be the agent's failure,
and the run would go on.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Generator
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


class _Listeners:
    """The runs at work in this process: a signal is for all of them, and the handler stays until the last one ends."""

    def __init__(self) -> None:
        self._stops: list[Callable[[], object]] = []
        self._before: Any = signal.SIG_DFL

    @contextlib.contextmanager
    def listening(self, stop: Callable[[], object]) -> Generator[None]:
        """Have `stop` called at SIGTERM during the block."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        if not self._stops:
            self._before = signal.signal(signal.SIGTERM, self._stop_all) or signal.SIG_DFL
        self._stops.append(stop)
        try:
            yield
        finally:
            self._stops.remove(stop)
            if not self._stops:
                signal.signal(signal.SIGTERM, self._before)

    def _stop_all(self, _number: int, _frame: FrameType | None) -> None:
        for stop in list(self._stops):
            stop()


_LISTENERS = _Listeners()


async def cancel_on_sigterm(work: Coroutine[Any, Any, T]) -> T:
    """Await `work`; at SIGTERM cancel it, let it clean up, and raise Prefect's `TerminationSignal`.

    Outside of the main thread no signal arrives, and nothing changes.
    """
    from prefect.exceptions import TerminationSignal

    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None, "a coroutine runs in a task"
    asked: list[bool] = []

    def stop() -> None:
        asked.append(True)
        loop.call_soon_threadsafe(task.cancel)

    with _LISTENERS.listening(stop):
        try:
            return await work
        except asyncio.CancelledError as cancelled:
            if not asked:
                raise
            task.uncancel()
            raise TerminationSignal(signal.SIGTERM) from cancelled
