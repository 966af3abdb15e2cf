"""O5, O8: whatever is asked, answered and begun, and whenever the process ends, nothing irreversible begins unapproved.

`GATE_SEQUENCES` says how many sequences there are in memory; each database takes 3 % of them.
"""

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from echelon.journal.journal import SqlJournal
from echelon.model.errors import InvalidInput
from echelon.model.oversight.gate import GateRecord
from echelon.model.oversight.terms import Gate
from echelon.oversight.gates.answering import answer_gate
from echelon.oversight.gates.answers import AnswerWish
from echelon.runlog.events import ConcernDisposed, EffectIntended, EffectSettled, RunEvent
from echelon.runlog.gate_events import ApprovalReturned, ApprovalUsed, GateClosed, GateExtended, GateRaised
from echelon.runlog.state import fold
from echelon.settings import Settings
from echelon.testing.run_events import (
    NOON,
    concern_raised,
    disposition,
    effect_intent,
    gate,
    key_of,
    run_started,
    small_plan,
)
from tests.unit.journal.machine import JournalMachine, Open, in_memory

SEQUENCES = int(os.environ.get("GATE_SEQUENCES", "100"))
ON_A_DATABASE = max(3, SEQUENCES * 3 // 100)
#: Of one sequence.
STEPS = 20

DIGESTS = ("82,000 to ACME", "820,000 to ACME")

chosen = st.integers(0, 1_000)
digests = st.sampled_from(DIGESTS)


@dataclass
class Known:
    """What must be true of a gate, in the plainest way."""

    record: GateRecord
    answers: int = 0
    verdict: str = ""
    closed: bool = False
    used: bool = False
    expires: datetime | None = None
    begun: list[str] = field(default_factory=list[str])

    def is_over(self, at: datetime) -> bool:
        return self.expires is not None and at > self.expires

    @property
    def is_open(self) -> bool:
        return not self.verdict and not self.closed


class Gates(JournalMachine):
    """What is known of each gate is kept beside the journal, and what may follow from it is decided here once more."""

    def __init__(self, open_journal: Open) -> None:
        super().__init__(open_journal)
        self._known: dict[str, Known] = {}
        self._concerns: dict[str, bool] = {}
        self._now = NOON
        self._run = f"{self.prefix}-r"
        self._do(self._journal.append(run_started(self._run, plan=small_plan(("inspect",)))))

    @rule(digest=digests, approvers=st.sampled_from(((), ("mia",))), minutes=st.none() | st.integers(1, 5))
    def raise_gate(self, digest: str, approvers: tuple[str, ...], minutes: int | None) -> None:
        expires = None if minutes is None else self._now + timedelta(minutes=minutes)
        name = f"{self._run}-g{len(self._known)}"
        record = gate(
            name,
            self._run,
            digest=digest,
            nonce=name,
            key=key_of(name),
            terms=Gate(approvers=approvers),
            expires=expires,
            at=self._now,
        )
        self._do(self._journal.append(GateRaised(run_id=self._run, at=self._now, record=record)))
        self._known[name] = Known(record, expires=expires)

    @precondition(lambda self: self._known)
    @rule(
        at=chosen,
        author=st.sampled_from(("mia", "tom")),
        verdict=st.sampled_from(("approve", "deny", "done")),
        digest=st.none() | digests,
        nonce=st.sampled_from((None, "of another one")),
    )
    def answer(self, at: int, author: str, verdict: Any, digest: str | None, nonce: str | None) -> None:
        known = self._chosen(at)
        wish = AnswerWish(verdict=verdict, author=author, digest=digest, nonce=nonce)
        found = self._do(answer_gate(self._journal, known.record.id, wish, self._now))
        counts = (
            known.is_open
            and not known.is_over(self._now)
            and nonce is None
            and digest in (None, known.record.digest)
            and author in (known.record.terms.approvers or (author,))
            and verdict != "done"
            and not (verdict == "approve" and any(self._concerns.values()))
        )
        assert found.counts is counts
        known.answers += 1
        known.verdict = verdict if counts else known.verdict

    @precondition(lambda self: self._known)
    @rule(at=chosen, minutes=st.integers(1, 5))
    def extend(self, at: int, minutes: int) -> None:
        known, until = self._chosen(at), self._now + timedelta(minutes=minutes)
        event = GateExtended(run_id=self._run, at=self._now, gate_id=known.record.id, until=until, by="tom")
        self._do(self._journal.append(event))
        known.expires = until if known.is_open else known.expires

    @precondition(lambda self: self._known)
    @rule(at=chosen)
    def close(self, at: int) -> None:
        known = self._chosen(at)
        event = GateClosed(run_id=self._run, at=self._now, gate_id=known.record.id, reason="it has changed")
        self._do(self._journal.append(event))
        known.closed = True

    @precondition(lambda self: self._known)
    @rule(at=chosen, digest=digests, own_key=st.booleans())
    def begin(self, at: int, digest: str, own_key: bool) -> None:
        known = self._chosen(at)
        key = known.record.key if own_key else key_of("another step")
        lawful = (
            known.verdict == "approve"
            and not known.closed
            and not known.used
            and own_key
            and digest == known.record.digest
            and not known.is_over(self._now)
        )
        used = ApprovalUsed(run_id=self._run, at=self._now, gate_id=known.record.id, key=key, digest=digest)
        if not self._append(used, self._intended(known, key), lawful=lawful):
            return
        known.used = True
        known.begun.append(digest)

    @precondition(lambda self: self._known)
    @rule(at=chosen)
    def begin_without_an_approval(self, at: int) -> None:
        known = self._chosen(at)
        self._append(self._intended(known, known.record.key), lawful=False)

    @precondition(lambda self: any(known.used for known in self._known.values()))
    @rule(at=chosen)
    def say_that_nothing_happened(self, at: int) -> None:
        begun = [known for known in self._known.values() if known.used]
        known = begun[at % len(begun)]
        returned = ApprovalReturned(run_id=self._run, at=self._now, gate_id=known.record.id)
        settled = EffectSettled(
            run_id=self._run, at=self._now, key=known.record.key, task_id="inspect", attempt=len(known.begun)
        )
        self._do(self._journal.append(returned, settled))
        known.used = False

    @rule()
    def raise_concern(self) -> None:
        name = f"{self._run}-c{len(self._concerns)}"
        self._do(self._journal.append(concern_raised(name, self._run)))
        self._concerns[name] = True

    @precondition(lambda self: any(self._concerns.values()))
    @rule()
    def dispose_of_a_concern(self) -> None:
        name = next(name for name, is_open in self._concerns.items() if is_open)
        ended = ConcernDisposed(run_id=self._run, at=self._now, concern_id=name, disposition=disposition())
        self._do(self._journal.append(ended))
        self._concerns[name] = False

    @rule(minutes=st.integers(1, 3))
    def let_time_pass(self, minutes: int) -> None:
        self._now += timedelta(minutes=minutes)

    @invariant()
    def what_is_on_record_is_what_was_asked_and_answered(self) -> None:
        found = {one.id: one for one in self._do(self._journal.gates(self._run))}
        events = [entry.event for entry in self._do(self._journal.events(self._run))]
        assert found == dict(fold(events).gates), "the index says what the log says"
        assert {name: (len(one.answers), one.used, one.expires) for name, one in found.items()} == {
            name: (known.answers, known.used, known.expires) for name, known in self._known.items()
        }
        assert {name: one.decision.verdict if one.decision else "" for name, one in found.items()} == {
            name: known.verdict for name, known in self._known.items()
        }
        waiting = [one.id for one in self._do(self._journal.gates(self._run, open_only=True))]
        assert waiting == [name for name, known in self._known.items() if known.is_open]
        self._check_effects(events)

    def _check_effects(self, events: list[RunEvent]) -> None:
        """Look through the log alone: behind each effect stands an approval of just that, used for nothing else."""
        free: dict[str, bool] = {}
        last: RunEvent | None = None
        begun = 0
        for event in events:
            if isinstance(event, ApprovalReturned):
                free[event.gate_id] = True
            if isinstance(event, EffectIntended):
                assert isinstance(last, ApprovalUsed)
                known = self._known[last.gate_id]
                assert (known.verdict, last.digest, last.key) == ("approve", known.record.digest, event.intent.key)
                assert free.pop(last.gate_id, True), "it is used once"
                free[last.gate_id] = False
                begun += 1
            last = event
        assert begun == sum(len(known.begun) for known in self._known.values())

    def _intended(self, known: Known, key: str) -> EffectIntended:
        intent = effect_intent("inspect", len(known.begun) + 1, self._run, gate_id=known.record.id)
        return EffectIntended(run_id=self._run, at=self._now, intent=intent.model_copy(update={"key": key}))

    def _append(self, *events: RunEvent, lawful: bool) -> bool:
        if lawful:
            self._do(self._journal.append(*events))
            return True
        with pytest.raises(InvalidInput):
            self._do(self._journal.append(*events))
        return False

    def _chosen(self, at: int) -> Known:
        return list(self._known.values())[at % len(self._known)]


@pytest.mark.timeout(3600)
def test_in_memory_nothing_irreversible_begins_unapproved() -> None:
    Gates.walk(in_memory, SEQUENCES, STEPS)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_on_a_database_nothing_irreversible_begins_unapproved(
    database: str, tmp_path: Any, request: pytest.FixtureRequest
) -> None:
    url = {"journal_url": request.getfixturevalue("blank")} if database == "postgresql" else {}
    where = Settings(home=tmp_path / "home", **url)
    Gates.walk(lambda: partial(SqlJournal.open, where), ON_A_DATABASE, STEPS)
