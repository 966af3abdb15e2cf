"""How a run is taken, kept and given back, and how writes of those who lost it are refused (F8).

A lease ends by the clock of the database, the only one that all processes share. Each taking of a run gives it a
higher token; a write proves, once a transaction, that its token is still the newest one. The proof holds the row of
the run: on PostgreSQL nobody takes the run between the proof and the commit, on SQLite only one writes at all.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from echelon.journal import schema
from echelon.journal.dialects import now_seconds
from echelon.journal.holder import Holder, is_dead
from echelon.journal.operations import perform, unknown
from echelon.journal.rows import session_record, session_row
from echelon.journal.writer import Row, Verdict, Write
from echelon.model.errors import LeaseLost, RunHeld
from echelon.model.session import Session

_RUNS = schema.runs.c
_SESSIONS = schema.sessions.c


async def take(connection: AsyncConnection, run_id: str, holder: Holder, ttl_seconds: float) -> Session:
    """Give a run to a process, in the transaction of `connection`.

    Raise `RunHeld` while another one holds it: until its lease ends, or its process is known to be dead.
    `InvalidInput` when there is no such run.
    """
    token = await connection.scalar(select(_RUNS.token).where(_RUNS.run_id == run_id).with_for_update())
    if token is None:
        raise unknown("run", run_id, "echelon runs")
    await _free(connection, run_id)
    moment = datetime.now(UTC)
    session = Session(run_id=run_id, token=token + 1, began=moment, seen=moment, **vars(holder))
    expires = now_seconds(connection) + ttl_seconds
    await connection.execute(insert(schema.sessions).values(**session_row(session), expires=expires))
    await connection.execute(update(schema.runs).where(_RUNS.run_id == run_id).values(token=session.token))
    return session


async def _free(connection: AsyncConnection, run_id: str) -> None:
    """Close the session that a dead process left; raise `RunHeld` for one that may live."""
    left = (schema.sessions.c.expires - now_seconds(connection)).label("left")
    held = _SESSIONS.run_id == run_id, _SESSIONS.ended.is_(None)
    found = await connection.execute(select(schema.sessions, left).where(*held))
    for row in [row._asdict() for row in found]:
        session = session_record(row)
        if row["left"] > 0 and not is_dead(session):
            raise RunHeld(_held(session, row["left"]))
    await connection.execute(update(schema.sessions).where(*held).values(ended=_SESSIONS.seen))


def _held(session: Session, left_seconds: float) -> str:
    return (
        f"run {session.run_id!r} is held by process {session.pid} on {session.host} since "
        f"{session.began:%Y-%m-%d %H:%M:%S} UTC; its lease ends in {left_seconds:.0f} s unless it is renewed. Wait for "
        "that process to end, or end it; a run whose process is dead can be resumed then"
    )


async def keep(connection: AsyncConnection, rows: Sequence[Row]) -> Sequence[Verdict]:
    """Renew leases: `ttl_seconds` from now. Who lost its run was refused before this is reached."""
    for row in rows:
        await connection.execute(
            update(schema.sessions)
            .where(_SESSIONS.run_id == row["run_id"], _SESSIONS.token == row["token"])
            .values(expires=now_seconds(connection) + row["ttl_seconds"], seen=row["seen"])
        )
    return [None] * len(rows)


async def give_back(connection: AsyncConnection, rows: Sequence[Row]) -> Sequence[Verdict]:
    """End sessions."""
    for row in rows:
        await connection.execute(
            update(schema.sessions)
            .where(_SESSIONS.run_id == row["run_id"], _SESSIONS.token == row["token"])
            .values(ended=row["ended"], seen=row["ended"])
        )
    return [None] * len(rows)


async def perform_fenced(
    connection: AsyncConnection, batch: Sequence[Write], tokens: Mapping[str, int]
) -> Sequence[Verdict]:
    """Write a batch, without what belongs to a run whose token is not the newest any more; that gets `LeaseLost`.

    `tokens` are those of the runs that this process took; for all others nothing is to be proved.
    """
    held = {write.run_id for write in batch} & tokens.keys()
    lost = await _lost(connection, held, tokens) if held else frozenset[str]()
    if not lost:
        return await perform(connection, batch)
    written = iter(await perform(connection, [write for write in batch if write.run_id not in lost]))
    return [LeaseLost(write.run_id) if write.run_id in lost else next(written) for write in batch]


async def _lost(connection: AsyncConnection, held: set[str], tokens: Mapping[str, int]) -> frozenset[str]:
    query = select(_RUNS.run_id, _RUNS.token).where(_RUNS.run_id.in_(held)).with_for_update(read=True)
    newest: dict[str, int] = dict((await connection.execute(query)).all())
    return frozenset(run_id for run_id in held if newest.get(run_id) != tokens[run_id])
