"""How rows are written, many at a time, in the transaction of a batch. Each operation says which rows it refuses."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, Text, bindparam, case, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from echelon.journal import schema
from echelon.journal.rows import disposition
from echelon.journal.writer import Row, Verdict, Write
from echelon.model.errors import IllegalTransition, InvalidInput
from echelon.model.run import RunStatus
from echelon.model.status import Status, advance

Operation = Callable[[AsyncConnection, Sequence[Row]], Awaitable[Sequence[Verdict]]]


async def perform(connection: AsyncConnection, batch: Sequence[Write]) -> Sequence[Verdict]:
    """Write a batch, kind by kind in the order in which the kinds appear; return a verdict for each write."""
    verdicts: list[Verdict] = [None] * len(batch)
    kinds: dict[Operation, list[int]] = {}
    for index, write in enumerate(batch):
        kinds.setdefault(write.operation, []).append(index)
    for operation, indices in kinds.items():
        outcome = await operation(connection, [batch[index].row for index in indices])
        for index, verdict in zip(indices, outcome, strict=True):
            verdicts[index] = verdict
    return verdicts


@dataclass(frozen=True)
class Insert:
    """Insert rows into a table; none is refused."""

    table: Table
    """Where the rows go."""

    async def __call__(self, connection: AsyncConnection, rows: Sequence[Row]) -> Sequence[Verdict]:
        """Insert `rows`."""
        await connection.execute(insert(self.table), rows)
        return [None] * len(rows)


start_runs = Insert(schema.runs)
insert_exceptions = Insert(schema.exceptions)
insert_concerns = Insert(schema.concerns)
insert_events = Insert(schema.events)
insert_claims = Insert(schema.claims)


async def update_runs(connection: AsyncConnection, rows: Sequence[Row]) -> Sequence[Verdict]:
    """Set status, end and report of runs; refuse a run that is not in the journal."""
    known = await _present(connection, schema.runs.c.run_id, [row["id"] for row in rows])
    verdicts = [None if row["id"] in known else unknown("run", row["id"], "echelon runs") for row in rows]
    statement = update(schema.runs).where(schema.runs.c.run_id == bindparam("id"))
    await _execute(connection, statement, _admitted(rows, verdicts))
    return verdicts


async def reopen_runs(connection: AsyncConnection, rows: Sequence[Row]) -> Sequence[Verdict]:
    """Set runs to work again; the end of a run that was completed stays until there is another one."""
    runs = schema.runs.c
    stays = runs.status.in_((RunStatus.COMPLETED.value, RunStatus.RUNNING.value))
    statement = update(schema.runs).where(runs.run_id == bindparam("id"))
    changes = {
        "status": RunStatus.RUNNING.value,
        "finished": case((stays, runs.finished), else_=None),
        "plan": func.coalesce(bindparam("new_plan", type_=Text), runs.plan),
    }
    given = [{"id": row["id"], "new_plan": row["plan"]} for row in rows]
    await connection.execute(statement.values(changes), given)
    return [None] * len(rows)


async def settle_claims(connection: AsyncConnection, rows: Sequence[Row]) -> Sequence[Verdict]:
    """Note that nothing happened in attempts that were claimed."""
    claims = schema.claims.c
    same = (
        claims.run_id == bindparam("of_run"),
        claims.key == bindparam("of_step"),
        claims.attempt == bindparam("nth"),
    )
    await connection.execute(update(schema.claims).where(*same).values(settled=True), rows)
    return [None] * len(rows)


async def append_steps(connection: AsyncConnection, rows: Sequence[Row]) -> Sequence[Verdict]:
    """Append attempts at steps; refuse one behind a completed step (C2)."""
    statuses = await _statuses(connection, {row["key"] for row in rows})
    verdicts = [_judge(statuses, row) for row in rows]
    await _execute(connection, insert(schema.steps), _admitted(rows, verdicts))
    return verdicts


async def insert_dispositions(connection: AsyncConnection, rows: Sequence[Row]) -> Sequence[Verdict]:
    """Dispose of concerns; refuse an unknown concern and a second disposition (O1)."""
    ids = [row["concern_id"] for row in rows]
    known = await _present(connection, schema.concerns.c.id, ids)
    table = schema.dispositions
    found = await connection.execute(select(table.c.concern_id, table.c.record).where(table.c.concern_id.in_(ids)))
    ended: dict[str, str] = dict(found.all())
    verdicts = [_dispose(known, ended, row) for row in rows]
    await _execute(connection, insert(table), _admitted(rows, verdicts))
    return verdicts


#: Where each operation adds rows. The others change rows that are there, and may do so twice.
ADDING: dict[Operation, Table] = {
    start_runs: schema.runs,
    insert_exceptions: schema.exceptions,
    insert_concerns: schema.concerns,
    insert_events: schema.events,
    insert_claims: schema.claims,
    append_steps: schema.steps,
    insert_dispositions: schema.dispositions,
}


async def _execute(connection: AsyncConnection, statement: Any, rows: Sequence[Row]) -> None:
    if rows:  # without rows the statement would be executed once, with nothing bound
        await connection.execute(statement, rows)


def _admitted(rows: Iterable[Row], verdicts: Iterable[Verdict]) -> list[Row]:
    return [row for row, verdict in zip(rows, verdicts, strict=True) if verdict is None]


async def _present(connection: AsyncConnection, column: Any, ids: Sequence[str]) -> set[str]:
    return set(await connection.scalars(select(column).where(column.in_(ids))))


async def _statuses(connection: AsyncConnection, keys: set[str]) -> dict[tuple[str, str], Status]:
    """Return the latest status of every step with one of `keys`, by run and key."""
    steps = schema.steps
    query = select(steps.c.run_id, steps.c.key, steps.c.status).where(steps.c.key.in_(keys)).order_by(steps.c.number)
    return {(run_id, key): Status(status) for run_id, key, status in await connection.execute(query)}


def _judge(statuses: dict[tuple[str, str], Status], row: Row) -> IllegalTransition | None:
    """Apply the law of steps to a new attempt: what ended is taken up and ends again, if the table allows (C2)."""
    identity = (row["run_id"], row["key"])
    try:
        started = advance(statuses.get(identity, Status.PENDING), Status.IN_PROGRESS)
        statuses[identity] = advance(started, Status(row["status"]))
    except IllegalTransition as refusal:
        refusal.add_note(
            f"step {row['key']!r} of node {row['node']!r} in run {row['run_id']!r}; the first record stays"
        )
        return refusal
    return None


def _dispose(known: set[str], ended: dict[str, str], row: Row) -> InvalidInput | None:
    concern_id: str = row["concern_id"]
    if concern_id not in known:
        return unknown("concern", concern_id, "echelon concerns list")
    if (first := ended.get(concern_id)) is not None:
        end = disposition(first)
        return InvalidInput(
            f"concern {concern_id!r} was {end.verdict} by {end.author} on {end.at:%Y-%m-%d %H:%M} UTC ({end.reason}); "
            "a disposition is final: raise a new concern"
        )
    ended[concern_id] = row["record"]
    return None


def unknown(kind: str, identity: str, command: str) -> InvalidInput:
    """Return the refusal of something that is not in the journal."""
    return InvalidInput(f"there is no {kind} {identity!r} in the journal; `{command}` shows what is there")
