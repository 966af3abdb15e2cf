"""How a run or a part of one is taken, kept and given back (F8).

A lease ends by the clock of the database, the only one that all processes share. Each taking gives a higher token; a
write proves, once a transaction, that its tokens are still the newest ones. The proof holds the row of the run: on
PostgreSQL nobody takes the run between the proof and the commit, on SQLite only one writes at all.

A part is held under the token of its run. When the run is taken anew, the sessions of its parts end with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from echelon.journal import schema
from echelon.journal.dialects import now_seconds
from echelon.journal.fence import Fence
from echelon.journal.holder import Holder, held_message, is_dead, taken_event
from echelon.journal.rows import session_record, session_row
from echelon.journal.writer import LeaseChange, Unit
from echelon.model.errors import LeaseLost, RunHeld
from echelon.model.session import Session
from echelon.runlog.events import RunTaken

_SESSIONS = schema.sessions.c


@dataclass(frozen=True, slots=True)
class Take(LeaseChange):
    """A process wants a run, or a part of it."""

    under: int
    """Token of the run that the part is held under; 0 for the run itself."""
    holder: Holder
    """Who wants it."""
    ttl_seconds: float
    """How long it is held without a heartbeat."""
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
    expires = now_seconds(connection) + wish.ttl_seconds
    connection.execute(insert(schema.sessions).values(**session_row(session), expires=expires))
    return session, None if wish.part else taken_event(session, last)


def is_held(connection: Connection, run_id: str) -> bool:
    """Say whether a process that may be alive holds a run."""
    left = (_SESSIONS.expires - now_seconds(connection)).label("left")
    which = _SESSIONS.run_id == run_id, _SESSIONS.part == "", _SESSIONS.ended.is_(None)
    found = connection.execute(select(schema.sessions, left).where(*which)).mappings()
    return any(row["left"] > 0 and not is_dead(session_record(row)) for row in found)


def renew(connection: Connection, change: LeaseChange) -> None:
    """Carry out what a lease writes between its beginning and its end. Who lost it was refused before."""
    moment = datetime.now(UTC).isoformat()
    if isinstance(change, Keep):
        values = {"expires": now_seconds(connection) + change.ttl_seconds, "seen": moment}
        connection.execute(update(schema.sessions).where(*_same(change)).values(values))
    elif isinstance(change, GiveBack):
        connection.execute(update(schema.sessions).where(*_same(change)).values(ended=moment, seen=moment))


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
    left = (_SESSIONS.expires - now_seconds(connection)).label("left")
    found = connection.execute(select(schema.sessions, left).where(*_open(wish), _SESSIONS.part == wish.part))
    for row in found.mappings():
        session = session_record(row)
        if row["left"] > 0 and not is_dead(session):
            raise RunHeld(held_message(session, row["left"]))


def _end_sessions(connection: Connection, wish: Take) -> None:
    """Close the session that a dead process left; for a run those of its parts too."""
    which = [*_open(wish), _SESSIONS.part == wish.part] if wish.part else _open(wish)
    connection.execute(update(schema.sessions).where(*which).values(ended=_SESSIONS.seen))


def _last_sign(connection: Connection, run_id: str) -> datetime | None:
    """Return when somebody who worked on a run was last known to be alive; None when nobody did before."""
    query = select(func.max(func.coalesce(_SESSIONS.ended, _SESSIONS.seen))).where(_SESSIONS.run_id == run_id)
    last = connection.scalar(query)
    return None if last is None else datetime.fromisoformat(last)


def _newest_part(connection: Connection, wish: Take) -> int:
    of_part = _SESSIONS.run_id == wish.run_id, _SESSIONS.part == wish.part
    return connection.scalar(select(func.coalesce(func.max(_SESSIONS.token), 0)).where(*of_part)) or 0


def _open(wish: Take) -> Sequence[Any]:
    return _SESSIONS.run_id == wish.run_id, _SESSIONS.ended.is_(None)


def _same(change: Keep | GiveBack) -> Sequence[Any]:
    return _SESSIONS.run_id == change.run_id, _SESSIONS.part == change.part, _SESSIONS.token == change.token
