"""One process at a time: a run is held, taken over, and who lost it writes nothing (F8)."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from echelon.journal.port import Journal
from echelon.model.errors import InvalidInput, JournalError, LeaseLost, RunHeld
from echelon.runlog.events import RunEnded, RunStarted, RunTaken
from echelon.testing.journal_contract.base import (
    LONG_SECONDS,
    PATIENCE_SECONDS,
    SHORT_SECONDS,
    Base,
    Expire,
    take_over,
    unwrap,
)
from echelon.testing.run_events import (
    one_of_each,
    run_ended,
    run_started,
    step_ended,
    step_started,
)


class LeaseContract(Base):
    """One process at a time: a run is held, taken over, and who lost it writes nothing (F8)."""

    async def test_a_run_that_is_held_is_refused_with_who_has_it_and_until_when(
        self, r1: Journal, another: Journal
    ) -> None:
        async with r1.holding("r1", LONG_SECONDS) as lease:
            with pytest.raises(RunHeld) as refused:
                async with another.holding("r1", LONG_SECONDS):
                    pytest.fail("two hold one run")

        who = f"run 'r1' is held by process {lease.session.pid} on {lease.session.host} since 20"
        assert who in str(refused.value)
        assert "its lease ends in 60 s unless it is renewed. Wait for that process to end" in str(refused.value)
        assert lease.session.token == 1

    async def test_taking_a_run_is_in_its_log(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1", LONG_SECONDS) as first:
            pass
        async with another.holding("r1", LONG_SECONDS) as second:
            found = unwrap(await r1.events("r1", kinds=("run_taken",)))

        taken = [event for event in found if isinstance(event, RunTaken)]
        assert len(taken) == len(found)
        assert [(event.token, event.at, event.pid, event.idle_since is None) for event in taken] == [
            (1, first.session.began, first.session.pid, True),
            (2, second.session.began, second.session.pid, False),
        ]
        idle_since = taken[1].idle_since
        assert idle_since is not None
        assert first.session.began <= idle_since <= second.session.began

    async def test_a_run_is_put_on_record_by_who_takes_it(self, journal: Journal, another: Journal) -> None:
        async with journal.holding("r1", LONG_SECONDS, start=run_started("r1")):
            with pytest.raises(RunHeld):
                async with another.holding("r1", LONG_SECONDS):
                    pytest.fail("two hold one run")
            found = unwrap(await another.events("r1"))

        assert [type(event) for event in found] == [RunStarted, RunTaken]
        assert await another.run("r1") == run_started("r1").record

    async def test_a_run_that_is_on_record_is_not_started_again(self, r1: Journal, another: Journal) -> None:
        before = await r1.events("r1")

        with pytest.raises(JournalError, match="r1"):
            async with another.holding("r1", LONG_SECONDS, start=run_started("r1")):
                pytest.fail("one run was started twice")

        assert await r1.events("r1") == before
        assert not await r1.is_held("r1")

    async def test_who_gives_a_run_back_says_what_happened_last(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1", LONG_SECONDS) as lease:
            await lease.give_back(run_ended())

            assert not await another.is_held("r1")
            assert unwrap(await another.events("r1"))[-1] == run_ended()

        assert (await another.run("r1")).status is run_ended().status

    async def test_a_run_can_be_taken_by_force(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1", LONG_SECONDS) as lost:
            async with another.holding("r1", LONG_SECONDS, force=True) as taken:
                with pytest.raises(LeaseLost):
                    await r1.append(step_ended())
                await another.append(step_ended())

            assert taken.session.token == lost.session.token + 1

        assert len(await another.steps("r1")) == 1

    async def test_who_lost_a_run_cannot_end_it(self, r1: Journal, another: Journal, expire: Expire) -> None:
        async with r1.holding("r1", LONG_SECONDS) as lease:
            await expire("r1")
            async with another.holding("r1", LONG_SECONDS):
                with pytest.raises(LeaseLost):
                    await lease.give_back(run_ended())

        assert RunEnded not in [type(event) for event in unwrap(await another.events("r1"))]

    async def test_an_unknown_run_cannot_be_held(self, journal: Journal) -> None:
        with pytest.raises(InvalidInput, match=r"no run 'r9'.*echelon runs"):
            async with journal.holding("r9"):
                pass

    async def test_of_many_who_want_a_run_at_the_same_time_one_gets_it(self, r1: Journal, another: Journal) -> None:
        done = asyncio.Event()

        async def attempt(journal: Journal) -> str:
            try:
                async with journal.holding("r1", LONG_SECONDS):
                    await asyncio.wait_for(done.wait(), PATIENCE_SECONDS)
                    return "held"
            except RunHeld:
                return "refused"

        attempts = [asyncio.create_task(attempt(journal)) for journal in (r1, another, r1, another)]
        outcomes: list[str] = []
        for attempted in asyncio.as_completed(attempts):
            outcomes.append(await attempted)
            if len(outcomes) == len(attempts) - 1:
                done.set()

        assert outcomes == ["refused", "refused", "refused", "held"]

    async def test_a_process_that_is_not_heard_of_loses_the_run(
        self, r1: Journal, another: Journal, expire: Expire
    ) -> None:
        async with r1.holding("r1", LONG_SECONDS):
            await expire("r1")
            async with another.holding("r1", LONG_SECONDS) as lease:
                assert lease.session.token == 2

    async def test_a_lease_is_kept_for_as_long_as_its_process_works(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1", SHORT_SECONDS):
            await asyncio.sleep(3 * SHORT_SECONDS)
            with pytest.raises(RunHeld):
                async with another.holding("r1", LONG_SECONDS):
                    pass

    async def test_nothing_is_accepted_from_a_process_that_lost_its_run(
        self, r1: Journal, another: Journal, expire: Expire
    ) -> None:
        async with r1.holding("r1", LONG_SECONDS):
            await expire("r1")
            async with another.holding("r1", LONG_SECONDS):
                before = await another.events("r1")
                for event in one_of_each()[1:]:
                    with pytest.raises(LeaseLost, match="another process took run 'r1' over"):
                        await r1.append(event)
                r1.enqueue(step_started())
        with pytest.raises(LeaseLost):  # what is late is refused behind the block too
            await r1.append(step_ended("late"))

        assert await another.events("r1") == before

    async def test_a_lost_run_takes_nothing_else_down_with_it(
        self, r1: Journal, another: Journal, expire: Expire
    ) -> None:
        """One transaction for two runs of a process, and one of them is lost."""
        await r1.append(run_started("r2"))
        async with r1.holding("r1", LONG_SECONDS):
            await expire("r1")
            async with another.holding("r1", LONG_SECONDS):
                outcomes = await asyncio.gather(
                    r1.append(step_ended("late")), r1.append(step_ended("fine", run_id="r2")), return_exceptions=True
                )

        assert [type(outcome) for outcome in outcomes] == [LeaseLost, type(None)]
        assert [found.node for found in await another.steps("r2")] == ["fine"]

    async def test_what_is_written_while_a_run_is_taken_over_is_there_before_or_not_at_all(
        self, r1: Journal, another: Journal, expire: Expire
    ) -> None:
        """The new holder reads once what is on record: nothing may turn up behind its back."""
        async with r1.holding("r1", LONG_SECONDS):
            await expire("r1")
            writing = [asyncio.create_task(r1.append(step_ended(f"n{number}"))) for number in range(50)]
            await asyncio.sleep(0)
            async with another.holding("r1", LONG_SECONDS):
                seen = await another.steps("r1")
                late = asyncio.gather(*[r1.append(step_ended(f"late{n}")) for n in range(5)], return_exceptions=True)
                outcomes = await asyncio.gather(*writing, return_exceptions=True)

                assert {type(outcome) for outcome in await late} == {LeaseLost}
                assert await another.steps("r1") == seen

        assert len(seen) == sum(outcome is None for outcome in outcomes)

    async def test_who_lost_a_run_is_stopped_and_told_why(self, r1: Journal, another: Journal, expire: Expire) -> None:
        held, stopped = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            async with r1.holding("r1", SHORT_SECONDS):
                held.set()
                try:
                    await asyncio.sleep(LONG_SECONDS)
                finally:
                    stopped.set()

        task = asyncio.create_task(work())
        await held.wait()
        async with AsyncExitStack() as stack:
            assert (await take_over(another, expire, stack)).session.token == 2
            with pytest.raises(LeaseLost):
                await task

        assert stopped.is_set()
        assert task.cancelling() == 0

    async def test_a_block_that_is_cancelled_for_another_reason_gives_the_run_back(
        self, r1: Journal, another: Journal
    ) -> None:
        held = asyncio.Event()

        async def work() -> None:
            async with r1.holding("r1", LONG_SECONDS):
                held.set()
                await asyncio.sleep(LONG_SECONDS)

        task = asyncio.create_task(work())
        await held.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with another.holding("r1", LONG_SECONDS) as lease:
            assert lease.session.token == 2

    async def test_a_run_that_is_taken_for_somebody_who_was_cancelled_is_given_back(
        self, r1: Journal, another: Journal
    ) -> None:
        async def work() -> None:
            async with r1.holding("r1", LONG_SECONDS):
                await asyncio.sleep(LONG_SECONDS)

        task = asyncio.create_task(work())
        await asyncio.sleep(0)  # it asks
        task.cancel()
        await asyncio.wait([task])
        await r1.append(step_ended())  # behind whatever was begun
        await r1.append(step_ended("and what followed from it"))
        async with another.holding("r1", LONG_SECONDS):
            pass
