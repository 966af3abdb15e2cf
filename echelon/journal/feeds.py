"""Who wants to hear of new events: watchers of this process are handed them, and whoever follows a log is woken."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from echelon.journal.port import Watcher
from echelon.runlog.events import LoggedEvent, RunEvent

log = logging.getLogger("echelon.journal")


class Place(NamedTuple):
    """An event that became durable, and where it stands."""

    run_id: str
    """The run."""
    seq: int
    """Its place in the log of that run."""
    event: RunEvent
    """What happened."""


class Feeds:
    """The watchers and followers of one journal."""

    def __init__(self) -> None:
        self._watchers: dict[str, list[Watcher]] = {}
        self._bells: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def watching(self, run_id: str, watcher: Watcher) -> Generator[None]:
        """Hand `watcher` the events of a run that this process writes during the block."""
        watchers = self._watchers.setdefault(run_id, [])
        watchers.append(watcher)
        try:
            yield
        finally:
            watchers.remove(watcher)
            if not watchers:
                self._watchers.pop(run_id, None)

    @contextmanager
    def ringing(self, run_id: str) -> Generator[asyncio.Event]:
        """Give what is set whenever a run may have new events, whoever wrote them."""
        bell = asyncio.Event()
        bells = self._bells.setdefault(run_id, set())
        bells.add(bell)
        try:
            yield bell
        finally:
            bells.discard(bell)
            if not bells:
                self._bells.pop(run_id, None)

    def publish(self, written: Iterable[Place]) -> None:
        """Tell of what became durable; a watcher that fails is logged, the others are told all the same."""
        if not self._watchers and not self._bells:
            return
        for run_id, places in groupby(sorted(written, key=itemgetter(0, 1)), key=itemgetter(0)):
            self.ring(run_id)
            watchers = self._watchers.get(run_id)
            if watchers:
                events = tuple(LoggedEvent(seq=place.seq, event=place.event) for place in places)
                for watcher in tuple(watchers):
                    _tell(watcher, events)

    def ring(self, run_id: str) -> None:
        """Wake who follows a run."""
        for bell in self._bells.get(run_id, ()):
            bell.set()

    def ring_all(self) -> None:
        """Wake everybody who follows a run."""
        for run_id in self._bells:
            self.ring(run_id)


def _tell(watcher: Watcher, events: Sequence[LoggedEvent]) -> None:
    try:
        watcher(events)
    except Exception:
        log.exception("a watcher of run %s failed; what it was given is durable all the same", events[0].event.run_id)


Read = Callable[[int], Awaitable[Sequence[LoggedEvent]]]
"""Reads some of the events behind a place, the first ones first."""


class Pauses(NamedTuple):
    """How long to wait for a sign of new events before they are looked for: longer each time there is none."""

    first_seconds: float
    """The first time."""
    longest_seconds: float
    """And never longer than this."""


#: Grows from one vain look to the next.
_GROWTH = 1.6


async def follow(read: Read, after: int, bell: asyncio.Event, pauses: Pauses) -> AsyncGenerator[Sequence[LoggedEvent]]:
    """Give what stands in a log behind `after`, then what is new, for ever."""
    pause = pauses.first_seconds
    while True:
        bell.clear()
        if found := await read(after):
            after, pause = found[-1].seq, pauses.first_seconds
            yield found
            continue
        try:
            await asyncio.wait_for(bell.wait(), pause)
        except TimeoutError:
            pause = min(pause * _GROWTH, pauses.longest_seconds)
