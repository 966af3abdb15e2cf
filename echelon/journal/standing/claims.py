"""What a session claims of the standing budgets of its job, decided in the transaction that writes it down (F10).

A claim is absolute: what the calls under way of a session may still use, and what it has used since it began. So it may
be written twice. What of that is in the log by now is known from `standing_spent`; the rest counts as spent. A claim
ends with its session: what a dead process had reserved is free again when its lease ends.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, RowMapping, TextClause, bindparam, insert, text, update

from echelon.journal import schema
from echelon.journal.dialects import now_seconds
from echelon.journal.holder import is_dead
from echelon.journal.writer import LeaseChange
from echelon.model.session import Session
from echelon.model.standing.claim import ClaimAsk, ClaimTold, StandingBudget, WindowBooks, decide
from echelon.model.standing.sums import NO_SUMS, Sums
from echelon.model.standing.window import slot_of

_CLAIMS = schema.standing_claims.c

#: Stands for the rows of claims, where others have the number of a budget.
_IS_CLAIM = -1


@dataclass(frozen=True, slots=True)
class Claim(LeaseChange):
    """A session says what it holds and used, and asks for more."""

    token: int
    """Of the session."""
    under: int
    """Token of its run."""
    job: str
    """Whose budgets they are."""
    budgets: Sequence[StandingBudget]
    """Those budgets, at this moment."""
    held: Sums
    """What its calls under way may still use, without what is asked for."""
    used: Sums
    """What it has used since it began, on record or not."""
    asks: Sequence[ClaimAsk] = ()
    """What it asks for, in turn."""

    @property
    def name(self) -> str:
        """What is done, for people."""
        return "the claim"


def claim(connection: Connection, wish: Claim) -> ClaimTold:
    """Decide what a session asks for and write down what it holds then; the lock of its job is held."""
    if is_any_uncounted(connection, wish.job):
        return ClaimTold(is_whole=False)
    told = decide(wish.budgets, read_books(connection, wish.job, wish.budgets, wish), wish.asks)
    held = wish.held
    for answer in told.answers:
        held = held.plus(answer.granted or NO_SUMS)
    _write(connection, wish, held)
    return told


def is_any_uncounted(connection: Connection, job: str) -> bool:
    """Say whether there is a run of a job of which nobody knows what it used."""
    return connection.execute(_UNCOUNTED, {"of_job": job}).first() is not None


def read_books(
    connection: Connection, job: str, budgets: Sequence[StandingBudget], wish: Claim | None = None
) -> list[WindowBooks]:
    """Return what was spent and is reserved of each budget, in one view of the database.

    `wish` replaces what its session had claimed before.
    """
    windows = [(slot_of(one.window.opens), slot_of(one.window.closes)) for one in budgets]
    values = {f"opens{number}": opens for number, (opens, _) in enumerate(windows)}
    values |= {f"closes{number}": closes for number, (_, closes) in enumerate(windows)}
    query = _query(connection.dialect.name, len(budgets))
    spent: dict[int, RowMapping] = {}
    claims: list[RowMapping] = []
    for row in connection.execute(query, {"job": job, **values}).mappings():
        if row["budget"] != _IS_CLAIM:
            spent[row["budget"]] = row
        elif not is_dead(_session(row)):
            claims.append(row)
    held, unlogged = _under_way(claims, wish)
    return [
        WindowBooks(
            spent=_sums(spent[number], "used").plus(unlogged),
            reserved=held,
            runs=int(spent[number]["runs"]),
            unpriced_tokens=int(spent[number]["unpriced"] or 0),
        )
        for number in range(len(budgets))
    ]


def _under_way(claims: Sequence[RowMapping], wish: Claim | None) -> tuple[Sums, Sums]:
    """Return what all calls under way hold, and what they have used that is in no log yet."""
    held = NO_SUMS if wish is None else wish.held
    used: dict[tuple[str, int], Sums] = defaultdict(lambda: NO_SUMS)
    logged: dict[tuple[str, int], Sums] = {}
    for row in claims:
        session = row["run_id"], row["under"]
        logged[session] = _sums(row, "logged")
        if wish is not None and (*session, row["part"], row["token"]) == (
            wish.run_id,
            wish.under,
            wish.part,
            wish.token,
        ):
            continue
        used[session] = used[session].plus(_sums(row, "used"))
        if row["is_open"]:
            held = held.plus(_sums(row, "held"))
    if wish is not None:
        own = wish.run_id, wish.under
        used[own] = used[own].plus(wish.used)
    unlogged = NO_SUMS
    for session, sums in used.items():
        unlogged = unlogged.plus(sums.beyond(logged.get(session, NO_SUMS)))
    return held, unlogged


def _sums(row: RowMapping, what: str) -> Sums:
    return Sums(int(row[f"{what}_tokens"] or 0), int(row[f"{what}_calls"] or 0), float(row[f"{what}_cost"] or 0.0))


def _session(row: RowMapping) -> Session:
    return Session.model_validate({**from_json(row["record"]), "seen": row["seen"]})


def _write(connection: Connection, wish: Claim, held: Sums) -> None:
    own = {"run_id": wish.run_id, "part": wish.part, "token": wish.token}
    amounts = _named("held", held) | _named("used", wish.used)
    if not connection.execute(_RENEW, {f"of_{name}": value for name, value in own.items()} | amounts).rowcount:
        connection.execute(insert(schema.standing_claims), {**own, "under": wish.under, "job": wish.job, **amounts})


def _named(prefix: str, sums: Sums) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in sums._asdict().items()}


_RENEW = (
    update(schema.standing_claims)
    .where(*[_CLAIMS[name] == bindparam(f"of_{name}") for name in ("run_id", "part", "token")])
    .values({f"{what}_{name}": bindparam(f"{what}_{name}") for what in ("held", "used") for name in Sums._fields})
)
_UNCOUNTED = text("SELECT 1 FROM runs WHERE job = :of_job AND counted IS NULL LIMIT 1")

#: One statement, so that it sees one state: what moves from a claim to the log meanwhile is in neither twice.
_OF_BUDGET = """
SELECT {number} AS budget, '' AS run_id, '' AS part, 0 AS token, 0 AS under, '' AS record, '' AS seen, 0 AS is_open,
    0 AS held_tokens, 0 AS held_calls, 0.0 AS held_cost,
    SUM(tokens) AS used_tokens, SUM(calls) AS used_calls, SUM(cost) AS used_cost,
    0 AS logged_tokens, 0 AS logged_calls, 0.0 AS logged_cost,
    COUNT(DISTINCT run_id) AS runs, SUM(unpriced_tokens) AS unpriced
FROM standing_spent WHERE job = :job AND slot >= :opens{number} AND slot < :closes{number}
"""
_OF_CLAIMS = """
SELECT {is_claim}, c.run_id, c.part, c.token, c.under, s.record, s.seen,
    CASE WHEN c.part = '' OR EXISTS (
        SELECT 1 FROM sessions p WHERE p.run_id = c.run_id AND p.part = c.part AND p.token = c.token
        AND p.ended IS NULL AND p.expires > {now}
    ) THEN 1 ELSE 0 END,
    c.held_tokens, c.held_calls, c.held_cost, c.used_tokens, c.used_calls, c.used_cost,
    (SELECT SUM(tokens) FROM standing_spent l WHERE l.run_id = c.run_id AND l.token = c.under),
    (SELECT SUM(calls) FROM standing_spent l WHERE l.run_id = c.run_id AND l.token = c.under),
    (SELECT SUM(cost) FROM standing_spent l WHERE l.run_id = c.run_id AND l.token = c.under),
    0, 0
FROM standing_claims c JOIN sessions s
    ON s.run_id = c.run_id AND s.part = '' AND s.token = c.under AND s.ended IS NULL AND s.expires > {now}
WHERE c.job = :job
"""


@cache
def _query(dialect: str, budgets: int) -> TextClause:
    now = str(now_seconds(dialect))
    parts = [_OF_BUDGET.format(number=number) for number in range(budgets)]
    return text(" UNION ALL ".join([*parts, _OF_CLAIMS.format(is_claim=_IS_CLAIM, now=now)]))
