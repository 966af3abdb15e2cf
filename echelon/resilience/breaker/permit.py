"""The right to make one call past a breaker (F1)."""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from pybreaker import STATE_CLOSED


class Admits(Protocol):
    """What gives permits, and hears how they ended."""

    generation: int

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`."""
        ...

    @property
    def clock(self) -> Callable[[], float]:
        """Return the time, in seconds."""
        ...

    def settle(
        self, generation: int, error: BaseException | None, *, token: str | None, value: object, seconds: float
    ) -> None:
        """Take the outcome of a call."""
        ...


class Permit:
    """The right to make one call. Used as a context manager, or ended by hand; ends once."""

    __slots__ = ("_began", "_breaker", "_generation", "_seconds", "_token", "_value")

    def __init__(self, breaker: Admits, generation: int, began: float, token: str | None = None) -> None:
        self._breaker = breaker
        self._generation: int | None = generation
        self._began = began
        self._token = token
        self._seconds: float | None = None
        self._value: object = None

    @property
    def holds(self) -> bool:
        """Would another attempt under this permit still be welcome? Not once the breaker has opened since."""
        return self._breaker.generation == self._generation or self._breaker.state == STATE_CLOSED

    def returned(self, value: object, *, seconds: float | None = None) -> None:
        """Tell what the call returned, so that a bad result counts, and how long it took.

        Without `seconds` the time since admission decides whether it was slow, waits between attempts included.
        """
        self._value = value
        self._seconds = seconds

    def end(self, error: BaseException | None) -> None:
        """Tell how the call ended: with None, with an error, or cancelled."""
        generation, self._generation = self._generation, None
        if generation is not None:
            seconds = self._breaker.clock() - self._began if self._seconds is None else self._seconds
            self._breaker.settle(generation, error, token=self._token, value=self._value, seconds=seconds)

    def __enter__(self) -> "Permit":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end(error)
