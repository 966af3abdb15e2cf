"""F4: one attempt has its time."""

import asyncio

import pytest

from echelon.model.errors import AgentTimeout
from echelon.resilience.timeout import within


async def never() -> None:
    await asyncio.Event().wait()


async def at_once() -> str:
    return "done"


async def times_out_by_itself() -> None:
    raise TimeoutError("the socket, not the guard")


def test_work_in_time_returns() -> None:
    assert asyncio.run(within(5, at_once)) == "done"


def test_work_that_takes_too_long_is_cancelled() -> None:
    with pytest.raises(AgentTimeout, match=r"no answer within its 0\.01 s") as late:
        asyncio.run(within(0.01, never))

    assert late.value.seconds == 0.01


def test_a_timeout_of_the_work_itself_is_left_alone() -> None:
    with pytest.raises(TimeoutError, match="the socket"):
        asyncio.run(within(5, times_out_by_itself))


def test_cancellation_from_outside_stays_a_cancellation() -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(within(5, never))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
