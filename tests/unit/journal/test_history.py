"""Whatever the order of appends, failures, crashes and reopenings: what was acknowledged is there, once, in order."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from echelon.journal.journal import Journal
from echelon.model.errors import IllegalTransition
from echelon.model.status import Status
from echelon.settings import Settings
from tests.unit.journal.records import run, step

NAMES = st.sampled_from(["a", "b", "c", "d"])
ENDS = st.sampled_from([Status.COMPLETED, Status.FAILED, Status.BLOCKED])


class History(RuleBasedStateMachine):
    """A journal beside the plain list of what it acknowledged."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.acknowledged = []
        self.crashes = 0
        self.context = None

    @initialize()
    def begin(self):
        self.open()
        self.runner.run(self.journal.start_run(run()))

    def open(self):
        self.context = Journal.open(Settings(home=self.folder / str(self.crashes)))
        self.journal = self.runner.run(self.context.__aenter__())

    def close(self):
        self.runner.run(self.context.__aexit__(None, None, None))

    def completed(self):
        return {name for name, status in self.acknowledged if status is Status.COMPLETED}

    @rule(attempts=st.lists(st.tuples(NAMES, ENDS), min_size=1, max_size=6))
    def append(self, attempts):
        async def at_once():
            return await asyncio.gather(*[self.journal.append(step(*a)) for a in attempts], return_exceptions=True)

        for attempt, outcome in zip(attempts, self.runner.run(at_once()), strict=True):
            if attempt[0] in self.completed():
                assert isinstance(outcome, IllegalTransition)
            else:
                assert outcome is None
                self.acknowledged.append(attempt)

    @rule()
    def reopen(self):
        self.close()
        self.open()

    @rule(last=st.tuples(NAMES, ENDS))
    def crash(self, last):
        """Go on from the files as they are in the middle of an append; whether that one is in them is open."""
        before = self.folder / str(self.crashes)
        self.crashes += 1

        async def in_the_middle():
            append = asyncio.ensure_future(self.journal.append(step(*last)))
            await asyncio.sleep(0)  # one turn of the loop: the writer is at work
            (self.folder / str(self.crashes)).mkdir()
            for name in ("journal.db", "journal.db-wal"):
                shutil.copy(before / name, self.folder / str(self.crashes) / name)
            await asyncio.gather(append, return_exceptions=True)

        self.runner.run(in_the_middle())
        self.close()
        self.open()
        self.adopt(last)

    def adopt(self, last):
        """Take in the append that was not acknowledged when it is in the files: then it is the last one, and lawful."""
        found = self.found()
        if found != self.acknowledged:
            assert found == [*self.acknowledged, last]
            assert last[0] not in self.completed()
            self.acknowledged = found

    def found(self):
        return [(record.node, record.handoff.status) for record in self.runner.run(self.journal.steps("r1"))]

    @invariant()
    def everything_acknowledged_is_there_once_and_in_order(self):
        if self.context is not None:
            assert self.found() == self.acknowledged

    @invariant()
    def the_barrier_sees_every_node_that_ended(self):
        if self.context is not None:
            ended = self.runner.run(self.journal.ended("r1", "inspect"))

            assert ended == {name for name, _ in self.acknowledged}

    def teardown(self):
        if self.context is not None:
            self.close()
        self.runner.close()
        shutil.rmtree(self.folder)


TestHistory = History.TestCase
TestHistory.settings = hypothesis_settings(max_examples=25, stateful_step_count=12, deadline=None)
