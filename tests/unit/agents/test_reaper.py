"""F4: commands end with all their children: when they are silent, when they die, and when Echelon itself is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from echelon.agents.command import CommandAgent, command
from echelon.agents.processes.reaper import _REAPER, _Reaper, watched
from echelon.model.errors import AgentTimeout
from echelon.model.policy import Resilience
from echelon.resilience.guard import CallResult, Guard
from echelon.testing.calls import a_call
from tests.unit.agents.families import all_end, family_of, is_dead

#: Starts a child, tells both ids through a pipe; then waits for ever, or says something now and then.
FAMILY = """
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
with open(sys.argv[1], "w") as pipe:
    pipe.write(f"{os.getpid()} {child.pid}")
signal.pause()
"""

TALKATIVE = "import time\nfor _ in range(8): time.sleep(0.1); print('.', flush=True)"

#: An Echelon of its own: runs the family and waits.
OWNER = """
import asyncio, sys
from echelon.agents.processes.process import run_process
asyncio.run(run_process([sys.executable, "-S", "-c", sys.argv[1], sys.argv[2]], limit_bytes=1000))
"""


def python(code: str, *args: str, **options: Any) -> CommandAgent:
    return command([sys.executable, "-S", "-c", code.replace("{", "{{").replace("}", "}}"), *args], **options)


async def guarded(agent: CommandAgent) -> CallResult[Any]:
    policy = agent.resilience.over(Resilience(attempts=1))
    return await Guard(policy).call(lambda: agent.perform(a_call()))


def test_a_command_that_is_silent_for_too_long_is_killed_with_its_grandchildren(pipe: Path) -> None:
    """The family tells its ids through a pipe, which is no output."""

    async def silent() -> tuple[CallResult[Any], list[psutil.Process]]:
        reading = asyncio.create_task(asyncio.to_thread(family_of, pipe))
        verdict = await guarded(python(FAMILY, str(pipe), idle=2, name="tool"))
        return verdict, await reading

    verdict, family = asyncio.run(silent())

    assert isinstance(verdict.error, AgentTimeout)
    assert verdict.error.idle
    assert len(family) == 2
    assert all_end(family)


def test_what_a_command_writes_is_a_sign_of_life() -> None:
    """It works for 0.8 s and writes every 0.1 s."""
    verdict = asyncio.run(guarded(python(TALKATIVE, idle=0.6, name="tool")))

    assert (verdict.error, verdict.value.output.count(".")) == (None, 8)


def test_commands_do_not_outlive_an_echelon_that_is_killed(pipe: Path) -> None:
    """SIGKILL, to its whole group as well: nobody in it is left to clean up."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, FAMILY, str(pipe)], start_new_session=True)
    family = family_of(pipe)
    assert len(family) == 2
    assert not any(is_dead(process) for process in family)

    os.killpg(owner.pid, signal.SIGKILL)
    owner.wait()

    assert all_end(family)


def test_a_helper_that_was_killed_itself_is_replaced(pipe: Path) -> None:
    async def waiting() -> list[psutil.Process]:
        running = asyncio.create_task(python(FAMILY, str(pipe), name="tool").perform(a_call()))
        family = await asyncio.to_thread(family_of, pipe)
        assert _REAPER._process is not None
        killed = _REAPER._process
        killed.kill()
        killed.wait()
        with watched(family[0].pid):  # the next command finds out, and tells the new one of all that are alive
            assert _REAPER._process is not killed
            assert _REAPER._process.poll() is None
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return family

    assert all_end(asyncio.run(waiting()))
    assert _REAPER._groups == set()


def test_the_helper_ends_with_its_owner() -> None:
    code = (
        "from echelon.agents.processes.reaper import watched, _REAPER\n"
        "with watched(2**22 + 1): print(_REAPER._process.pid)\n"
    )
    told = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)

    assert told.stderr == ""
    assert not psutil.pid_exists(int(told.stdout))


def test_without_a_helper_commands_run_all_the_same_and_it_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    reaper = _Reaper()
    reaper.tell("+1")
    reaper.tell("-1")
    reaper.close()

    assert "their helper cannot be started" in caplog.text
