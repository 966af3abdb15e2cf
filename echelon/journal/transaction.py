"""One batch on its way into the database: proved, judged, numbered, written. All of it in one transaction.

The rows of its runs are locked first. With that the newest tokens are known, and nobody else gives out places of these
logs until the commit: their order is the order of the commits.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, exists, insert, select, update

from echelon.journal import schema, sessions
from echelon.journal.admission import Known, admit, asked_concerns, asked_gates, asked_steps, unknown
from echelon.journal.dialects import announce, lock_job
from echelon.journal.failpoints import failpoint
from echelon.journal.feeds import Place
from echelon.journal.fence import Fence
from echelon.journal.queries import concerns, gate_events
from echelon.journal.rows import concern_or_none, event_of, event_row, run_changes, run_row, session_row, step_row
from echelon.journal.sessions import Take
from echelon.journal.standing.claims import Claim, claim
from echelon.journal.standing.spending import StepSums
from echelon.journal.writer import MAX_BATCH, LeaseChange, Outcome, Unit, Write
from echelon.model.errors import EchelonError, LeaseLost
from echelon.model.session import Session
from echelon.model.status import Status
from echelon.runlog.events import (
    AdjustmentsApplied,
    AdjustmentsReverted,
    AutonomyDecided,
    ConcernDisposed,
    ConcernRaised,
    ConcernReopened,
    Event,
    PlanExtended,
    RunEnded,
    RunEvent,
    RunReopened,
    RunReviewed,
    RunStarted,
    StepEnded,
    TasksRetried,
)
from echelon.runlog.gate_events import GateAnswered, GateClosed, GateRaised
from echelon.runlog.gates import gates_of

_EVENTS = schema.events.c
_RUNS = schema.runs.c
_STEPS = schema.steps.c
_CONCERNS = schema.concerns.c
_DISPOSITIONS = schema.dispositions.c


@dataclass
class Head:
    """Where the log of a run ends, and who may write to it."""

    seq: int = 0
    """Of its newest event."""
    token: int = 0
    """Of the process that took it last."""
    job: str = ""
    """The job; empty for a run that begins here."""
    is_counted: bool = False
    """Is what its steps use counted for the standing budgets of its job (F10)?"""
    changes: dict[str, Any] = field(default_factory=dict[str, Any])
    """Other columns of its row that change."""


@dataclass
class Written:
    """What a batch came to."""

    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    """For each write why it was refused, else what came of it."""
    places: list[Place] = field(default_factory=list[Place])
    """Every event that was written."""
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """The rows of those events."""
    taken: list[Session] = field(default_factory=list[Session])
    """Every run and part that was taken."""
    run_ids: Collection[str] = ()
    """The runs it is about."""


def perform(connection: Connection, batch: Sequence[Write], fences: Mapping[str, Fence]) -> Written:
    """Write a batch, without what is refused: by a law, or since its run is held by another process meanwhile."""
    run_ids = {write.run_id for write in batch}
    heads = _lock_runs(connection, run_ids)
    lost = _find_lost(connection, heads, fences)
    page = _Page(connection, heads, _find_known(connection, batch, heads))
    for job in sorted({write.job for write in batch if isinstance(write, Claim)}):  # in one order, as the runs
        lock_job(connection, job)
    page.written.run_ids = run_ids
    for write in batch:
        if write.run_id in lost and not isinstance(write, Take):  # who takes it again proves nothing
            outcome = LeaseLost(write.run_id)
        else:
            outcome = page.append(write) if isinstance(write, Unit) else page.change_lease(write)
        page.written.outcomes.append(outcome)
    page.insert()
    return page.written


def is_there(connection: Connection, written: Written) -> bool:
    """Say whether a batch was written whose commit was not answered; False for one that may be written twice.

    Whoever may still be about to commit it is waited for: it holds the rows of its runs. A batch is there as a whole or
    not at all, so one of its rows speaks for all; it names a moment, so no other is the same.
    """
    _lock_runs(connection, written.run_ids)
    if written.rows:
        row = written.rows[0]
        same = [_EVENTS[name] == row[name] for name in ("run_id", "seq", "payload")]
    elif written.taken:
        row = session_row(written.taken[0])
        same = [schema.sessions.c[name] == row[name] for name in ("run_id", "part", "token", "record")]
    else:
        return False
    return bool(connection.scalar(select(exists().where(*same))))


class _Page:
    """What a batch adds to the journal, until it is inserted."""

    def __init__(self, connection: Connection, heads: dict[str, Head], known: Known) -> None:
        self.connection = connection
        self.heads = heads
        self.known = known
        self.written = Written()
        self.rows: dict[Table, list[dict[str, Any]]] = {table: [] for table in _INSERTS}
        """What is to be inserted, by table, in the order of the tables."""
        self.spent = StepSums()
        self.ended_gates: list[str] = []

    def append(self, unit: Unit) -> Outcome:
        """Give events their places, unless a law refuses them."""
        rejection = admit(unit.run_id, unit.events, self.known)
        if rejection is None:
            self._write(unit.run_id, unit.events, unit.payloads)
        return rejection

    def change_lease(self, change: LeaseChange) -> Outcome:
        """Take, keep or give back a run or a part of it."""
        if isinstance(change, Take) and change.start is not None:
            if (rejection := self.append(change.start)) is not None:
                return rejection
            self.insert_rows(schema.runs)  # a session names its run
        head = self.heads.get(change.run_id)
        if head is None:
            return unknown("run", change.run_id, "echelon runs")
        if isinstance(change, Take):
            return self._take(change, head)
        if isinstance(change, Claim):
            return claim(self.connection, change)
        sessions.renew(self.connection, change)
        return None

    def insert(self) -> None:
        """Write all of it."""
        for table in _INSERTS:
            self.insert_rows(table)
        self.spent.add_to(self.connection)
        if self.ended_gates:
            self.connection.execute(_END_GATE, [{"of_gate": gate} for gate in self.ended_gates])
        grown = {place.run_id: place.seq for place in self.written.places}
        if grown:
            self.connection.execute(_GROW, [{"of_run": run_id, "to_seq": seq} for run_id, seq in grown.items()])
            announce(self.connection, list(grown))
        for run_id, head in self.heads.items():
            if head.changes:
                self.connection.execute(update(schema.runs).where(_RUNS.run_id == run_id).values(head.changes))

    def insert_rows(self, table: Table) -> None:
        """Write what there is for a table."""
        if rows := self.rows[table]:
            self.connection.execute(_INSERTS[table], rows)
            self.rows[table] = []

    def _take(self, wish: Take, head: Head) -> Outcome:
        try:
            session, event = sessions.take(self.connection, wish, head.token)
        except EchelonError as refused:
            return refused
        self.written.taken.append(session)
        if event is not None:
            head.token = head.changes["token"] = session.token
            self._write(wish.run_id, (event,), (event.model_dump_json(),))
        failpoint("lease.uncommitted")
        return session

    def _write(self, run_id: str, events: Sequence[RunEvent], payloads: Sequence[str]) -> None:
        head = self.heads.setdefault(run_id, Head())
        places = self.written.places
        for event, payload in zip(events, payloads, strict=True):
            head.seq += 1
            row = event_row(head.seq, event, payload)
            self.rows[schema.events].append(row)
            self.written.rows.append(row)
            places.append(Place(run_id, head.seq, event))
            index = _INDEX.get(type(event))
            if index is not None:
                index(self, head, event)


def _index_start(page: _Page, head: Head, event: RunStarted) -> None:
    page.rows[schema.runs].append(run_row(event.record))
    if event.record.plan is not None:
        head.changes["plan_seq"] = head.seq


def _index_plan(_page: _Page, head: Head, _event: PlanExtended) -> None:
    head.changes["plan_seq"] = head.seq


def _index_change(_page: _Page, head: Head, event: RunEnded | RunReopened | TasksRetried) -> None:
    head.changes.update(run_changes(event))


def _index_step(page: _Page, head: Head, event: StepEnded) -> None:
    page.rows[schema.steps].append(step_row(head.seq, event.record))
    if head.is_counted:
        page.spent.note(head.job, head.token, event.record)


def _index_concern(page: _Page, head: Head, event: ConcernRaised) -> None:
    page.rows[schema.concerns].append({"id": event.record.id, "run_id": event.run_id, "seq": head.seq})


def _index_disposition(page: _Page, head: Head, event: ConcernDisposed) -> None:
    row = {"concern_id": event.concern_id, "run_id": event.run_id, "seq": head.seq}
    page.rows[schema.dispositions].append(row)


def _index_reopening(page: _Page, head: Head, event: ConcernReopened) -> None:
    """Keep what had ended the concern beside what takes it back: nothing has ended it now."""
    page.insert_rows(schema.concerns)  # what had ended it may be of this batch
    page.insert_rows(schema.dispositions)
    of_concern = _DISPOSITIONS.concern_id == event.concern_id
    disposed = page.connection.scalar(select(_DISPOSITIONS.seq).where(of_concern))
    page.connection.execute(delete(schema.dispositions).where(of_concern))
    row = {"concern_id": event.concern_id, "run_id": event.run_id, "seq": head.seq, "disposed_seq": disposed}
    page.rows[schema.reopenings].append(row)


def _index_gate(page: _Page, head: Head, event: GateRaised) -> None:
    page.rows[schema.gates].append({"id": event.record.id, "run_id": event.run_id, "seq": head.seq, "open": 1})


def _index_gate_end(page: _Page, _head: Head, event: GateAnswered | GateClosed) -> None:
    if isinstance(event, GateClosed) or not event.answer.refused:
        page.ended_gates.append(event.gate_id)


def _index_autonomy(page: _Page, head: Head, event: AutonomyDecided) -> None:
    page.rows[schema.autonomy].append({"run_id": event.run_id, "seq": head.seq})


def _index_review(page: _Page, head: Head, event: RunReviewed) -> None:
    page.rows[schema.reviews].append({"run_id": event.run_id, "seq": head.seq})


def _index_adjustments(page: _Page, head: Head, event: AdjustmentsApplied | AdjustmentsReverted) -> None:
    page.rows[schema.adjustments].append({"run_id": event.run_id, "seq": head.seq})


_INDEX: dict[type[Event], Callable[[_Page, Head, Any], None]] = {
    RunStarted: _index_start,
    PlanExtended: _index_plan,
    RunReopened: _index_change,
    TasksRetried: _index_change,
    RunEnded: _index_change,
    StepEnded: _index_step,
    ConcernRaised: _index_concern,
    ConcernDisposed: _index_disposition,
    ConcernReopened: _index_reopening,
    GateRaised: _index_gate,
    GateAnswered: _index_gate_end,
    GateClosed: _index_gate_end,
    AutonomyDecided: _index_autonomy,
    RunReviewed: _index_review,
    AdjustmentsApplied: _index_adjustments,
    AdjustmentsReverted: _index_adjustments,
}
"""Kind → what of it stands in an index. All else is found in the log only."""

_INSERTS = {
    table: insert(table)
    for table in (
        schema.runs,
        schema.events,
        schema.steps,
        schema.concerns,
        schema.dispositions,
        schema.reopenings,
        schema.gates,
        schema.autonomy,
        schema.reviews,
        schema.adjustments,
    )
}

_LOCK = (
    select(_RUNS.seq, _RUNS.token, _RUNS.job, _RUNS.counted)
    .where(_RUNS.run_id == bindparam("wanted"))
    .with_for_update()
)

# Statements are made once: making one costs as much as carrying it out.
_STEPS_WITH = (
    select(_STEPS.run_id, _STEPS.key, _STEPS.status)
    .where(_STEPS.key.in_(bindparam("wanted", expanding=True)))
    .where(_STEPS.run_id.in_(bindparam("of_runs", expanding=True)))
    .order_by(_STEPS.seq)
)

_CONCERNS_WITH = concerns().where(_CONCERNS.id.in_(bindparam("wanted", expanding=True)))

_END_GATE = update(schema.gates).where(schema.gates.c.id == bindparam("of_gate")).values(open=0)

_GROW = update(schema.runs).where(_RUNS.run_id == bindparam("of_run")).values(seq=bindparam("to_seq"))


def _lock_runs(connection: Connection, run_ids: Iterable[str]) -> dict[str, Head]:
    """Return where the logs of runs end; nobody else can write to them until the end of the transaction."""
    heads: dict[str, Head] = {}
    for run_id in sorted(run_ids):  # in one order, so that two processes do not wait for each other
        found = connection.execute(_LOCK, {"wanted": run_id}).first()
        if found is not None:
            seq, token, job, counted = found
            heads[run_id] = Head(seq, token, job, bool(counted))
    return heads


def _find_lost(connection: Connection, heads: Mapping[str, Head], fences: Mapping[str, Fence]) -> set[str]:
    """Return the runs of which something is held by another process meanwhile."""
    parts = sessions.newest_parts(connection, fences)
    return {
        run_id
        for run_id, fence in fences.items()
        if run_id not in heads or not fence.stands(heads[run_id].token, parts.get(run_id, {}))
    }


def _find_known(connection: Connection, batch: Sequence[Write], heads: Collection[str]) -> Known:
    """Return what the laws must know to judge a batch."""
    known = Known(runs=set(heads))
    events = [event for write in batch if isinstance(write, Unit) for event in write.events]
    for keys in _cut({key for _, key in asked_steps(events)}):
        for run_id, key, status in connection.execute(_STEPS_WITH, {"wanted": keys, "of_runs": list(heads)}):
            known.steps[run_id, key] = Status(status)
    for ids in _cut(asked_concerns(events)):
        for row in connection.execute(_CONCERNS_WITH, {"wanted": ids}).mappings():
            if (record := concern_or_none(row)) is not None:
                known.concerns[record.id] = record
    for ids in _cut(asked_gates(events)):
        known.gates.update(gates_of(map(event_of, connection.execute(gate_events(ids)).mappings())))
    return known


def _cut(values: Iterable[str]) -> Iterable[Sequence[str]]:
    """Cut values into pieces that fit into a query."""
    rest = iter(values)
    while piece := tuple(islice(rest, MAX_BATCH)):
        yield piece
