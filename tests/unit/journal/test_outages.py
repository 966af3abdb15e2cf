"""A server that goes away in the middle of a write: what was written is there once, whether it was answered or not."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from tests.unit.journal.records import NOON, concern, disposition, key_of, run, step

from echelon.journal import outages
from echelon.journal.database import ConnectionLost
from echelon.journal.dialects import is_away
from echelon.journal.journal import Journal
from echelon.model.errors import LeaseLost
from echelon.model.exception_report import ExceptionReport, Level, Trigger
from echelon.model.run import RunStatus
from echelon.model.session import EffectIntent
from echelon.model.status import Status
from echelon.settings import Settings
from tests.unit.journal.wire import Cut, Wire

pytestmark = pytest.mark.anyio

CLAIM = EffectIntent(
    run_id="r1", key=key_of("pay"), task_id="pay", effect="write", idempotency_key="k", attempt=1, token=0, at=NOON
)
REPORT = ExceptionReport(trigger=Trigger.RENEWED, level=Level.INFO, path=("primary",), message="again", at=NOON)


async def raise_and_dispose(journal: Journal) -> None:
    """The line is cut at the first of both; the second finds it."""
    record = await journal.raise_concern("r1", "inspect", concern())
    await journal.dispose(record.id, disposition())


#: What adds a row to a table: by table, so that none is forgotten.
ADDS: dict[str, Callable[[Journal], Awaitable[Any]]] = {
    "runs": lambda journal: journal.start_run(run("r2")),
    "steps": lambda journal: journal.append(step("pay", Status.FAILED)),
    "exceptions": lambda journal: journal.record_exceptions("r1", [REPORT, REPORT]),
    "concerns": raise_and_dispose,
    "events": lambda journal: journal.append_event("r1", "kind", "subject", {"n": 1}, NOON),
    "claims": lambda journal: journal.claim(CLAIM),
}

EXPECTED = {"runs": 2, "exceptions": 2}


@pytest.fixture
async def wire(postgres: str) -> AsyncIterator[Wire]:
    async with Wire(postgres) as opened:
        yield opened
    await told(postgres, "TRUNCATE runs, concerns CASCADE")


@pytest.fixture
async def journal(wire: Wire, tmp_path: Any) -> AsyncIterator[Journal]:
    async with Journal.open(Settings(home=tmp_path, journal_url=wire.url)) as opened:
        await opened.start_run(run())
        yield opened


async def told(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("table", ADDS)
async def test_what_was_cut_off_at_its_commit_is_written_once(
    journal: Journal, wire: Wire, postgres: str, table: str, cut: Cut
) -> None:
    wire.cut_next(cut)
    await ADDS[table](journal)

    assert wire.cuts == 1
    assert await told(postgres, f"SELECT count(*) FROM {table}") == EXPECTED.get(table, 1)


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_disposition_that_was_cut_off_is_final_and_no_second_one(
    journal: Journal, wire: Wire, postgres: str, cut: Cut
) -> None:
    record = await journal.raise_concern("r1", "inspect", concern())
    wire.cut_next(cut)
    await journal.dispose(record.id, disposition())

    assert [found.disposition for found in await journal.concerns()] == [disposition()]


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_what_only_changes_a_row_is_changed_again(journal: Journal, wire: Wire, cut: Cut) -> None:
    wire.cut_next(cut)
    await journal.finish_run("r1", RunStatus.FAILED, NOON)

    assert (await journal.run("r1")).status is RunStatus.FAILED
    assert wire.cuts == 1


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_completed_step_that_was_cut_off_is_no_second_attempt(journal: Journal, wire: Wire, cut: Cut) -> None:
    wire.cut_next(cut)
    await journal.append(step("pay"))

    assert [found.node for found in await journal.steps("r1")] == ["pay"]


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_run_that_was_cut_off_proves_that_it_is_held_before_it_writes_again(
    journal: Journal, wire: Wire, postgres: str, cut: Cut
) -> None:
    async with journal.holding("r1"):
        wire.cut_next(cut)
        await journal.append(step("pay"))
        assert wire.cuts == 1
        await told(postgres, "UPDATE runs SET token = token + 1")  # somebody else took it

        with pytest.raises(LeaseLost):
            await journal.append(step("track"))


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
        await outages.ridden_out(nobody_answers)

    assert len(asked) > 1


async def test_a_question_is_asked_again() -> None:
    asked: list[int] = []

    async def third_time() -> int:
        asked.append(len(asked))
        if len(asked) < 3:
            raise ConnectionLost("cannot read the journal: the database system is starting up")
        return 7

    assert (await outages.ridden_out(third_time), len(asked)) == (7, 3)
