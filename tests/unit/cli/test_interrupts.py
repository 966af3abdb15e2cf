import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest

from echelon.cli.interrupts import Interrupted, run_until_stopped


def nothing() -> None:
    pass


def never() -> None:
    pytest.fail("the second signal did not come")


async def answer() -> int:
    return await asyncio.to_thread(lambda: 42)


async def fail() -> int:
    raise LookupError("gone")


def test_the_result_comes_back_from_the_thread_of_the_loop():
    assert run_until_stopped(answer(), nothing, never) == 42


def test_an_error_comes_back_as_it_was_raised():
    with pytest.raises(LookupError, match="gone"):
        run_until_stopped(fail(), nothing, never)


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_cancels_and_lets_the_coroutine_clean_up(number):
    seen: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), getattr(signal, number))
            await asyncio.Event().wait()
        finally:
            seen.append("cleaned up")

    before = signal.signal(getattr(signal, number), signal.SIG_DFL)  # the tests may have been started with nohup
    try:
        with pytest.raises(Interrupted):
            run_until_stopped(work(), lambda: seen.append("told"), never)
    finally:
        signal.signal(getattr(signal, number), before)

    assert seen == ["told", "cleaned up"]


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
def test_a_signal_that_is_ignored_stays_ignored():
    """As `nohup` has it: the terminal may be closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:

        async def work() -> str:
            os.kill(os.getpid(), signal.SIGHUP)
            return await asyncio.sleep(0, "done")

        assert run_until_stopped(work(), never, never) == "done"
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
def test_a_thread_that_cannot_be_interrupted_is_not_waited_for():
    busy = threading.Event()

    async def work() -> None:
        waiting = asyncio.to_thread(busy.wait)
        os.kill(os.getpid(), signal.SIGINT)
        await waiting

    with pytest.raises(Interrupted):
        run_until_stopped(work(), nothing, never)

    busy.set()


def test_the_handlers_of_before_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run_until_stopped(answer(), nothing, never)

    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


IMPATIENT = """
import asyncio, os, signal, sys
from echelon.cli.interrupts import run_until_stopped

def told():
    os.kill(os.getpid(), signal.SIGINT)  # again, while the first is being answered
    raise SystemExit("was not ended")

def gone():
    raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stderr>'>")

async def work():
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.Event().wait()

run_until_stopped(work(), told, gone)
"""


@pytest.mark.skipif(os.name == "nt", reason="sends signals")
def test_a_second_signal_while_the_first_is_being_answered_ends_the_process():
    ended = subprocess.run([sys.executable, "-c", IMPATIENT], timeout=30, capture_output=True, check=False)

    assert (ended.returncode, ended.stderr) == (128 + signal.SIGINT, b"")
