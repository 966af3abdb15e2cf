"""What one process knows of its run: everything that is durable, each thing once, whoever wrote it (F8)."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from echelon.coordination.run_log import RunLog
from echelon.model.run import RunRecord, RunStatus
from echelon.runlog.events import LoggedEvent, PhaseStarted, RunEvent, RunStarted
from echelon.runlog.state import fold
from echelon.testing.journal import MemoryJournal

pytestmark = pytest.mark.anyio

AT = datetime(2026, 1, 1, tzinfo=UTC)


def begun(phase: str) -> RunEvent:
    return PhaseStarted(run_id="r", at=AT, phase=phase, expected=1)


class Slow:
    """A journal in which things happen while it is read: `meanwhile` is done before an answer is there."""

    def __init__(self, journal: MemoryJournal) -> None:
        self.journal = journal
        self.meanwhile: list[Any] = []

    async def events(self, run_id: str, *, after: int = 0) -> Sequence[LoggedEvent]:
        """Read, and answer late."""
        found = await self.journal.events(run_id, after=after)
        if self.meanwhile:
            await self.meanwhile.pop(0)()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.journal, name)


@pytest.fixture
async def slow() -> Slow:
    journal = MemoryJournal()
    record = RunRecord(run_id="r", job="j", source="", inputs={}, status=RunStatus.RUNNING, started=AT)
    await journal.append(RunStarted(run_id="r", at=AT, record=record))
    return Slow(journal)


@pytest.fixture
async def log(slow: Slow) -> AsyncIterator[RunLog]:
    made = RunLog(slow, "r", await slow.journal.events("r"))
    with slow.journal.watching("r", made.watch):
        yield made


async def known(slow: Slow) -> Any:
    """Return what the journal says."""
    return fold(entry.event for entry in await slow.journal.events("r"))


async def test_what_is_appended_is_known_when_it_is_durable(log: RunLog, slow: Slow) -> None:
    await log.append(begun("a"), begun("b"))

    assert list(log.state.phases) == ["a", "b"]
    assert log.state == await known(slow)


async def test_what_another_process_wrote_is_known_after_a_refresh_where_it_stands(log: RunLog, slow: Slow) -> None:
    await slow.journal.beside().append(begun("theirs"))
    await log.append(begun("mine"))

    assert list(log.state.phases) == ["mine"]
    assert list((await log.refresh()).phases) == ["theirs", "mine"]
    assert log.state == await known(slow)


async def test_a_log_is_whole_until_it_is_seen_that_another_process_wrote(log: RunLog, slow: Slow) -> None:
    await log.append(begun("a"))
    alone = log.is_whole
    await slow.journal.beside().append(begun("theirs"))
    await log.append(begun("mine"))
    beside = log.is_whole
    await log.refresh()

    assert (alone, beside, log.is_whole) == (True, False, True)


async def test_a_refresh_without_news_changes_nothing(log: RunLog) -> None:
    await log.append(begun("a"))

    assert await log.refresh() is log.state


async def test_what_a_refresh_has_read_before_it_was_reported_is_folded_once(log: RunLog, slow: Slow) -> None:
    """A commit may be seen by a reader before its own process hears of it."""
    await slow.journal.beside().append(begun("a"))
    await log.refresh()
    log.watch((await slow.journal.events("r"))[-1:])

    assert log.state.events == 2
    assert log.state == await known(slow)


@pytest.mark.parametrize("looks", [False, True], ids=["unseen", "seen"])
async def test_what_is_written_while_a_refresh_reads_is_not_lost(log: RunLog, slow: Slow, looks: bool) -> None:
    async def meanwhile() -> None:
        await log.append(begun("mine"))
        assert not looks or "mine" in log.state.phases

    await slow.journal.beside().append(begun("theirs"))
    slow.meanwhile = [meanwhile]

    assert list((await log.refresh()).phases) == ["theirs", "mine"]
    assert log.state == await known(slow)
