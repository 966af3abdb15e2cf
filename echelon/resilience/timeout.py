"""The time one attempt may take, in all and without a sign of life (F4)."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from math import inf

from echelon.model.errors import AgentTimeout
from echelon.resilience.stoppable import noting_stops


class Pulse:
    """When an attempt last gave a sign of life; a beat is a sign of life of whoever waits for it, too."""

    __slots__ = ("_outer", "last_at")

    def __init__(self, outer: "Pulse | None") -> None:
        self._outer = outer
        self.beat()

    def beat(self) -> None:
        """Give a sign of life, from any thread."""
        self.last_at = time.monotonic()
        if self._outer is not None:
            self._outer.beat()


_SCOPE: ContextVar[asyncio.Timeout | None] = ContextVar("echelon_time_limit", default=None)
_PULSE: ContextVar[Pulse | None] = ContextVar("echelon_pulse", default=None)


def heartbeat() -> None:
    """Tell that work goes on, so that an idle timeout (`Resilience(idle_seconds=...)`) does not end it.

    Costs next to nothing and may be called from coroutines, from plain functions in their thread, and anywhere else:
    where nobody watches it does nothing. Output of a command is a heartbeat by itself.
    """
    pulse = _PULSE.get()
    if pulse is not None:
        pulse.beat()


def pulse() -> Callable[[], None]:
    """Return what gives signs of life for the attempt under way, for callbacks that run outside of its context."""
    current = _PULSE.get()
    return (lambda: None) if current is None else current.beat


@asynccontextmanager
async def time_limit(seconds: float | None, *, idle_seconds: float | None = None) -> AsyncGenerator[None]:
    """Cancel the block with `AgentTimeout` after so many seconds in all, or without a `heartbeat()`.

    None is no bound. A `TimeoutError` of the block's own is left alone.
    """
    scope = asyncio.timeout(seconds)
    token = _SCOPE.set(scope)
    watch = None if idle_seconds is None else _Watch(scope, idle_seconds)
    with noting_stops() as notes:
        try:
            async with scope:
                if watch is None:
                    yield
                else:
                    with watch.watching():
                        yield
        except TimeoutError as error:
            if not scope.expired():
                raise
            if watch is not None and watch.fell_silent:
                raise AgentTimeout(watch.idle_seconds, idle=True, left=notes.left) from error
            assert seconds is not None, "nothing else ends the scope"
            raise AgentTimeout(seconds, left=notes.left) from error
        finally:
            _SCOPE.reset(token)


@contextmanager
def pause_time_limit(left_seconds: Callable[[], float]) -> Generator[None]:
    """Do not count the time in the block: what waits there is not at work.

    Behind it the attempt has what it had left before, but no more than `left_seconds()`, the time that no wait stops.
    """
    scope, loop = _SCOPE.get(), asyncio.get_running_loop()
    until = None if scope is None else scope.when()
    pulse = _PULSE.get()
    if scope is not None and until is not None:
        scope.reschedule(None)
    if pulse is not None:
        pulse.last_at = inf
    began = loop.time()
    try:
        yield
    finally:
        if pulse is not None:
            pulse.beat()
        if scope is not None and until is not None and not scope.expired():
            now = loop.time()
            scope.reschedule(min(until + now - began, now + left_seconds()))


class _Watch:
    """Ends a scope when no sign of life came for too long. Beats only note the time; one timer looks at it."""

    def __init__(self, scope: asyncio.Timeout, idle_seconds: float) -> None:
        self.idle_seconds = idle_seconds
        self.fell_silent = False
        self._scope = scope
        self._pulse = Pulse(_PULSE.get())
        self._loop = asyncio.get_running_loop()

    @contextmanager
    def watching(self) -> Generator[None]:
        token = _PULSE.set(self._pulse)
        self._timer = self._loop.call_later(self.idle_seconds, self._look)
        try:
            yield
        finally:
            self._timer.cancel()
            _PULSE.reset(token)

    def _look(self) -> None:
        left = self._pulse.last_at + self.idle_seconds - time.monotonic()
        if left > 0:
            self._timer = self._loop.call_later(min(left, self.idle_seconds), self._look)
        elif not self._scope.expired():
            self.fell_silent = True
            self._scope.reschedule(self._loop.time())
