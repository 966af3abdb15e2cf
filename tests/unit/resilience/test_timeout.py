"""F4: one attempt has its time."""

import asyncio
import contextvars
import time

import pytest

from echelon.model.errors import AgentTimeout
from echelon.resilience.timeout import heartbeat, pulse
from tests.unit.resilience.limits import within


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


def test_without_a_bound_work_takes_its_time() -> None:
    assert asyncio.run(within(None, at_once)) == "done"


# Idle


async def beating(times: int) -> str:
    for _ in range(times):
        await asyncio.sleep(0.03)
        heartbeat()
    return "done"


def test_work_that_is_silent_for_too_long_is_cancelled_and_the_error_says_idle() -> None:
    with pytest.raises(AgentTimeout, match=r"idle: no output and no heartbeat for 0\.02 s") as late:
        asyncio.run(within(60, never, idle_seconds=0.02))

    assert (late.value.seconds, late.value.idle) == (0.02, True)


def test_work_that_gives_signs_of_life_lives_on_beyond_its_idle_time() -> None:
    assert asyncio.run(within(None, lambda: beating(10), idle_seconds=0.2)) == "done"


def test_signs_of_life_do_not_lengthen_the_time_in_all() -> None:
    with pytest.raises(AgentTimeout, match="no answer within") as late:
        asyncio.run(within(0.2, lambda: beating(1000), idle_seconds=0.15))

    assert not late.value.idle


def test_signs_of_life_may_come_from_a_thread_and_from_tasks_inside() -> None:
    async def busy() -> str:
        await asyncio.to_thread(lambda: [heartbeat() or time.sleep(0.03) for _ in range(8)])
        return await asyncio.create_task(beating(8))

    assert asyncio.run(within(None, busy, idle_seconds=0.2)) == "done"


def test_signs_of_life_of_a_call_inside_are_signs_of_life_of_the_call_outside() -> None:
    async def outer() -> str:
        return await within(None, lambda: beating(10), idle_seconds=60)

    assert asyncio.run(within(None, outer, idle_seconds=0.2)) == "done"


def test_a_callback_outside_of_the_context_can_be_given_the_pulse() -> None:
    async def driven() -> str:
        beat, done = pulse(), asyncio.Event()
        contextvars.Context().run(asyncio.get_running_loop().call_later, 0.1, beat)
        contextvars.Context().run(asyncio.get_running_loop().call_later, 0.25, done.set)
        await done.wait()
        return "done"

    assert asyncio.run(within(None, driven, idle_seconds=0.2)) == "done"


def test_a_heartbeat_that_nobody_listens_to_does_nothing() -> None:
    heartbeat()
    pulse()()


def test_a_timeout_of_the_work_itself_is_left_alone_under_an_idle_timeout_as_well() -> None:
    with pytest.raises(TimeoutError, match="the socket"):
        asyncio.run(within(5, times_out_by_itself, idle_seconds=1))
