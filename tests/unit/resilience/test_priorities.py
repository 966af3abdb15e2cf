"""F5: of those who wait for slots the higher priority comes first; among equals the share stays fair."""

import asyncio
from collections.abc import Sequence

import pytest

from echelon.model.policy import BulkheadPolicy
from echelon.resilience.bulkhead import Bulkhead

pytestmark = pytest.mark.anyio

LOW, HIGH = -1, 5


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def order_of_turns(slots: int, callers: Sequence[tuple[str, int]], *, give_up: Sequence[int] = ()) -> list[str]:
    """Hold all slots, let callers come, then give the slots back; return who got one, in the order they did.

    Each holds its slot until nothing else happens; `give_up` numbers those that are cancelled while they wait.
    """
    shared = Bulkhead("provider", BulkheadPolicy(max_concurrency=slots, max_queue=None))
    got: list[str] = []

    async def call(tenant: str, priority: int) -> None:
        async with shared.slot(tenant, priority):
            got.append(tenant)
            await settle()

    for _ in range(slots):
        await shared.enter("holder")
    waiting: list[asyncio.Task[None]] = []
    for tenant, priority in callers:
        waiting.append(asyncio.create_task(call(tenant, priority)))
        await settle()
    for number in give_up:
        waiting[number].cancel()
    await settle()
    for _ in range(slots):
        shared.leave("holder")
    await asyncio.gather(*waiting, return_exceptions=True)

    assert (shared.at_work, shared.waiting) == (0, 0)
    return got


@pytest.mark.parametrize("slots", [1, 2])
async def test_a_higher_priority_comes_first_whoever_waits_longer(slots: int) -> None:
    callers = [("low", LOW), ("low", LOW), ("usual", 0), ("high", HIGH), ("high", HIGH)]

    assert await order_of_turns(slots, callers) == ["high", "high", "usual", "low", "low"]


async def test_among_equals_tenants_take_turns() -> None:
    callers = [("a", HIGH), ("a", HIGH), ("b", HIGH), ("c", 0)]

    assert await order_of_turns(1, callers) == ["a", "b", "a", "c"]


async def test_who_gives_up_keeps_nobody_of_a_lower_priority_waiting() -> None:
    assert await order_of_turns(1, [("low", LOW), ("high", HIGH)], give_up=[1]) == ["low"]


async def test_a_free_slot_is_never_kept_for_a_higher_priority_that_does_not_ask_for_it() -> None:
    """Calls that are to come, or wait elsewhere, keep nobody out: a slot that is free is of use to somebody."""
    shared = Bulkhead("provider", BulkheadPolicy(max_concurrency=1, max_queue=None))
    shared.reserve("high", 10, HIGH)
    async with asyncio.timeout(5):
        await shared.enter("low", LOW)

    assert shared.held_by("low") == 1
    shared.leave("low", LOW)


async def test_a_slot_is_not_taken_back_and_the_fair_part_of_equals_is_theirs() -> None:
    """Two of three slots are held by `low`; `a` and `b` share what is left in turns, before `low` gets more."""
    shared = Bulkhead("provider", BulkheadPolicy(max_concurrency=3, max_queue=None))
    await shared.enter("low", LOW)
    await shared.enter("low", LOW)
    await shared.enter("a", HIGH)
    waiting = {
        name: asyncio.create_task(shared.enter(name, priority))
        for name, priority in (("a", HIGH), ("b", HIGH), ("low", LOW))
    }
    await settle()
    assert not any(task.done() for task in waiting.values())

    shared.leave("low", LOW)
    await settle()

    assert [name for name, task in waiting.items() if task.done()] == ["a"]
    shared.leave("low", LOW)
    await settle()
    assert [name for name, task in waiting.items() if task.done()] == ["a", "b"]
    shared.leave("a", HIGH)
    await settle()
    assert waiting["low"].done()
