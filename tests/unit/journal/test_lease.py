"""One process at a time: a run is held, taken over when its process is gone, and who lost it writes nothing (F8)."""

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

import psutil
import pytest

from echelon.journal import sessions
from echelon.journal.holder import Holder, this_process
from echelon.journal.journal import REOPENED, Journal
from echelon.model.errors import InvalidInput, JournalError, LeaseLost, RunHeld
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.run import RunStatus
from echelon.model.session import EffectIntent
from tests.unit.journal.records import NOON, PLAN, concern, run, step

pytestmark = pytest.mark.anyio

SHORT = 0.15  # seconds
LONG = 60.0


@pytest.fixture
def settings(on_both):
    return on_both


@pytest.fixture
async def another(settings, journal):
    """Another process, as far as the database can tell."""
    async with Journal.open(settings) as opened:
        yield opened


def holder(**changes):
    return Holder(**(vars(this_process()) | changes))


@asynccontextmanager
async def left_behind(journal, ttl_seconds, **changes):
    """A run in the hands of a process that never gives it back."""
    async with journal._database.writing() as connection:
        session = await sessions.take(connection, "r1", holder(**changes), ttl_seconds)
    journal._tokens["r1"] = session.token
    yield session


def ended_process():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(child.pid).create_time()
    child.communicate()
    return {"pid": child.pid, "process_started": started}


async def test_a_run_that_is_held_is_refused_with_who_has_it_and_until_when(journal, another):
    async with journal.holding("r1", LONG) as lease:
        with pytest.raises(RunHeld) as refused:
            async with another.holding("r1", LONG):
                pytest.fail("two hold one run")

    me = this_process()
    assert f"run 'r1' is held by process {me.pid} on {me.host} since 20" in str(refused.value)
    assert "its lease ends in 60 s unless it is renewed. Wait for that process to end, or end it" in str(refused.value)
    assert lease.session.token == 1


async def test_a_run_that_was_given_back_can_be_taken_at_once(journal, another):
    async with journal.holding("r1", LONG):
        pass
    async with another.holding("r1", LONG) as lease:
        assert lease.session.token == 2


async def test_an_unknown_run_cannot_be_held(journal):
    with pytest.raises(InvalidInput, match=r"no run 'r9'.*echelon runs"):
        async with journal.holding("r9"):
            pass


async def test_of_many_who_want_a_run_at_the_same_time_one_gets_it(settings, journal):
    async def attempt():
        async with Journal.open(settings) as mine:
            try:
                async with mine.holding("r1", LONG):
                    await asyncio.sleep(0.5)
                    return "held"
            except RunHeld:
                return "refused"

    assert sorted(await asyncio.gather(*[attempt() for _ in range(5)])) == ["held", *["refused"] * 4]


async def test_the_run_of_a_process_that_is_dead_is_taken_at_once(journal, another):
    async with left_behind(journal, LONG, **ended_process()), another.holding("r1", LONG) as lease:
        assert lease.session.token == 2


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
    async with left_behind(journal, SHORT):
        with pytest.raises(RunHeld):
            async with another.holding("r1", LONG):
                pass
        await asyncio.sleep(2 * SHORT)
        async with another.holding("r1", LONG) as lease:
            assert lease.session.token == 2


async def test_a_lease_is_kept_for_as_long_as_its_process_works(journal, another):
    async with journal.holding("r1", 0.3):
        await asyncio.sleep(0.9)
        with pytest.raises(RunHeld):
            async with another.holding("r1", LONG):
                pass


def writes_of_a_run():
    report = ExceptionReport(trigger=Trigger.FAILED, level=Level.INFO, path=("primary",), message="no", at=NOON)
    claim = EffectIntent(
        run_id="r1", key="k", task_id="t", effect="write", idempotency_key="i", attempt=1, token=1, at=NOON
    )
    return {
        "step": lambda journal: journal.append(step("late")),
        "concern": lambda journal: journal.raise_concern("r1", "late", concern()),
        "claim": lambda journal: journal.claim(claim),
        "settlement": lambda journal: journal.settle(claim),
        "exception": lambda journal: journal.record_exceptions("r1", [report]),
        "event": lambda journal: journal.append_event("r1", "late", "", {}, NOON),
        "end": lambda journal: journal.finish_run("r1", RunStatus.FAILED, NOON),
        "reopening": lambda journal: journal.reopen_run("r1"),
    }


@pytest.mark.parametrize("kind", writes_of_a_run())
async def test_nothing_is_accepted_from_a_process_that_lost_its_run(journal, another, kind):
    async with left_behind(journal, 0), another.holding("r1", LONG):
        with pytest.raises(LeaseLost, match="another process took run 'r1' over"):
            await writes_of_a_run()[kind](journal)

        assert await another.run("r1") == run("r1")
        assert await another.steps("r1") == await another.concerns("r1") == await another.claims("r1") == ()
        assert await another.exceptions("r1") == await another.events("r1") == ()


async def test_a_lost_run_takes_nothing_else_down_with_it(journal, another):
    """One transaction for two runs of a process, and one of them is lost."""
    await journal.start_run(run("r2"))
    async with left_behind(journal, 0), another.holding("r1", LONG):
        outcomes = await asyncio.gather(
            journal.append(step("late")), journal.append(step("fine", run_id="r2")), return_exceptions=True
        )

    assert [type(outcome) for outcome in outcomes] == [LeaseLost, type(None)]
    assert [found.node for found in await another.steps("r2")] == ["fine"]


async def test_what_is_written_while_a_run_is_taken_over_is_there_before_or_not_at_all(settings, journal, another):
    """The new holder reads once what is on record: nothing may turn up behind its back."""
    async with left_behind(journal, 0):
        writing = [asyncio.create_task(journal.append(step(f"n{number}"))) for number in range(50)]
        await asyncio.sleep(0)
        async with another.holding("r1", LONG):
            seen = await another.steps("r1")
            late = asyncio.gather(*[journal.append(step(f"late{n}")) for n in range(5)], return_exceptions=True)
            outcomes = await asyncio.gather(*writing, return_exceptions=True)
            assert {type(outcome) for outcome in await late} == {LeaseLost}
            assert await another.steps("r1") == seen

    assert len(seen) == sum(outcome is None for outcome in outcomes)


async def test_who_lost_a_run_is_stopped_and_told_why(journal, another):
    stopped = asyncio.Event()

    async def work():
        async with journal.holding("r1", 0.3):
            try:
                await asyncio.sleep(60)
            finally:
                stopped.set()

    task = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    async with another._database.writing() as connection:  # as if this process had slept
        await connection.exec_driver_sql("UPDATE sessions SET expires = 0")
    async with another.holding("r1", LONG):
        with pytest.raises(LeaseLost):
            await task

    assert stopped.is_set()
    assert task.cancelling() == 0


async def test_a_block_that_is_cancelled_for_another_reason_stays_cancelled(journal):
    async def work():
        async with journal.holding("r1", LONG):
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [session.ended is not None for session in await journal.sessions("r1")] == [True]


async def test_after_a_silence_the_lease_is_proved_before_anything_is_done(journal, another):
    async with left_behind(journal, 0):
        pass
    async with journal.holding("r1", LONG) as lease:
        await lease.prove()
        journal._tokens["r1"] -= 1  # taken over
        await lease.prove()  # heard of a moment ago: the journal is not asked
        lease._proved -= LONG  # it slept for as long as its lease
        with pytest.raises(LeaseLost):
            await lease.prove()
        with pytest.raises(LeaseLost):
            await lease.prove()


async def test_trouble_with_the_journal_ends_no_lease_that_can_still_be_kept(journal, monkeypatch, caplog):
    async with journal.holding("r1", 0.3) as lease:
        submit, lease._submit = lease._submit, failing
        await asyncio.sleep(0.15)
        lease._submit = submit
        await asyncio.sleep(0.15)

        assert lease.lost is None
    assert "the lease of run r1 could not be renewed: no room" in caplog.text


async def failing(_write):
    raise JournalError("no room")


async def test_a_run_that_cannot_be_given_back_is_only_held_a_little_longer(journal, caplog):
    async with journal.holding("r1", LONG) as lease:
        lease._submit = failing

    assert "run r1 stays held for a few seconds: no room" in caplog.text


# Sessions and reopening


async def test_who_worked_on_a_run_is_on_record(journal):
    for _ in range(2):
        async with journal.holding("r1", LONG):
            pass

    found = await journal.sessions("r1")

    assert [(session.token, session.pid) for session in found] == [(1, this_process().pid), (2, this_process().pid)]
    assert all(session.began <= session.ended <= session.began + timedelta(seconds=10) for session in found)


async def test_a_process_that_was_killed_is_on_record_until_it_was_last_seen(journal, another):
    async with left_behind(journal, 0) as session, another.holding("r1", LONG):
        first, second = await journal.sessions("r1")

    assert (first.ended, second.ended) == (session.seen, None)


async def test_a_reopened_run_says_what_it_was_before(journal):
    await journal.finish_run("r1", RunStatus.PARTIAL, NOON)

    reopened = await journal.reopen_run("r1", PLAN)

    assert (reopened.status, reopened.finished, reopened.plan) == (RunStatus.RUNNING, None, PLAN)
    events = await journal.events("r1", REOPENED)
    assert [event.payload for event in events] == [
        {"status": "partial", "finished": NOON.isoformat(), "plan": None},
    ]


async def test_the_end_of_a_completed_run_stays_until_there_is_another_one(journal):
    await journal.finish_run("r1", RunStatus.COMPLETED, NOON)

    for _ in range(2):  # the second time after a crash
        assert (await journal.reopen_run("r1")).finished == NOON


async def test_a_run_is_found_by_its_whole_id_or_by_the_flow_run_that_started_it(journal):
    await journal.start_run(run("r2", flow_run_id="abc"))

    assert (await journal.known_run(flow_run_id="abc")).run_id == "r2"
    assert (await journal.known_run(run_id="r2")).flow_run_id == "abc"
    assert await journal.known_run(run_id="r") is None
    assert await journal.known_run(flow_run_id="x") is None
