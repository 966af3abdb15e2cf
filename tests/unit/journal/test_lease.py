"""Which process holds a run: a dead one holds none, and one that cannot reach the journal keeps what it has (F8)."""

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import datetime

import psutil
import pytest

from echelon.journal.holder import Holder, this_process
from echelon.journal.journal import SqlJournal
from echelon.journal.sessions import Take
from echelon.model.errors import JournalError, LeaseLost, RunHeld

pytestmark = pytest.mark.anyio

LONG = 60.0


@pytest.fixture
def settings(on_both):
    return on_both


def holder(**changes):
    return Holder(**(vars(this_process()) | changes))


@asynccontextmanager
async def left_behind(journal, ttl_seconds, part="", under=0, **changes):
    """A run in the hands of a process that never gives it back."""
    yield await journal._writer.submit(Take("r1", part, under, holder(**changes), ttl_seconds))


def ended_process():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(child.pid).create_time()
    child.communicate()
    return {"pid": child.pid, "process_started": started}


async def test_the_run_of_a_process_that_is_dead_is_taken_at_once(journal, another):
    async with left_behind(journal, LONG, **ended_process()), another.holding("r1", LONG) as lease:
        assert lease.session.token == 2


async def test_the_part_of_a_process_that_is_dead_is_taken_at_once(journal, another):
    async with (
        another.holding("r1", LONG),
        left_behind(journal, LONG, part="north", under=1, **ended_process()),
        another.holding("r1", LONG, part="north", under=1) as part,
    ):
        assert part.session.token == 2


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"process_started": 1.0}, id="number-used-again"),
        pytest.param({"pid": 2**22 + 1}, id="no-such-process"),
    ],
)
async def test_a_process_is_known_by_its_number_and_its_beginning(journal, another, changes):
    async with left_behind(journal, LONG, **changes), another.holding("r1", LONG) as lease:
        assert lease.session.token == 2


async def test_a_process_of_another_machine_is_not_taken_for_dead(journal, another):
    async with left_behind(journal, LONG, machine="elsewhere", host="elsewhere", pid=2**22 + 1):
        with pytest.raises(RunHeld, match="on elsewhere"):
            async with another.holding("r1", LONG):
                pass


async def test_a_process_that_is_not_heard_of_loses_the_run_when_its_lease_ends(journal, another):
    async with left_behind(journal, 0.3):
        with pytest.raises(RunHeld):
            async with another.holding("r1", LONG):
                pass
        await asyncio.sleep(0.4)
        async with another.holding("r1", LONG) as lease:
            assert lease.session.token == 2


async def test_a_process_that_was_killed_was_at_work_until_it_was_last_seen(journal, another):
    async with left_behind(journal, 0) as session, another.holding("r1", LONG):
        found = await journal.events("r1", kinds=("run_taken",))

    assert [logged.event.idle_since for logged in found] == [None, session.seen]


async def test_who_works_on_a_part_works_on_the_run(journal, another):
    """A killed root leaves stages that go on for a while: the run was not idle then."""
    async with left_behind(journal, 0), another.holding("r1", LONG, part="north", under=1) as part:
        await part.beat()
    async with another.holding("r1", LONG) as lease:
        [idle_since] = [logged.event.idle_since for logged in await journal.events("r1", kinds=("run_taken",), after=2)]

    assert part.session.seen < idle_since <= lease.session.began
    assert isinstance(idle_since, datetime)


async def test_after_a_silence_the_lease_is_proved_before_anything_is_done(journal, another, expire):
    async with journal.holding("r1", LONG) as lease:
        await lease.prove()
        await expire("r1")
        async with another.holding("r1", LONG):
            await lease.prove()  # heard of a moment ago: the journal is not asked
            lease._proved -= LONG  # it slept for as long as its lease
            with pytest.raises(LeaseLost):
                await lease.prove()
            with pytest.raises(LeaseLost):
                await lease.prove()


class Failing:
    """A journal that nothing can be written to."""

    async def keep(self, session, ttl_seconds):
        raise JournalError("no room")

    async def give_back(self, session):
        raise JournalError("no room")


async def test_trouble_with_the_journal_ends_no_lease_that_can_still_be_kept(journal, caplog):
    async with journal.holding("r1", 0.3) as lease:
        keeper, lease._keeper = lease._keeper, Failing()
        await asyncio.sleep(0.15)
        lease._keeper = keeper
        await asyncio.sleep(0.15)

        assert lease.lost is None
    assert "the lease of run r1 could not be renewed: no room" in caplog.text


async def test_a_run_that_cannot_be_given_back_is_only_held_a_little_longer(journal, caplog):
    async with journal.holding("r1", LONG) as lease:
        lease._keeper = Failing()

    assert "run r1 stays held for a few seconds: no room" in caplog.text


async def test_a_run_that_was_wanted_when_the_journal_was_closed_stays_held_for_a_moment(settings):
    async with SqlJournal.open(settings) as journal:
        taking = journal._writer.submit(Take("r1", "", 0, this_process(), LONG))
        await journal._writer.close()
        journal._drop(taking)

        assert isinstance(taking.exception(), Exception)
