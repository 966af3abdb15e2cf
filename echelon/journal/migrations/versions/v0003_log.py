"""The journal becomes a log: what happened in a run is one sequence of events, and the other tables are its indexes.

Every row of an old table becomes an event. Where two tables say nothing about which came first, time does; the order
within one table stays. JSON is put together by hand: what the values of today look like is not this file's business.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from heapq import merge
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: Rows that are read, and written, at one time: a journal may be larger than the memory.
_ROWS = 500

_OLD = ("dispositions", "concerns", "claims", "exceptions", "steps", "events")

_NEW = sa.MetaData()
_EVENTS = sa.Table(
    "events",
    _NEW,
    sa.Column("run_id", sa.String, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("run_id", "seq", name="pk_events"),
)
_STEPS = sa.Table(
    "steps",
    _NEW,
    sa.Column("run_id", sa.String, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("phase", sa.String, nullable=False),
    sa.Column("node", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.PrimaryKeyConstraint("run_id", "seq", name="pk_steps"),
    sqlite_with_rowid=False,
)
_CONCERNS = sa.Table(
    "concerns",
    _NEW,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True),
    sa.Column("id", sa.String, nullable=False),
    sa.Column("run_id", sa.String, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("number", name="pk_concerns"),
    sa.UniqueConstraint("id", name="ux_concerns_id"),
)
_DISPOSITIONS = sa.Table(
    "dispositions",
    _NEW,
    sa.Column("concern_id", sa.String, nullable=False),
    sa.Column("run_id", sa.String, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("concern_id", name="pk_dispositions"),
    sa.ForeignKeyConstraint(["concern_id"], ["concerns.id"], name="fk_dispositions_concern"),
)


def upgrade() -> None:
    """Make the log, and indexes that point into it."""
    for name in _OLD:
        op.rename_table(name, f"old_{name}")
    for name in ("concerns", "claims", "exceptions", "steps", "events"):  # they are read run by run, in their order
        op.create_index(f"ix_old_{name}", f"old_{name}", ["run_id", "number"])
    _NEW.create_all(op.get_bind(), checkfirst=False)
    op.add_column("runs", sa.Column("seq", sa.Integer, nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("plan_seq", sa.Integer))
    _Move(op.get_bind()).move()
    for name in _OLD:
        op.drop_table(f"old_{name}")
    op.drop_column("runs", "plan")
    _create_indexes()


def downgrade() -> None:
    """Refuse: an older version could not read what was written since."""
    raise NotImplementedError("a journal that became a log cannot be taken back; keep a copy of it before an upgrade")


def _create_indexes() -> None:
    op.create_index("ix_steps_key", "steps", ["key"])
    op.create_index("ix_steps_run_phase", "steps", ["run_id", "phase", "node"])
    # Completed is final (C2), also between processes that look at the same time.
    completed = sa.text("status = 'completed'")
    op.create_index(
        "ux_steps_completed",
        "steps",
        ["run_id", "key"],
        unique=True,
        sqlite_where=completed,
        postgresql_where=completed,
    )
    op.create_index("ix_concerns_run", "concerns", ["run_id"])
    op.add_column("sessions", sa.Column("part", sa.String, nullable=False, server_default=""))
    op.drop_index("ux_sessions_token", "sessions")
    op.create_index("ux_sessions_token", "sessions", ["run_id", "part", "token"], unique=True)


class _Entry(NamedTuple):
    """An event that was a row."""

    at: datetime
    """When it happened."""
    kind: str
    subject: str
    fields: Mapping[str, str]
    """What it says, each as JSON."""
    indexed: Mapping[str, Any] = {}
    """What of it stands in the index of its kind."""


class _Move:
    """Moves the rows of all runs, one run after the other."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._events: list[dict[str, Any]] = []
        self._steps: list[dict[str, Any]] = []
        self._concerns: list[tuple[int, dict[str, Any]]] = []
        self._dispositions: list[dict[str, Any]] = []

    def move(self) -> None:
        """Move everything."""
        last = 0
        while runs := self._rows("runs", sa.column("number") > last, limit=1):  # a plan may be large
            last = runs[0]["number"]
            self._move_run(runs[0])
        self._flush()
        # Concerns are numbered in the order they were raised, whatever their runs.
        self._insert(_CONCERNS, [row for _, row in sorted(self._concerns, key=itemgetter(0))])
        self._insert(_DISPOSITIONS, self._dispositions)

    def _move_run(self, run: sa.RowMapping) -> None:
        run_id, seq, last = run["run_id"], 0, _time(run["started"])
        for entry in chain([_started(run)], self._entries(run_id)):
            seq, last = seq + 1, max(last, entry.at)
            self._add(run_id, seq, entry)
        if (end := _ended(run, last)) is not None:
            seq += 1
            self._add(run_id, seq, end)
        update = sa.text("UPDATE runs SET seq = :seq, plan_seq = :plan_seq WHERE run_id = :run_id")
        plan_seq = None if run["plan"] is None else 1
        self._connection.execute(update, {"seq": seq, "plan_seq": plan_seq, "run_id": run_id})

    def _entries(self, run_id: str) -> Iterator[_Entry]:
        """Give what happened in a run between its beginning and its end, in the order it did."""
        streams = (
            self._stream(run_id, "sessions", _Sessions()),
            self._stream(run_id, "old_events", _of_event),
            self._stream(run_id, "old_claims", _of_claim),
            self._stream(run_id, "old_steps", _of_step),
            self._stream(run_id, "old_concerns", _of_concern),
            self._stream(run_id, "old_exceptions", _of_exception),
            self._ends(run_id),
        )
        return merge(*streams, key=attrgetter("at"))

    def _stream(
        self, run_id: str, table: str, entries: Callable[[sa.RowMapping], Iterator[_Entry]]
    ) -> Iterator[_Entry]:
        """Give the entries of one table; none is earlier than the one before it, whatever its clock said."""
        last, latest = 0, datetime.min.replace(tzinfo=UTC)
        of_run = sa.column("run_id") == run_id
        while rows := self._rows(table, of_run, sa.column("number") > last):
            last = rows[-1]["number"]
            for entry in chain.from_iterable(map(entries, rows)):
                latest = max(latest, entry.at)
                yield entry._replace(at=latest)

    def _ends(self, run_id: str) -> Iterator[_Entry]:
        """Give the dispositions of a run, none before the concern that it ends."""
        raised = {entry.subject: entry.at for entry in self._stream(run_id, "old_concerns", _of_concern)}
        ended: list[_Entry] = []
        for ids in (tuple(raised)[at : at + _ROWS] for at in range(0, len(raised), _ROWS)):
            rows = self._rows("old_dispositions", sa.column("concern_id").in_(ids), order="concern_id")
            ended += [_disposed(row, raised[row["concern_id"]]) for row in rows]
        return iter(sorted(ended, key=attrgetter("at")))

    def _add(self, run_id: str, seq: int, entry: _Entry) -> None:
        self._events.append({
            "run_id": run_id,
            "seq": seq,
            "kind": entry.kind,
            "subject": entry.subject,
            "at": entry.at.isoformat(),
            "payload": _payload(run_id, entry),
        })  # fmt: skip
        place = {"run_id": run_id, "seq": seq}
        if entry.kind == "step_ended":
            self._steps.append({**place, **entry.indexed})
        elif entry.kind == "concern_raised":
            self._concerns.append((entry.indexed["number"], {**place, "id": entry.subject}))
        elif entry.kind == "concern_disposed":
            self._dispositions.append({**place, "concern_id": entry.subject})
        if len(self._events) >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        self._insert(_EVENTS, self._events)
        self._insert(_STEPS, self._steps)
        self._events, self._steps = [], []

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(sa.insert(table), rows)

    def _rows(
        self, table: str, *which: sa.ColumnElement[bool], order: str = "number", limit: int = _ROWS
    ) -> Sequence[sa.RowMapping]:
        query = sa.select(sa.text("*")).select_from(sa.table(table)).where(*which)
        found = self._connection.execute(query.order_by(sa.column(order)).limit(limit))
        return found.mappings().all()


def _started(run: sa.RowMapping) -> _Entry:
    record = {
        **{name: _json(run[name]) for name in ("run_id", "job", "source", "started", "flow_run_id")},
        "inputs": run["inputs"],
        "status": '"running"',
        "plan": run["plan"] or "null",
    }
    return _Entry(_time(run["started"]), "run_started", "", {"record": _object(record)})


def _ended(run: sa.RowMapping, last: datetime) -> _Entry | None:
    """Return the end of a run; None while it is at work."""
    if run["status"] == "running" and run["finished"] is None:
        return None
    finished = _time(run["finished"]) if run["finished"] else last
    fields = {name: _json(run[name]) for name in ("status", "finished", "report")}
    return _Entry(max(finished, last), "run_ended", "", fields)


class _Sessions:
    """Who took a run; each says since when nobody was at work on it."""

    def __init__(self) -> None:
        self._idle_since: str | None = None

    def __call__(self, row: sa.RowMapping) -> Iterator[_Entry]:
        """Give the entry of one session."""
        record = json.loads(row["record"])
        fields = {name: _json(record[name]) for name in ("token", "host", "pid")}
        yield _Entry(_time(record["began"]), "run_taken", "", fields | {"idle_since": _json(self._idle_since)})
        self._idle_since = row["ended"] or row["seen"]


def _of_event(row: sa.RowMapping) -> Iterator[_Entry]:
    make = _EVENTS_OF.get(row["kind"])
    if make is not None:
        kind, fields = make(row)
        yield _Entry(_time(row["at"]), kind, "" if kind == "run_reopened" else row["subject"], fields)


def _reopened(row: sa.RowMapping) -> tuple[str, Mapping[str, str]]:
    before = json.loads(row["payload"])
    return "run_reopened", {"before": _json(before["status"]), "finished": _json(before["finished"])}


def _breaker(row: sa.RowMapping) -> tuple[str, Mapping[str, str]]:
    return "breaker_changed", {"news": row["payload"]}


def _decided(row: sa.RowMapping) -> tuple[str, Mapping[str, str]]:
    decision = "redo" if row["kind"] == "effect.redone" else "done"
    return "operator_decided", {"task_id": _json(row["subject"]), "decision": _json(decision)}


#: What became of each kind of event that there was.
_EVENTS_OF: dict[str, Callable[[sa.RowMapping], tuple[str, Mapping[str, str]]]] = {
    "run.reopened": _reopened,
    "breaker": _breaker,
    "effect.redone": _decided,
    "effect.told-done": _decided,
}


def _of_claim(row: sa.RowMapping) -> Iterator[_Entry]:
    record = json.loads(row["record"])
    at, task = _time(record["at"]), record["task_id"]
    yield _Entry(at, "effect_intended", task, {"intent": row["record"]})
    if row["settled"]:
        fields = {"key": _json(record["key"]), "task_id": _json(task), "attempt": _json(record["attempt"])}
        yield _Entry(at, "effect_settled", task, fields)


def _of_step(row: sa.RowMapping) -> Iterator[_Entry]:
    record = json.loads(row["record"])
    index = {name: row[name] for name in ("key", "phase", "node", "status")}
    fields = {"record": row["record"]}
    yield _Entry(_time(record["finished"]), "step_ended", record["handoff"]["task_id"], fields, index)


def _of_concern(row: sa.RowMapping) -> Iterator[_Entry]:
    at = _time(json.loads(row["record"])["at"])
    yield _Entry(at, "concern_raised", row["id"], {"record": row["record"]}, {"number": row["number"]})


def _disposed(row: sa.RowMapping, raised: datetime) -> _Entry:
    at = max(_time(json.loads(row["record"])["at"]), raised)
    fields = {"concern_id": _json(row["concern_id"]), "disposition": row["record"]}
    return _Entry(at, "concern_disposed", row["concern_id"], fields)


def _of_exception(row: sa.RowMapping) -> Iterator[_Entry]:
    at = _time(json.loads(row["record"])["at"])
    yield _Entry(at, "exception_pushed", "", {"report": row["record"]})


def _payload(run_id: str, entry: _Entry) -> str:
    head = {"run_id": _json(run_id), "at": _json(entry.at.isoformat()), "kind": _json(entry.kind)}
    return _object({**head, **entry.fields})


def _object(fields: Mapping[str, str]) -> str:
    """Return an object of fields that are JSON already: what was written once is not written anew."""
    return "{" + ",".join(f"{_json(name)}:{value}" for name, value in fields.items()) + "}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
