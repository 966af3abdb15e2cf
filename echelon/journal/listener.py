"""Hears of what other processes write, where the database tells; begun by the first who follows a run."""

import asyncio
import logging

from echelon.journal.database import Database
from echelon.journal.feeds import Feeds
from echelon.journal.outages import LONGEST_WAIT_SECONDS
from echelon.model.errors import JournalError

log = logging.getLogger("echelon.journal")


class Listener:
    """Wakes those who follow runs, through one connection for all of them; while it is cut they look by themselves."""

    def __init__(self, database: Database, feeds: Feeds) -> None:
        self._database = database
        self._feeds = feeds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen, once."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="echelon-journal-listener")

    async def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _listen(self) -> None:
        while self._database.tells:
            try:
                await self._database.listen(self._feeds.ring, self._feeds.ring_all)
            except JournalError as error:
                log.debug("not hearing of what other processes write: %s", error)
            await asyncio.sleep(LONGEST_WAIT_SECONDS)
