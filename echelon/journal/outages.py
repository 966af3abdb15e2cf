"""A database that goes away for a moment is waited for: its server is restarted, or the network is cut (F8).

What was asked may be asked again as it is; whether what was written is there must be looked up first, since a commit
may have happened whose answer was lost. A batch is there as a whole or not at all.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import Connection
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from echelon.journal.database import ConnectionLost, Database
from echelon.journal.transaction import Written, is_there

log = logging.getLogger("echelon.journal")

T = TypeVar("T")

#: A database that stays away for longer is not waited for, in seconds; a server is restarted in less.
LONGEST_OUTAGE_SECONDS = 30.0

#: Between two attempts; chance lets many processes come back one after the other.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 1.0


async def retry_through_outage(work: Callable[[], Awaitable[T]]) -> T:
    """Do `work` again while the database is away; `ConnectionLost` when it stays away."""

    async def again() -> T:
        return await work()

    try:
        return await work()
    except ConnectionLost as lost:
        log.warning("waiting up to %.0f s for the journal: %s", LONGEST_OUTAGE_SECONDS, lost)
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(ConnectionLost),
        stop=stop_after_delay(LONGEST_OUTAGE_SECONDS),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS),
        reraise=True,
    )
    return await retrying(again)


async def commit_once(database: Database, perform: Callable[[Connection], Written]) -> Written:
    """Write a batch with `perform` in a transaction of its own, once: whatever happens to the connection meanwhile.

    It is written even when the caller is cancelled, which is not heard of then: others wait for what comes of it.
    """
    unanswered: Written | None = None
    """What was about to be committed when the connection was lost."""

    def commit(connection: Connection) -> Written:
        nonlocal unanswered
        if unanswered is not None and is_there(connection, unanswered):
            return unanswered
        unanswered = None
        unanswered = perform(connection)
        return unanswered

    while True:
        with contextlib.suppress(asyncio.CancelledError):
            return await retry_through_outage(lambda: database.write(commit))
