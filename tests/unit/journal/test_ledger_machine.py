"""O1, O7, O10: whatever happens to concerns, and whenever the process ends, nothing is lost: out = in.

`LEDGER_SEQUENCES` says how many sequences there are in memory; each database takes 3 % of them.
"""

import os
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from echelon.journal.journal import SqlJournal
from echelon.model.concern import Concern, ConcernRecord
from echelon.model.errors import InvalidInput, JournalError
from echelon.oversight.ledger import ends_of, ledger_of
from echelon.runlog.events import ConcernDisposed, ConcernRaised, ConcernReopened, RunEvent
from echelon.runlog.state import fold
from echelon.settings import Settings
from echelon.testing.run_events import NOON, disposition, run_started
from tests.unit.journal.machine import JournalMachine, Open, in_memory

SEQUENCES = int(os.environ.get("LEDGER_SEQUENCES", "100"))
ON_A_DATABASE = max(3, SEQUENCES * 3 // 100)
#: Of one sequence.
STEPS = 15

#: What concerns say, the lead that some of them are about, and what all of them are about.
WORDS, LEAD, ABOUT = ("the lock is claimed twice", "it is empty"), "lead-1", "locks.py"

runs = st.integers(0, 1)
chosen = st.integers(0, 1_000)
nothing_or = st.sampled_from(((), (" ",), ("locks.py",)))


class Ledger(JournalMachine):
    """What was admitted is kept beside the journal in the plainest way: a list of events for each concern."""

    def __init__(self, open_journal: Open) -> None:
        super().__init__(open_journal)
        self._admitted: dict[str, list[RunEvent]] = {}
        self._runs = [f"{self.prefix}-r{number}" for number in range(2)]
        for run_id in self._runs:
            self._do(self._journal.append(run_started(run_id)))

    @rule(run=runs, words=st.sampled_from(WORDS), about_lead=st.booleans())
    def raise_concern(self, run: int, words: str, about_lead: bool) -> None:
        record = ConcernRecord(
            id=f"{self._runs[0]}-c{len(self._admitted)}",
            run_id=self._runs[run],
            source="look",
            concern=Concern(about=ABOUT, message=words, confidence=0.4, impact=0.9),
            at=self._now,
            about_nodes=(LEAD,) if about_lead else (),
        )
        event = ConcernRaised(run_id=record.run_id, at=self._now, record=record)
        self._do(self._journal.append(event))
        self._admitted[record.id] = [event]

    @precondition(lambda self: self._admitted)
    @rule(at=chosen)
    def raise_what_is_on_record(self, at: int) -> None:
        self._append(self._admitted[self._chosen(at).id][0], lawful=False)

    @precondition(lambda self: self._admitted)
    @rule(
        at=chosen,
        run=runs,
        author=st.sampled_from(("mia", LEAD, ABOUT)),
        verdict=st.sampled_from(("resolved", "accepted", "dismissed")),
        looked_at=nothing_or,
    )
    def dispose(self, at: int, run: int, author: str, verdict: Any, looked_at: tuple[str, ...]) -> None:
        found, run_id = self._chosen(at), self._runs[run]
        end = disposition(author, verdict, looked_at=looked_at, at=self._now)
        event = ConcernDisposed(run_id=run_id, at=self._now, concern_id=found.id, disposition=end)
        is_said = looked_at == ("locks.py",)
        is_judge = author != ABOUT and author not in found.about_nodes
        self._append(
            event,
            lawful=found.is_open and found.run_id == run_id and is_judge and (is_said or verdict != "dismissed"),
        )

    @precondition(lambda self: self._admitted)
    @rule(at=chosen, evidence=nothing_or)
    def reopen(self, at: int, evidence: tuple[str, ...]) -> None:
        found = self._chosen(at)
        event = ConcernReopened(
            run_id=found.run_id, at=self._now, concern_id=found.id, by="noa", reason="it is back", evidence=evidence
        )
        self._append(event, lawful=evidence == ("locks.py",) and not found.is_open)

    @invariant()
    def nothing_is_lost(self) -> None:
        expected = {name: as_admitted(events) for name, events in self._admitted.items()}
        found = [one for run_id in self._runs for one in self._do(self._journal.concerns(run_id))]
        assert len(found) == len(expected), "concerns out = concerns in"
        assert {one.id: one for one in found} == expected, "the index says what was admitted"
        for run_id in self._runs:
            folded = fold([entry.event for entry in self._do(self._journal.events(run_id))]).concerns
            assert folded == {one.id: one for one in expected.values() if one.run_id == run_id}, "so does the log"
            waiting = self._do(self._journal.concerns(run_id, open_only=True))
            assert [one.id for one in waiting] == [one.id for one in folded.values() if one.is_open]
        self._check_ledger(found)

    def _check_ledger(self, found: Sequence[ConcernRecord]) -> None:
        entries = ledger_of(found, dict.fromkeys(self._runs, "audit"))
        listed = sorted(one.id for entry in entries for one in entry.records)
        ends = [event for events in self._admitted.values() for event in events if isinstance(event, ConcernDisposed)]
        dismissed = sum(event.disposition.verdict == "dismissed" for event in ends)
        assert listed == sorted(self._admitted), "each concern stands in one entry"
        assert sum(len(entry.dispositions) for entry in entries) == len(ends), "no end is forgotten"
        assert sum(len(ends_of(one)) for one in found) == len(ends)
        assert sum(entry.filtering_failures for entry in entries) <= dismissed

    def _append(self, event: RunEvent, *, lawful: bool) -> None:
        if lawful:
            self._do(self._journal.append(event))
            self._admitted[event.subject].append(event)
            return
        with pytest.raises((InvalidInput, JournalError)):
            self._do(self._journal.append(event))

    def _chosen(self, at: int) -> ConcernRecord:
        names = list(self._admitted)
        return as_admitted(self._admitted[names[at % len(names)]])

    @property
    def _now(self) -> Any:
        return NOON + timedelta(minutes=sum(map(len, self._admitted.values())))


def as_admitted(events: Sequence[RunEvent]) -> ConcernRecord:
    """A concern as its events leave it."""
    first = events[0]
    assert isinstance(first, ConcernRaised)
    record = first.record
    for event in events[1:]:
        if isinstance(event, ConcernDisposed):
            record = record.model_copy(update={"disposition": event.disposition})
        elif isinstance(event, ConcernReopened):
            record = record.reopen(event.by, event.reason, event.evidence, event.at)
    return record


@pytest.mark.timeout(3600)
def test_on_the_journal_in_memory_nothing_is_lost() -> None:
    Ledger.walk(in_memory, SEQUENCES, STEPS)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_on_a_database_nothing_is_lost(database: str, tmp_path: Any, request: pytest.FixtureRequest) -> None:
    url = {"journal_url": request.getfixturevalue("blank")} if database == "postgresql" else {}
    where = Settings(home=tmp_path / "home", **url)
    Ledger.walk(lambda: partial(SqlJournal.open, where), ON_A_DATABASE, STEPS)
