"""A server that goes away in the middle of a write: what was written is there once, whether it was answered or not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import asyncpg
import pytest

from echelon.journal import listener, outages
from echelon.journal.database import ConnectionLost
from echelon.journal.dialects import is_away
from echelon.journal.journal import SqlJournal
from echelon.model.errors import LeaseLost
from echelon.model.run import RunStatus
from echelon.model.status import Status
from echelon.runlog.events import RunEvent
from echelon.settings import Settings
from echelon.testing.run_events import (
    concern_disposed,
    concern_raised,
    one_of_each,
    run_ended,
    run_started,
    step_ended,
    step_started,
)
from tests.unit.journal.wire import Cut, Wire

pytestmark = pytest.mark.anyio

#: What is written as one unit each while the line is cut.
UNITS: dict[str, Sequence[RunEvent]] = {
    "an event": [step_started()],
    "the beginning of a run": [run_started("r2")],
    "a completed step": [step_ended("pay")],
    "a failed step": [step_ended("pay", Status.FAILED)],
    "a concern and its end": [concern_raised("c-1"), concern_disposed("c-1")],
    "the end of a run": [run_ended(status=RunStatus.FAILED)],
    "everything": one_of_each()[1:],
}


@pytest.fixture
async def wire(emptied: str) -> AsyncIterator[Wire]:
    async with Wire(emptied) as opened:
        yield opened


@pytest.fixture
async def journal(wire: Wire, tmp_path: Any) -> AsyncIterator[SqlJournal]:
    async with SqlJournal.open(Settings(home=tmp_path, journal_url=wire.url)) as opened:
        await opened.append(run_started())
        yield opened


async def told(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def until(url: str, done: str) -> None:
    """Do something to whoever listens, as soon as somebody does."""
    for _ in range(1000):
        if await told(url, f"SELECT count({done}) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"):
            return
        await asyncio.sleep(0.01)
    pytest.fail("nobody listens")


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("unit", UNITS)
async def test_what_was_cut_off_at_its_commit_is_written_once(
    journal: SqlJournal, wire: Wire, unit: str, cut: Cut
) -> None:
    events, run_id = UNITS[unit], UNITS[unit][0].run_id
    wire.cut_next(cut)
    await journal.append(*events)
    found = await journal.events(run_id)

    assert wire.cuts == 1
    assert [logged.event for logged in found][-len(events) :] == list(events)
    assert len(found) == len(events) + (run_id == "r1")
    assert len(await journal.steps(run_id)) == sum(event.kind == "step_ended" for event in events)


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_what_was_cut_off_is_heard_of_once(journal: SqlJournal, wire: Wire, cut: Cut) -> None:
    seen: list[int] = []
    with journal.watching("r1", lambda events: seen.extend(logged.seq for logged in events)):
        wire.cut_next(cut)
        await asyncio.gather(*[journal.append(step_ended(f"n{number}")) for number in range(5)])

    assert (wire.cuts, seen) == (1, [2, 3, 4, 5, 6])


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("part", ["", "north"])
async def test_what_was_cut_off_while_it_was_taken_is_ours(
    journal: SqlJournal, wire: Wire, part: str, cut: Cut
) -> None:
    """Asked again, it must not find itself in its own way."""
    async with journal.holding("r1"):
        pass
    wire.cut_next(cut)
    async with journal.holding("r1", part=part, under=1 if part else None) as lease:
        assert wire.cuts == 1
        assert lease.session.token == (1 if part else 2)
        await lease.beat()


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_heartbeat_that_was_cut_off_is_sent_again(journal: SqlJournal, wire: Wire, cut: Cut) -> None:
    async with journal.holding("r1") as lease:
        wire.cut_next(cut)
        await lease.beat()

        assert wire.cuts == 1


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_run_that_was_cut_off_proves_that_it_is_held_before_it_writes_again(
    journal: SqlJournal, wire: Wire, emptied: str, cut: Cut
) -> None:
    async with journal.holding("r1"):
        wire.cut_next(cut)
        await journal.append(step_ended("pay"))
        assert wire.cuts == 1
        await told(emptied, "UPDATE runs SET token = token + 1")  # somebody else took it

        with pytest.raises(LeaseLost):
            await journal.append(step_ended("track"))


async def test_who_follows_a_run_hears_on_when_the_line_was_cut(
    journal: SqlJournal, emptied: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "LONGEST_WAIT_SECONDS", 0.01)
    async with (
        SqlJournal.open(Settings(home=tmp_path, journal_url=emptied)) as other,
        aclosing(journal.tail("r1")) as tail,
        asyncio.timeout(20),
    ):
        assert [logged.seq for logged in await anext(tail)] == [1]
        await until(emptied, "pg_terminate_backend(pid)")
        await other.append(step_ended("behind the cut"))

        assert [logged.seq for logged in await anext(tail)] == [2]
        await until(emptied, "pid")


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (ConnectionRefusedError(), True),
        (ConnectionResetError(), True),
        (asyncpg.CannotConnectNowError("the database system is starting up"), True),
        (asyncpg.AdminShutdownError("terminating connection"), True),
        (asyncpg.ConnectionDoesNotExistError("closed in the middle"), True),
        (asyncpg.InvalidPasswordError("no"), False),
        (asyncpg.InvalidCatalogNameError("there is no such database"), False),
        (asyncpg.TooManyConnectionsError("too many"), False),
        (FileNotFoundError(), False),
        (ValueError(), False),
    ],
    ids=repr,
)
def test_a_server_that_is_away_may_come_back_and_one_that_refuses_does_so_again(error: Exception, away: bool) -> None:
    assert is_away(error) is away


async def test_a_server_that_stays_away_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "LONGEST_OUTAGE_SECONDS", 0.05)
    asked: list[int] = []

    async def nobody_answers() -> None:
        asked.append(len(asked))
        raise ConnectionLost("cannot read the journal: connection refused")

    with pytest.raises(ConnectionLost, match="connection refused"):
        await outages.retry_through_outage(nobody_answers)

    assert len(asked) > 1


async def test_a_question_is_asked_again() -> None:
    asked: list[int] = []

    async def third_time() -> int:
        asked.append(len(asked))
        if len(asked) < 3:
            raise ConnectionLost("cannot read the journal: the database system is starting up")
        return 7

    assert (await outages.retry_through_outage(third_time), len(asked)) == (7, 3)
