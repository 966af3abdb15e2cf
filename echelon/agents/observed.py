"""Who hears what the agent at work does. Set around each call; threads and tasks of the agent inherit it."""

from contextvars import ContextVar
from typing import Literal, Protocol

Stream = Literal["stdout", "stderr"]


class Observer(Protocol):
    """Hears what an agent does while it works; returns at once, in any thread."""

    def output_read(self, task_id: str, version: str) -> None:
        """It reads the output of a task."""
        ...

    def logged(self, level: int, message: str) -> None:
        """It writes to a log."""
        ...

    def wrote(self, stream: Stream, text: str) -> None:
        """It, or its command, writes a piece of text."""
        ...


OBSERVER: ContextVar[Observer | None] = ContextVar("echelon-observer", default=None)
"""None where no run is at work, as in a test of one agent."""
