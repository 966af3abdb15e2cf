"""The writer is tested with commits of its own: what it promises does not depend on a database."""

import asyncio
from dataclasses import dataclass

import pytest

from echelon.journal.writer import MAX_BATCH, GroupWriter
from echelon.model.errors import InvalidInput, JournalError

pytestmark = pytest.mark.anyio

POISON = "poison"
REFUSED = InvalidInput("no")


@dataclass(frozen=True)
class Write:
    """Something to be written, of a size."""

    what: str
    size: int = 1


class Ledger:
    """Commits batches to a list; chokes on poison, refuses what is called refused, is down on demand."""

    def __init__(self):
        self.batches = []
        self.down = False
        self.committed = asyncio.Event()

    async def commit(self, batch):
        names = [write.what for write in batch]
        if self.down:
            raise JournalError("the disk is full")
        if POISON in names:
            raise ValueError("cannot swallow poison")
        self.batches.append(names)
        self.committed.set()
        return [REFUSED if name == "refused" else None for name in names]


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
async def writer(ledger):
    group = GroupWriter(ledger.commit)
    yield group
    await group.close()


def submit(writer, *names):
    return [writer.submit(Write(name)) for name in names]


async def settle(*futures):
    outcomes = await asyncio.gather(*futures, return_exceptions=True)
    return [outcome if outcome is None else type(outcome) for outcome in outcomes]


async def test_what_waits_together_is_committed_together(writer, ledger):
    names = [f"n{number}" for number in range(100)]

    await settle(*submit(writer, *names))

    assert ledger.batches == [names]


async def test_a_batch_is_bounded(writer, ledger):
    await settle(*submit(writer, *["x"] * (2 * MAX_BATCH + 1)))

    assert [len(batch) for batch in ledger.batches] == [MAX_BATCH, MAX_BATCH, 1]


async def test_a_batch_is_bounded_by_the_events_of_its_units_and_no_unit_is_cut(writer, ledger):
    await settle(*[writer.submit(Write(name, size)) for name, size in (("a", MAX_BATCH - 1), ("b", 5), ("c", 1))])
    await settle(writer.submit(Write("d", 3 * MAX_BATCH)))

    assert ledger.batches == [["a", "b"], ["c"], ["d"]]


async def test_what_nobody_waits_for_comes_along_with_what_is_appended_next(writer, ledger):
    for name in ("a", "b"):
        writer.enqueue(Write(name))
        await asyncio.sleep(0)  # the writer has seen it, and does not begin
    await settle(*submit(writer, "c"))
    await settle(*submit(writer, "d"))

    assert ledger.batches == [["a", "b", "c"], ["d"]]


async def test_what_nobody_waits_for_is_written_by_itself_after_a_moment(writer, ledger):
    await settle(*submit(writer, "a"))
    writer.enqueue(Write("b"))
    ledger.committed.clear()
    await asyncio.wait_for(ledger.committed.wait(), 10)

    assert ledger.batches == [["a"], ["b"]]


async def test_what_nobody_waits_for_is_written_in_its_turn_and_logged_when_it_is_refused(writer, ledger, caplog):
    writer.enqueue(Write("a"))
    writer.enqueue(Write("refused"))
    writer.enqueue(Write(POISON))
    await settle(*submit(writer, "b"))

    assert [name for batch in ledger.batches for name in batch] == ["a", "refused", "b"]
    assert "refused is not on record: no" in caplog.text
    assert "poison is not on record: cannot write poison" in caplog.text


async def test_what_nobody_waits_for_is_logged_when_the_database_is_in_trouble(writer, ledger, caplog):
    ledger.down = True
    writer.enqueue(Write("a"))
    await settle(*submit(writer, "b"))

    assert "a is not on record: the disk is full" in caplog.text


async def test_what_comes_during_a_commit_shares_the_next_one(ledger):
    gate = asyncio.Event()

    async def slow(batch):
        await gate.wait()
        return await ledger.commit(batch)

    writer = GroupWriter(slow)
    first = submit(writer, "a")
    await asyncio.sleep(0)  # one turn of the loop for whoever is ready to come along
    await asyncio.sleep(0)  # one more, and the first commit begins
    rest = submit(writer, "b", "c")
    gate.set()
    await settle(*first, *rest)
    await writer.close()

    assert ledger.batches == [["a"], ["b", "c"]]


async def test_a_refused_row_does_not_touch_the_others(writer, ledger):
    assert await settle(*submit(writer, "a", "refused", "b")) == [None, InvalidInput, None]


@pytest.mark.parametrize("place", range(7))
async def test_a_poisonous_row_fails_alone_wherever_it_is(writer, ledger, place):
    names = [f"n{number}" for number in range(6)]
    names.insert(place, POISON)

    outcomes = await settle(*submit(writer, *names))

    assert outcomes == [JournalError if name == POISON else None for name in names]
    assert [name for batch in ledger.batches for name in batch] == [name for name in names if name != POISON]


async def test_the_error_of_a_poisonous_row_says_which_it_was_and_why(writer):
    [future] = submit(writer, POISON)

    with pytest.raises(JournalError, match=r"cannot write poison: .*\(cannot swallow poison\)"):
        await future


async def test_a_row_that_another_process_wrote_at_the_same_time_is_judged_again(ledger):
    """PostgreSQL lets both look, then lets one write; the other must hear that it came second, not of an index."""
    conflicts = [RuntimeError("duplicate key")]

    async def second(batch):
        if conflicts:
            raise conflicts.pop()
        return await ledger.commit(batch)

    writer = GroupWriter(second)

    assert await settle(*submit(writer, "refused")) == [InvalidInput]
    await writer.close()


async def test_trouble_with_the_database_is_told_to_all_and_the_writer_lives_on(writer, ledger):
    ledger.down = True
    assert await settle(*submit(writer, "a", "b")) == [JournalError, JournalError]

    ledger.down = False
    assert await settle(*submit(writer, "c")) == [None]
    assert ledger.batches == [["c"]]


async def test_each_who_waits_gets_an_error_of_its_own(writer, ledger):
    ledger.down = True

    errors = await asyncio.gather(*submit(writer, "a", "b"), return_exceptions=True)

    assert str(errors[0]) == str(errors[1]) == "the disk is full"
    assert errors[0] is not errors[1]


async def test_a_cancelled_wait_neither_stops_the_write_nor_the_writer(writer, ledger):
    futures = submit(writer, "a", "b")
    futures[0].cancel()

    await futures[1]

    assert ledger.batches == [["a", "b"]]


async def test_closing_drains_and_refuses_what_comes_later(ledger):
    writer = GroupWriter(ledger.commit)
    futures = submit(writer, *["x"] * (MAX_BATCH + 1))
    await writer.close()
    await writer.close()

    assert all(future.done() for future in futures)
    with pytest.raises(JournalError, match="the journal is closed"):
        submit(writer, "late")


async def test_closing_with_less_than_a_batch_queued_drains_too(ledger):
    writer = GroupWriter(ledger.commit)
    futures = submit(writer, "a", "b")
    await writer.close()

    assert [future.result() for future in futures] == [None, None]
