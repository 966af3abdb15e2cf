"""F4: an attempt that is stopped ends, also when its code does not."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable

import pytest

from echelon.model.errors import AgentTimeout
from echelon.resilience.stoppable import run_stoppably
from echelon.resilience.timeout import time_limit

GRACE = 0.05


async def do(work: Callable[[], Awaitable[object]], seconds: float | None = 0.05, grace_seconds: float = GRACE):
    async with time_limit(seconds):
        async with run_stoppably(work, grace_seconds) as task:
            await asyncio.wait({task})
        return task.result()


async def returns() -> str:
    return "done"


async def raises() -> None:
    raise ValueError("its own")


async def cleans_up() -> str:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(0.01)
    return "what there was"


async def fails_to_clean_up() -> None:
    try:
        await asyncio.sleep(60)
    finally:
        raise ValueError("its end")


async def catches(kind: type[BaseException], seen: list[str]) -> None:
    while True:
        try:
            await asyncio.sleep(60)
        except kind as error:
            seen.append(type(error).__name__)


def test_what_work_returns_and_raises_is_its_own() -> None:
    assert asyncio.run(do(returns)) == "done"
    with pytest.raises(ValueError, match="its own"):
        asyncio.run(do(raises))


def test_work_has_a_grace_time_in_which_it_may_still_return_or_raise() -> None:
    assert asyncio.run(do(cleans_up, grace_seconds=5)) == "what there was"
    with pytest.raises(ValueError, match="its end"):
        asyncio.run(do(fails_to_clean_up, grace_seconds=5))


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        (asyncio.CancelledError, ["CancelledError"]),
        (BaseException, ["CancelledError", "GivenUp"]),
    ],
)
def test_work_that_goes_on_is_given_up_and_does_no_more(kind: type[BaseException], seen: list[str]) -> None:
    """After its time it is not driven any more: nothing of it is left to hinder the end of the loop."""
    found: list[str] = []

    with pytest.raises(AgentTimeout, match=r"within its 0\.05 s; it went on after it was cancelled, and was given up"):
        asyncio.run(do(lambda: catches(kind, found)))

    assert found == seen


def test_what_work_holds_is_given_back_when_it_is_given_up() -> None:
    lock = asyncio.Lock()

    async def holding() -> None:
        async with lock:
            try:
                await catches(asyncio.CancelledError, [])
            finally:
                await asyncio.sleep(0.01)  # it is driven while it cleans up

    with pytest.raises(AgentTimeout):
        asyncio.run(do(holding))

    assert not lock.locked()


def test_context_variables_are_reset_in_what_is_given_up() -> None:
    variable, ended = contextvars.ContextVar[str]("variable"), list[str]()

    async def setting() -> None:
        token = variable.set("inside")
        try:
            await catches(asyncio.CancelledError, [])
        finally:
            variable.reset(token)
            ended.append("reset")

    with pytest.raises(AgentTimeout):
        asyncio.run(do(setting))

    assert ended == ["reset"]


def test_cancelled_from_outside_it_is_cancelled_after_the_grace_time() -> None:
    async def cancelled() -> None:
        found: list[str] = []
        task = asyncio.create_task(do(lambda: catches(asyncio.CancelledError, found), None))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.sleep(0.01)
        task.cancel()  # once more: the grace time is neither shortened nor begun again

        with pytest.raises(asyncio.CancelledError):
            await task
        assert found == ["CancelledError"]

    asyncio.run(cancelled())


def test_any_awaitable_is_work() -> None:
    async def both() -> list[object]:
        future = asyncio.get_running_loop().create_future()
        future.set_result("done")
        return [await do(lambda: future), await do(lambda: asyncio.sleep(0, "slept"))]

    assert asyncio.run(both()) == ["done", "slept"]
