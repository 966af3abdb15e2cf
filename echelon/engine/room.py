"""What Prefect is to show of a run, as it happens: rooms in rooms, each opened when its work begins.

The work never waits for its record. A flow run costs a hundred milliseconds of requests and a task run two of CPU;
they pass while agents wait for their models. And a server that is down costs the picture, not the work. No Prefect
here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")


class RoomKind(Enum):
    """What Prefect makes of a room (X1)."""

    JOB = "job"  #: a flow run
    DOMAIN = "domain"  #: a subflow run
    TEAM = "team"  #: a task run
    AGENT = "agent"  #: a task run
    INTEGRATION = "integration"  #: a task run


@dataclass(eq=False)
class Room:
    """A piece of work, and the pieces that were begun inside it."""

    kind: RoomKind
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the flow or task is called with, to be shown."""
    _opened: "asyncio.Queue[Room | None]" = field(default_factory=asyncio.Queue)
    _results: list[Any] = field(default_factory=list[Any])

    async def work(self, body: Callable[[], Awaitable[T]]) -> T:
        """Do `body` in this room; whatever begins inside it opens its room inside this one."""
        token = _HERE.set(self)
        try:
            result = await body()
            self._results.append(result)
            return result
        finally:
            _HERE.reset(token)
            self._opened.put_nowait(None)

    async def opened(self) -> AsyncIterator["Room"]:
        """Yield the rooms opened inside this one, as they are, until its work has ended."""
        while (room := await self._opened.get()) is not None:
            yield room

    @property
    def result(self) -> Any:
        """What the work returned; None when it was cut off."""
        return self._results[0] if self._results else None


_HERE: ContextVar[Room | None] = ContextVar("room", default=None)


async def work_in_room(kind: RoomKind, body: Callable[[], Awaitable[T]], **parameters: Any) -> T:
    """Do `body` in a new room inside the present one."""
    here = _HERE.get()
    room = Room(kind, parameters)
    if here is not None:
        here._opened.put_nowait(room)  # noqa: SLF001 - rooms of one building
    return await room.work(body)
