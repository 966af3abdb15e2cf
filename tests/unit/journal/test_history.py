"""Whatever the order of appends, refusals, crashes and reopenings: what was acknowledged is there, once, in order.

The model is the plain list of events that were acknowledged, and what the laws make of it, written down once more.
"""

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from echelon.journal.journal import SqlJournal
from echelon.model.errors import EchelonError
from echelon.runlog.gates import GATE_KINDS, gates_of, why_not_usable
from echelon.runlog.state import fold
from echelon.settings import Settings
from echelon.testing.journal import MemoryJournal
from tests.unit.runlog.logs import CONCERNS, events, starts, units

RUNS = st.sampled_from(["r1", "r2"])
UNITS = RUNS.flatmap(units)


class Model:
    """What must be on record."""

    def __init__(self):
        self.logs = {"r1": [], "r2": []}

    def admits(self, unit):
        before = self.logs[unit[0].run_id]
        log = list(before)
        for event in unit:
            if not self.follows(log, event, log[len(before) :]):
                return False
            log.append(event)
        return True

    def follows(self, log, event, of_unit):
        if event.kind == "run_started" or not log:
            return event.kind == "run_started" and not log
        before = [one for one in log if one.kind == event.kind]
        if event.kind == "step_ended":
            return event.record.key not in {one.record.key for one in before if one.record.handoff.done}
        if event.kind.startswith("concern_"):
            return self.follows_concern(log, event)
        if event.kind == "effect_intended" and event.intent.effect == "irreversible":
            return any(one.kind == "approval_used" and one.key == event.intent.key for one in of_unit)
        if event.kind in GATE_KINDS:
            return self.follows_gate(gates_of(log), event)
        return True

    def follows_concern(self, log, event):
        about = [one for one in log if one.subject == event.subject and one.kind.startswith("concern_")]
        if event.kind == "concern_raised" or not about:
            return event.kind == "concern_raised" and not about
        is_open = about[-1].kind != "concern_disposed"
        return is_open if event.kind == "concern_disposed" else not is_open

    def follows_gate(self, gates, event):
        if event.kind == "gate_raised":
            return event.subject not in gates
        if event.subject not in gates:
            return False
        is_used = event.kind == "approval_used"
        return not (is_used and why_not_usable(gates[event.subject], event.key, event.digest, event.at))

    def take_in(self, unit):
        self.logs[unit[0].run_id] += unit


class History(RuleBasedStateMachine):
    """A journal beside its model."""

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.model = Model()
        self.watched = {"r1": [], "r2": []}
        self.journal = None

    @initialize(first=starts())
    def begin(self, first):
        self.open()
        self.append([[first]])

    def open(self):
        self.journal = MemoryJournal()
        self.watching()

    def watching(self):
        self.stack = contextlib.ExitStack()
        for run_id, seen in self.watched.items():
            self.stack.enter_context(self.journal.watching(run_id, seen.extend))

    @rule(wanted=st.lists(UNITS, min_size=1, max_size=4))
    def append(self, wanted):
        async def at_once():
            return await asyncio.gather(*[self.journal.append(*unit) for unit in wanted], return_exceptions=True)

        for unit, outcome in zip(wanted, self.runner.run(at_once()), strict=True):
            if self.model.admits(unit):
                assert outcome is None
                self.model.take_in(unit)
            else:
                assert isinstance(outcome, EchelonError)

    @rule(queued=st.lists(UNITS, max_size=3), last=UNITS)
    def enqueue(self, queued, last):
        async def all_of_it():
            for unit in queued:
                self.journal.enqueue(*unit)
            with contextlib.suppress(EchelonError):
                await self.journal.append(*last)

        self.runner.run(all_of_it())
        for unit in (*queued, last):
            if self.model.admits(unit):
                self.model.take_in(unit)

    @rule(run_id=RUNS, event=RUNS.flatmap(events))
    def mix(self, run_id, event):
        """A unit is about one run."""
        if event.run_id != run_id and self.model.logs[run_id]:
            wrong = event.model_copy(update={"run_id": run_id}), event
            before = dict(self.model.logs)

            assert isinstance(self.runner.run(self.refused(*wrong)), EchelonError)
            assert self.model.logs == before

    async def refused(self, *unit):
        try:
            await self.journal.append(*unit)
        except EchelonError as refusal:
            return refusal

    def found(self, run_id):
        return self.runner.run(self.journal.events(run_id))

    @invariant()
    def everything_acknowledged_is_there_once_and_in_order(self):
        if self.journal is not None:
            for run_id, log in self.model.logs.items():
                found = self.found(run_id)

                assert [logged.event for logged in found] == log
                assert [logged.seq for logged in found] == list(range(1, len(log) + 1))

    @invariant()
    def the_indexes_say_what_the_fold_of_the_log_says(self):
        for run_id, log in self.model.logs.items() if self.journal is not None else ():
            state = fold(log)
            if log:
                assert self.runner.run(self.journal.run(run_id)) == state.record
            assert self.runner.run(self.journal.steps(run_id)) == state.steps
            concerns = self.runner.run(self.journal.concerns(run_id))
            assert concerns == tuple(state.concerns.values())
            assert len(concerns) <= len(CONCERNS)

    @invariant()
    def what_was_watched_is_the_log(self):
        for run_id, log in self.model.logs.items():
            assert [logged.event for logged in self.watched[run_id]] == log

    def teardown(self):
        self.runner.close()


class FileHistory(History):
    """The same for a file, which is closed, opened again, and copied as a crash leaves it."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.crashes = 0
        self.context = None

    def open(self):
        self.context = SqlJournal.open(Settings(home=self.folder / str(self.crashes)))
        self.journal = self.runner.run(self.context.__aenter__())
        self.watching()

    def close(self):
        self.runner.run(self.context.__aexit__(None, None, None))

    @precondition(lambda self: self.context is not None)
    @rule()
    def reopen(self):
        self.close()
        self.open()

    @precondition(lambda self: self.context is not None)
    @rule(last=UNITS)
    def crash(self, last):
        """Go on from the files as they are in the middle of an append; whether that one is in them is open."""
        before = self.folder / str(self.crashes)
        self.crashes += 1
        after = self.folder / str(self.crashes)

        async def in_the_middle():
            self.stack.close()
            append = asyncio.ensure_future(self.journal.append(*last))
            await asyncio.sleep(0)  # one turn of the loop: the writer is at work
            after.mkdir()
            for name in ("journal.db", "journal.db-wal"):
                shutil.copy(before / name, after / name)
            await asyncio.gather(append, return_exceptions=True)

        self.runner.run(in_the_middle())
        self.close()
        self.open()
        self.adopt(last)

    def adopt(self, last):
        """Take in what was not acknowledged when it is in the files: then all of it is, and it is lawful."""
        run_id = last[0].run_id
        found = [logged.event for logged in self.found(run_id)]
        if found != self.model.logs[run_id]:
            assert found == [*self.model.logs[run_id], *last]
            assert self.model.admits(last)
            self.model.take_in(last)
        self.watched = {one: list(self.found(one)) for one in self.watched}
        self.stack.close()
        self.watching()

    def teardown(self):
        if self.context is not None:
            self.close()
        super().teardown()
        shutil.rmtree(self.folder)


TestMemoryHistory = History.TestCase
TestMemoryHistory.settings = hypothesis_settings(max_examples=15, stateful_step_count=10, deadline=None)
TestFileHistory = FileHistory.TestCase
TestFileHistory.settings = hypothesis_settings(max_examples=12, stateful_step_count=10, deadline=None)
