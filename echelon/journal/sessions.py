"""How a run or a part of one is taken, kept and given back (F8).

A lease ends by the clock of the database, the only one that all processes share. Each taking gives a higher token; a
write proves, once a transaction, that its tokens are still the newest ones. The proof holds the row of the run: on
PostgreSQL nobody takes the run between the proof and the commit, on SQLite only one writes at all.

A part is held under the token of its run. When the run is taken anew, the sessions of its parts end with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, select, update

from echelon.journal import schema
from echelon.journal.dialects import now_seconds
from echelon.journal.fence import Fence
from echelon.journal.holder import Holder, held_message, is_dead
from echelon.journal.rows import session_record, session_row
from echelon.journal.writer import LeaseChange, Unit
from echelon.model.errors import LeaseLost, RunHeld
from echelon.model.session import Session
from echelon.runlog.events import RunTaken

_SESSIONS = schema.sessions.c

# Statements are made once: making one costs as much as carrying it out.
_OF_RUN = _SESSIONS.run_id == bindparam("of_run")
_OF_PART = _SESSIONS.part == bindparam("of_part")
_IS_OPEN = _SESSIONS.ended.is_(None)
_SAME = update(schema.sessions).where(_OF_RUN, _OF_PART, _SESSIONS.token == bindparam("of_token"))
_GIVE_BACK = _SAME.values(ended=bindparam("moment"), seen=bindparam("moment"))
_END_PART = update(schema.sessions).where(_OF_RUN, _IS_OPEN, _OF_PART).values(ended=_SESSIONS.seen)
_END_ALL = update(schema.sessions).where(_OF_RUN, _IS_OPEN).values(ended=_SESSIONS.seen)
_LAST_SIGN = select(func.max(func.coalesce(_SESSIONS.ended, _SESSIONS.seen))).where(_OF_RUN)
_NEWEST_PART = select(func.coalesce(func.max(_SESSIONS.token), 0)).where(_OF_RUN, _OF_PART)


@cache
def _open_with_time_left(dialect: str) -> Select[Any]:
    left = (_SESSIONS.expires - now_seconds(dialect)).label("left")
    return select(schema.sessions, left).where(_OF_RUN, _IS_OPEN, _OF_PART)


@dataclass(frozen=True, slots=True)
class Take(LeaseChange):
    """A process wants a run, or a part of it."""

    under: int
    """Token of the run that the part is held under; 0 for the run itself."""
    holder: Holder
    """Who wants it."""
    ttl_seconds: float
    """How long it is held without a heartbeat."""
    force: bool = False
    """Is it taken from whoever holds it?"""
    start: Unit | None = None
    """What puts the run on record, where it is not yet."""

    @property
    def size(self) -> int:
        """It and what goes with it."""
        return 1 if self.start is None else 1 + self.start.size

    @property
    def name(self) -> str:
        """What is done, for people."""
        return "the beginning of the session"


@dataclass(frozen=True, slots=True)
class Keep(LeaseChange):
    """A process is alive."""

    token: int
    """Of its session."""
    ttl_seconds: float
    """How long from now it is held without another heartbeat."""

    @property
    def name(self) -> str:
        """What is done, for people."""
        return "the heartbeat"


@dataclass(frozen=True, slots=True)
class GiveBack(LeaseChange):
    """A process ended its work."""

    token: int
    """Of its session."""

    @property
    def name(self) -> str:
        """What is done, for people."""
        return "the end of the session"


def take(connection: Connection, wish: Take, token: int) -> tuple[Session, RunTaken | None]:
    """Give a run or a part to a process, in the transaction of `connection`, which has locked the row of the run.

    `token` is the newest one of the run. Returns what is to be written in the log, for a run. Raises `RunHeld` while
    another process holds it: until its lease ends, or it is known to be dead; `LeaseLost` for a part whose run was
    taken since.
    """
    if wish.part and wish.under != token:
        raise LeaseLost(wish.run_id)
    if not wish.force:
        _refuse_while_held(connection, wish)
    last = _last_sign(connection, wish.run_id)
    _end_sessions(connection, wish)
    newest = _newest_part(connection, wish) if wish.part else token
    moment = datetime.now(UTC)
    session = Session(
        run_id=wish.run_id,
        part=wish.part,
        under=wish.under,
        token=newest + 1,
        began=moment,
        seen=moment,
        **vars(wish.holder),
    )
    expires = now_seconds(connection.dialect.name) + wish.ttl_seconds
    connection.execute(insert(schema.sessions).values(**session_row(session), expires=expires))
    return session, None if wish.part else RunTaken.by(session, last)


def is_held(connection: Connection, run_id: str) -> bool:
    """Say whether a process that may be alive holds a run."""
    found = connection.execute(_open_with_time_left(connection.dialect.name), {"of_run": run_id, "of_part": ""})
    return any(row["left"] > 0 and not is_dead(session_record(row)) for row in found.mappings())


def renew(connection: Connection, change: LeaseChange) -> None:
    """Carry out what a lease writes between its beginning and its end. Who lost it was refused before."""
    moment = datetime.now(UTC).isoformat()
    if isinstance(change, Keep):
        values = {"expires": now_seconds(connection.dialect.name) + change.ttl_seconds, "seen": moment}
        connection.execute(_SAME.values(values), _named(change) | {"of_token": change.token})
    elif isinstance(change, GiveBack):
        connection.execute(_GIVE_BACK, _named(change) | {"of_token": change.token, "moment": moment})


def newest_parts(connection: Connection, fences: Mapping[str, Fence]) -> dict[str, dict[str, int]]:
    """Return the newest token of every part that was ever taken, by run, of the runs where parts are held."""
    run_ids = [run_id for run_id, fence in fences.items() if fence.parts]
    if not run_ids:
        return {}
    query = select(_SESSIONS.run_id, _SESSIONS.part, func.max(_SESSIONS.token))
    query = query.where(_SESSIONS.run_id.in_(run_ids), _SESSIONS.part != "").group_by(_SESSIONS.run_id, _SESSIONS.part)
    newest: dict[str, dict[str, int]] = {}
    for run_id, part, token in connection.execute(query):
        newest.setdefault(run_id, {})[part] = token
    return newest


def _refuse_while_held(connection: Connection, wish: Take) -> None:
    for row in connection.execute(_open_with_time_left(connection.dialect.name), _named(wish)).mappings():
        session = session_record(row)
        if row["left"] > 0 and not is_dead(session):
            raise RunHeld(held_message(session, row["left"]))


def _end_sessions(connection: Connection, wish: Take) -> None:
    """Close the session that a dead process left; for a run those of its parts too."""
    connection.execute(_END_PART if wish.part else _END_ALL, _named(wish))


def _last_sign(connection: Connection, run_id: str) -> datetime | None:
    """Return when somebody who worked on a run was last known to be alive; None when nobody did before."""
    last = connection.scalar(_LAST_SIGN, {"of_run": run_id})
    return None if last is None else datetime.fromisoformat(last)


def _newest_part(connection: Connection, wish: Take) -> int:
    return connection.scalar(_NEWEST_PART, _named(wish)) or 0


def _named(change: LeaseChange) -> dict[str, object]:
    return {"of_run": change.run_id, "of_part": change.part}
