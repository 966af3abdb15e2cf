"""The log: everything that is appended, once, in order."""

import asyncio
from collections.abc import Sequence

from echelon.journal.port import Journal
from echelon.testing.journal_contract.base import (
    Base,
    unwrap,
)
from echelon.testing.run_events import (
    concern_raised,
    one_of_each,
    run_started,
    step_ended,
    step_started,
)


class LogContract(Base):
    """The log: everything that is appended, once, in order."""

    async def test_events_of_every_kind_come_back_as_they_were_written(self, journal: Journal) -> None:
        for event in one_of_each():
            await journal.append(event)

        assert unwrap(await journal.events("r1")) == one_of_each()

    async def test_places_count_from_one_without_gaps(self, r1: Journal) -> None:
        await asyncio.gather(*[r1.append(step_started(f"n{number}")) for number in range(50)])

        assert [logged.seq for logged in await r1.events("r1")] == list(range(1, 52))

    async def test_events_are_in_the_order_they_were_appended(self, r1: Journal) -> None:
        names = [f"n{number}" for number in range(50)]
        await asyncio.gather(*[r1.append(step_started(name), step_ended(name)) for name in names])
        await r1.append(step_ended("last"))

        found = [(logged.event.kind, logged.event.subject) for logged in await r1.events("r1", after=1)]

        both = [(kind, name) for name in names for kind in ("step_started", "step_ended")]
        assert found == [*both, ("step_ended", "last")]

    async def test_every_run_has_places_of_its_own(self, r1: Journal) -> None:
        await r1.append(run_started("r2"))
        await asyncio.gather(*[r1.append(step_started(run_id=run_id)) for run_id in ("r1", "r2", "r1")])

        assert [logged.seq for logged in await r1.events("r1")] == [1, 2, 3]
        assert [logged.seq for logged in await r1.events("r2")] == [1, 2]

    async def test_two_processes_share_one_log(self, r1: Journal, another: Journal) -> None:
        await asyncio.gather(
            *[writer.append(step_started(f"{number}")) for number in range(30) for writer in (r1, another)]
        )

        found = await another.events("r1")

        assert [logged.seq for logged in found] == list(range(1, 62))
        assert found == await r1.events("r1")

    async def test_events_can_be_asked_for_by_place_kind_and_subject(self, r1: Journal) -> None:
        await r1.append(step_started("a"), step_ended("a"), step_started("b"), concern_raised("c-1"))

        async def ask(after: int = 0, kinds: Sequence[str] = (), subject: str | None = None) -> list[int]:
            return [logged.seq for logged in await r1.events("r1", after=after, kinds=kinds, subject=subject)]

        assert await ask(after=3) == [4, 5]
        assert await ask(kinds=("step_started", "concern_raised")) == [2, 4, 5]
        assert await ask(subject="a") == [2, 3]
        assert await ask(kinds=("step_started",), subject="b", after=1) == [4]
        assert await ask(subject="nobody") == []
        assert [logged.seq for logged in await r1.events("r1", after=1, kinds=("step_started",), limit=1)] == [2]

    async def test_an_unknown_run_has_nounwrap(self, journal: Journal) -> None:
        assert await journal.events("r9") == ()

    async def test_nothing_is_nothing(self, journal: Journal) -> None:
        await journal.append()
        journal.enqueue()

        assert await journal.runs() == ()

    async def test_what_is_enqueued_comes_before_what_is_appended_next(self, r1: Journal) -> None:
        for number in range(20):
            r1.enqueue(step_started(f"n{number}"))
        await r1.append(step_ended("n0"))

        found = [logged.event.subject for logged in await r1.events("r1", after=1)]

        assert found == [*(f"n{number}" for number in range(20)), "n0"]

    async def test_a_cancelled_append_is_written_all_the_same(self, r1: Journal) -> None:
        append = asyncio.ensure_future(r1.append(step_ended()))
        await asyncio.sleep(0)  # one turn of the loop, so that it is begun
        append.cancel()
        await r1.append(step_ended("behind it"))

        assert [step.node for step in await r1.steps("r1", "inspect")] == ["inspect", "behind it"]
