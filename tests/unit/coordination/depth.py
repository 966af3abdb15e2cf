"""Counts how deep the way to a place in the code is, through awaits, tasks and threads."""

import asyncio
import contextvars
import inspect
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from echelon.agents.threads import DaemonThreads

#: Whatever starts threads for calls.
_POOLS: tuple[Any, ...] = (ThreadPoolExecutor, DaemonThreads)


class Depth:
    """Counts the frames of the files in a folder that led to where it is asked, through tasks and threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._before: contextvars.ContextVar[int] = contextvars.ContextVar("before", default=0)
        self._thread = threading.local()

    def __call__(self) -> int:
        """Return the count: of this stack, and of what had led to its beginning."""
        frame, found = sys._getframe(1), 0
        while frame is not None:
            # An asynchronous generator is a context that was entered: it is in no traceback of what is awaited in it.
            is_context = frame.f_code.co_flags & inspect.CO_ASYNC_GENERATOR
            found += not is_context and frame.f_code.co_filename.startswith(self._folder)
            frame = frame.f_back
        return found + getattr(self._thread, "before", self._before.get())

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Go on counting in the tasks and threads that the running loop starts during the block."""
        loop = asyncio.get_running_loop()
        factory, submits = loop.get_task_factory(), {pool: pool.submit for pool in _POOLS}
        loop.set_task_factory(self._task)
        for pool, submit in submits.items():
            pool.submit = self._counting(submit)
        try:
            yield
        finally:
            loop.set_task_factory(factory)
            for pool, submit in submits.items():
                pool.submit = submit

    def _counting(self, submit: Callable[..., Any]) -> Callable[..., Any]:
        return lambda pool, work, *given: submit(pool, self._counted(work), *given)

    def _task(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Any = None, **more: Any
    ) -> asyncio.Task[Any]:
        own = contextvars.copy_context() if context is None else context
        own.run(self._before.set, self())
        return asyncio.Task(work, loop=loop, context=own, **more)

    def _counted(self, work: Callable[..., Any]) -> Callable[..., Any]:
        before = self()

        def counted(*given: Any) -> Any:
            self._thread.before = before
            try:
                return work(*given)
            finally:
                del self._thread.before

        return counted
