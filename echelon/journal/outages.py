"""A database that goes away for a moment is waited for: its server is restarted, or the network is cut (F8).

What was asked may be asked again as it is; whether what was written is there must be looked up first, since a commit
may have happened whose answer was lost. A batch is there as a whole or not at all.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from echelon.journal import schema
from echelon.journal.database import ConnectionLost, Database
from echelon.journal.operations import ADDING
from echelon.journal.writer import Row, Verdict, Write

log = logging.getLogger("echelon.journal")

T = TypeVar("T")

#: A database that stays away for longer is not waited for, in seconds; a server is restarted in less.
LONGEST_OUTAGE_SECONDS = 30.0

#: Between two attempts; chance lets many processes come back one after the other.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 1.0


async def ridden_out(work: Callable[[], Awaitable[T]]) -> T:
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


async def committed(
    database: Database, batch: Sequence[Write], perform: Callable[[AsyncConnection], Awaitable[Sequence[Verdict]]]
) -> Sequence[Verdict]:
    """Write a batch with `perform` in a transaction of its own, once, whatever happens to the connection meanwhile."""
    unanswered: Sequence[Verdict] | None = None
    """What was about to be committed when the connection was lost."""

    async def commit() -> Sequence[Verdict]:
        nonlocal unanswered
        async with database.writing() as connection:
            if unanswered is not None and await _are_there(connection, batch, unanswered):
                return unanswered
            unanswered = None
            unanswered = await perform(connection)
        return unanswered

    return await ridden_out(commit)


async def _are_there(connection: AsyncConnection, batch: Sequence[Write], verdicts: Sequence[Verdict]) -> bool:
    """Say whether a batch was written whose commit was not answered; False for one that may be written twice.

    Whoever may still be about to commit it is waited for: it holds the rows of its runs.
    """
    runs = {write.run_id for write in batch}
    await connection.execute(select(schema.runs.c.run_id).where(schema.runs.c.run_id.in_(runs)).with_for_update())
    added = [
        (ADDING[write.operation], write.row)
        for write, verdict in zip(batch, verdicts, strict=True)
        if verdict is None and write.operation in ADDING
    ]
    for table, row in added:
        if not await connection.scalar(select(exists().where(*_same(table, row)))):
            return False
    return bool(added)


def _same(table: Table, row: Row) -> list[Any]:
    """Return what is true of a row that is this one; its record names moments, so no other is."""
    return [table.c[name] == value for name, value in row.items()]
