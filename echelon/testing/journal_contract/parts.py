"""Parts of a run are held by several processes at once, under the token of the run."""

import asyncio

import pytest

from echelon.journal.port import Journal
from echelon.model.errors import InvalidInput, LeaseLost, RunHeld
from echelon.testing.journal_contract.base import (
    LONG_SECONDS,
    Base,
    Expire,
)
from echelon.testing.run_events import (
    step_ended,
)


class PartContract(Base):
    """Parts of a run are held by several processes at once, under the token of the run."""

    async def test_two_processes_hold_different_parts_of_a_run_at_once(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1", LONG_SECONDS) as root:
            under = root.session.token
            async with (
                r1.holding("r1", LONG_SECONDS, part="north", under=under) as north,
                another.holding("r1", LONG_SECONDS, part="south", under=under) as south,
            ):
                for journal, name in ((r1, "a"), (another, "b"), (r1, "c")):
                    await journal.append(step_ended(name))
                await asyncio.gather(*[lease.beat() for lease in (root, north, south)])

            assert [(lease.session.part, lease.session.token) for lease in (north, south)] == [
                ("north", 1),
                ("south", 1),
            ]
            await r1.append(step_ended("d"))

        assert [logged.event.kind for logged in await r1.events("r1")] == [
            "run_started",
            "run_taken",
            *["step_ended"] * 4,
        ]

    async def test_a_part_that_is_held_is_refused(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1") as root, r1.holding("r1", LONG_SECONDS, part="north", under=1) as first:
            with pytest.raises(RunHeld, match="part 'north' of run 'r1' is held by process"):
                async with another.holding("r1", part="north", under=root.session.token):
                    pytest.fail("two hold one part")

        assert first.session.under == 1

    async def test_a_part_can_be_taken_again_when_it_was_given_back(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1"):
            async with another.holding("r1", part="north", under=1):
                pass
            async with r1.holding("r1", part="north", under=1) as second:
                assert second.session.token == 2
            await another.append(step_ended())  # it holds nothing any more, and lost nothing

    async def test_nothing_is_accepted_from_a_process_that_lost_its_part(
        self, r1: Journal, another: Journal, expire: Expire
    ) -> None:
        async with r1.holding("r1", LONG_SECONDS) as root, another.holding("r1", LONG_SECONDS, part="north", under=1):
            await expire("r1")
            async with r1.holding("r1", LONG_SECONDS, part="north", under=root.session.token) as taken:
                with pytest.raises(LeaseLost):
                    await another.append(step_ended("late"))
                await r1.append(step_ended("fine"))

                assert taken.session.token == 2
        with pytest.raises(LeaseLost):
            await another.append(step_ended("later"))

        assert [step.node for step in await r1.steps("r1")] == ["fine"]

    async def test_a_part_ends_with_the_token_of_its_run(self, r1: Journal, another: Journal, expire: Expire) -> None:
        async with r1.holding("r1", LONG_SECONDS), r1.holding("r1", LONG_SECONDS, part="north", under=1) as part:
            await expire("r1")
            async with another.holding("r1", LONG_SECONDS) as root:
                with pytest.raises(LeaseLost):
                    await part.beat()
                with pytest.raises(LeaseLost):
                    await r1.append(step_ended("late"))
                async with another.holding("r1", LONG_SECONDS, part="north", under=root.session.token) as anew:
                    assert (anew.session.token, anew.session.under) == (2, 2)

    async def test_a_part_cannot_be_held_under_an_older_token(self, r1: Journal, another: Journal) -> None:
        async with r1.holding("r1"):
            pass
        async with r1.holding("r1"):
            for under in (1, 3):
                with pytest.raises(LeaseLost):
                    async with another.holding("r1", part="north", under=under):
                        pytest.fail("the run has another token")

    async def test_parts_and_tokens_come_together(self, r1: Journal) -> None:
        for part, under in (("north", None), ("", 1)):
            with pytest.raises(InvalidInput, match="give both or neither"):
                async with r1.holding("r1", part=part, under=under):
                    pass
