"""Who hears what the agent at work does. Set around each call; threads and tasks of the agent inherit it."""

from contextvars import ContextVar
from typing import Protocol

from echelon.model.handoff import Handoff


class Observer(Protocol):
    """Hears what an agent does while it works; returns at once, in any thread."""

    def output_read(self, handoff: Handoff) -> None:
        """It reads an output."""
        ...


OBSERVER: ContextVar[Observer | None] = ContextVar("echelon-observer", default=None)
"""None where no run is at work, as in a test of one agent."""
