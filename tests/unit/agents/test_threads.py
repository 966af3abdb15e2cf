"""Plain functions run in threads that a process ends without."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from echelon.agents.threads import DaemonThreads, call_in_thread, use_daemon_threads
from echelon.resilience.stoppable import noting_stops


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Something that functions wait for; opened at the end of the test."""
    event = threading.Event()
    with ExitStack() as stack:
        stack.callback(event.set)
        yield event


def pool(most: int | None = None) -> DaemonThreads:
    return DaemonThreads("test", most, grace_seconds=0.05)


def test_a_call_returns_or_raises_what_its_function_does() -> None:
    threads = pool()

    assert threads.submit(divmod, 7, 2).result() == (3, 1)
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 7, 0).result()


def test_threads_are_daemons_and_are_used_again() -> None:
    threads = pool()

    first, second = (threads.submit(threading.current_thread).result() for _ in range(2))

    assert first.daemon
    assert first is second or second.daemon  # the first may not be idle yet


def test_so_many_are_at_work_at_one_time_and_one_given_up_counts_no_more(gate: threading.Event) -> None:
    threads = pool(1)
    endless = threads.submit(gate.wait)
    waiting = threads.submit(str, "its turn")
    while not endless.running():
        pass

    assert not waiting.done()
    assert threads.abandon(endless)
    assert waiting.result(timeout=10) == "its turn"


def test_what_has_not_begun_is_cancelled_when_it_is_given_up(gate: threading.Event) -> None:
    threads = pool(1)
    endless = threads.submit(gate.wait)
    waiting = threads.submit(str)

    assert not threads.abandon(waiting)
    gate.set()
    assert endless.result(timeout=10)
    assert waiting.cancelled()
    assert threads.submit(str, "others go on").result(timeout=10) == "others go on"


@pytest.mark.parametrize(("calls", "told"), [(1, "1 function is still"), (2, "2 functions are still")])
def test_at_the_end_it_says_what_is_still_at_work(
    gate: threading.Event, capsys: pytest.CaptureFixture[str], calls: int, told: str
) -> None:
    threads = pool()
    for _ in range(calls):
        threads.submit(gate.wait)

    threads.shutdown()

    assert told in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="after shutdown"):
        threads.submit(str)


def test_at_the_end_nothing_is_said_when_all_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    threads = pool()
    threads.submit(str)

    threads.shutdown()

    assert capsys.readouterr().err == ""


def test_a_call_that_is_cancelled_is_noted_as_going_on(gate: threading.Event) -> None:
    async def cancelled() -> str | None:
        with noting_stops() as notes:
            task = asyncio.create_task(call_in_thread(gate.wait))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return notes.left

    assert "goes on until the function returns" in (asyncio.run(cancelled()) or "")


def test_a_loop_with_a_pool_of_its_own_keeps_it() -> None:
    async def names() -> tuple[str, str]:
        loop = asyncio.get_running_loop()
        use_daemon_threads(loop)
        first = await asyncio.to_thread(threading.current_thread)
        use_daemon_threads(loop)
        return first.name, (await asyncio.to_thread(threading.current_thread)).name

    assert all(name.startswith("echelon-thread-") for name in asyncio.run(names()))
