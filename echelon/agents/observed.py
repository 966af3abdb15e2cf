"""Who hears what the agent at work does. Set around each call; threads and tasks of the agent inherit it."""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

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


CommandBegins: TypeAlias = Callable[[Sequence[str], Path], Awaitable[None]]
"""Hears that a command begins, and in which folder; the command waits until this has returned."""

COMMAND_BEGINS: ContextVar[CommandBegins | None] = ContextVar("echelon-command-begins", default=None)
"""None where nobody looks at what commands leave behind."""


async def command_begins(argv: Sequence[str], folder: Path | None) -> None:
    """Let whoever looks at what is left behind know that a command begins; None: in the folder of this process."""
    heard = COMMAND_BEGINS.get()
    if heard is not None:
        await heard(argv, folder or Path.cwd())
