"""Whoever watches or follows a run hears of everything, once, in order."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from echelon.journal.port import Journal
from echelon.runlog.events import LoggedEvent
from echelon.runlog.state import fold
from echelon.testing.journal_contract.base import (
    PATIENCE_SECONDS,
    Base,
    one_by_one,
    unwrap,
)
from echelon.testing.run_events import (
    one_of_each,
    run_started,
    step_ended,
    step_started,
)


class FeedContract(Base):
    """Whoever watches or follows a run hears of everything, once, in order."""

    async def test_a_watcher_is_handed_what_its_process_writes(self, r1: Journal, another: Journal) -> None:
        seen: list[LoggedEvent] = []
        await r1.append(run_started("r2"))
        with r1.watching("r1", seen.extend):
            r1.enqueue(step_started())
            await asyncio.gather(*[r1.append(step_ended(f"n{number}")) for number in range(20)])
            await r1.append(step_ended(run_id="r2"))
            async with r1.holding("r1"):
                pass
        await r1.append(step_ended("behind the block"))
        ours = list(await r1.events("r1", after=1))[:-1]
        with r1.watching("r1", seen.extend):
            await another.append(step_ended("of another"))

        assert seen == ours
        assert seen[-1].event.kind == "run_taken"

    async def test_what_is_watched_is_durable_and_was_not_refused(self, r1: Journal, another: Journal) -> None:
        async def is_found(seq: int) -> bool:
            return any(logged.seq == seq for logged in await another.events("r1"))

        looking: list[asyncio.Task[bool]] = []
        with r1.watching("r1", lambda events: looking.append(asyncio.create_task(is_found(events[-1].seq)))):
            await asyncio.gather(*[r1.append(step_ended()) for _ in range(3)], return_exceptions=True)

        assert await asyncio.gather(*looking) == [True]

    async def test_a_watcher_that_fails_harms_nobody(self, r1: Journal, caplog: pytest.LogCaptureFixture) -> None:
        seen: list[LoggedEvent] = []

        def fail(_events: Sequence[LoggedEvent]) -> None:
            raise RuntimeError("the terminal is gone")

        with r1.watching("r1", fail), r1.watching("r1", seen.extend):
            await r1.append(step_ended())

        assert [logged.event.kind for logged in seen] == ["step_ended"]
        assert "the terminal is gone" in caplog.text

    async def test_a_tail_gives_what_is_there_and_then_what_comes(self, r1: Journal, another: Journal) -> None:
        await r1.append(step_ended("a"), step_ended("b"))

        async with asyncio.timeout(PATIENCE_SECONDS), aclosing(one_by_one(r1, "r1", after=1)) as tail:
            before = [await anext(tail), await anext(tail)]
            await another.append(step_ended("c"))
            r1.enqueue(step_ended("d"))
            after = [await anext(tail), await anext(tail)]

        assert (*before, *after) == (await r1.events("r1"))[1:]

    async def test_a_tail_leaves_nothing_out_and_gives_nothing_twice(self, r1: Journal, another: Journal) -> None:
        async def write(journal: Journal, name: str) -> None:
            for number in range(30):
                await journal.append(step_started(f"{name}{number}"), step_ended(f"{name}{number}"))

        async def follow() -> list[int]:
            async with aclosing(one_by_one(another, "r1")) as tail:
                return [(await anext(tail)).seq for _ in range(1 + 4 * 30)]

        async with asyncio.timeout(PATIENCE_SECONDS):
            followers = [asyncio.create_task(follow()) for _ in range(2)]
            await asyncio.gather(write(r1, "a"), write(another, "b"))

            assert await asyncio.gather(*followers) == [list(range(1, 122))] * 2

    async def test_a_tail_of_some_kinds_gives_no_others(self, r1: Journal, another: Journal) -> None:
        await r1.append(step_started("a"), step_ended("a"))

        async with asyncio.timeout(PATIENCE_SECONDS), aclosing(r1.tail("r1", kinds=("step_ended",))) as tail:
            before = await anext(tail)
            await another.append(step_started("b"), step_ended("b"))
            after = await anext(tail)

        assert [(logged.seq, logged.event.subject) for logged in (*before, *after)] == [(3, "a"), (5, "b")]

    async def test_a_run_can_be_followed_before_it_begins(self, journal: Journal, another: Journal) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), aclosing(one_by_one(another, "r1")) as tail:
            first = asyncio.ensure_future(anext(tail))
            await asyncio.sleep(0.05)  # it looks, and finds nothing
            await journal.append(run_started())

            assert (await first).event == run_started()

    async def test_what_came_back_folds_alike_wherever_it_is_cut(self, journal: Journal) -> None:
        for event in one_of_each():
            await journal.append(event)
        whole = fold(one_of_each())

        for cut in range(1, len(one_of_each())):
            first = unwrap((await journal.events("r1"))[:cut])
            rest = unwrap(await journal.events("r1", after=cut))

            assert fold(rest, fold(first)) == whole
