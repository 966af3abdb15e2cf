"""What the tests of all journals share."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import pytest

from echelon.journal.lease import Lease
from echelon.journal.port import Journal
from echelon.model.errors import RunHeld
from echelon.runlog.events import LoggedEvent, RunEvent
from echelon.testing.run_events import run_started

Expire = Callable[[str], Awaitable[None]]
"""Ends the leases of a run."""

#: Longer than any test takes, and short enough not to wait for.
LONG_SECONDS = 60.0
SHORT_SECONDS = 0.3

#: Nothing here takes longer.
PATIENCE_SECONDS = 20.0


@pytest.mark.anyio
class Base:
    """A journal with one run in it."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    async def r1(self, journal: Journal) -> Journal:
        """The journal, with one run in it."""
        await journal.append(run_started())
        return journal


def unwrap(logged: Sequence[LoggedEvent]) -> tuple[RunEvent, ...]:
    """Return events without their places."""
    return tuple(each.event for each in logged)


async def one_by_one(journal: Journal, run_id: str, after: int = 0) -> AsyncGenerator[LoggedEvent]:
    """Follow a run event by event."""
    async for events in journal.tail(run_id, after):
        for event in events:
            yield event


async def take_over(another: Journal, expire: Expire, stack: AsyncExitStack) -> Lease:
    """Take a run from a process that is at work, as if it had slept."""
    while True:
        await expire("r1")
        with contextlib.suppress(RunHeld):  # it was heard of in between
            return await stack.enter_async_context(another.holding("r1", LONG_SECONDS))
