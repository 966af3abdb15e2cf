"""No child outlives a process that is killed, whatever kind it is and whatever it does (F4, F8)."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from echelon.agents.processes.owner import OWNER, end_orphans, owned
from tests.security.conftest import Victims

#: A process of ours that has a child of the kind named at work, and says its number.
AT_WORK = """
import asyncio, sys
from echelon.agents.processes.workers import Workers
from tests.security import children

async def work():
    await Workers.shared().call(getattr(children, sys.argv[1]), {"pipe": sys.argv[2]}, int)

asyncio.run(work())
"""


def family_from(pipe: Path) -> list[psutil.Process]:
    return [psutil.Process(int(pid)) for pid in pipe.read_text().split()]


def left_of(family: list[psutil.Process]) -> list[psutil.Process]:
    """Return who is alive after 5 s."""
    return [one for one in psutil.wait_procs(family, timeout=5)[1] if one.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("kind", ["busy_in_python", "busy_in_c", "deaf", "with_a_child"])
def test_a_cpu_bound_agent_ends_with_a_process_that_is_killed(victims: Victims, pipe: Path, kind: str) -> None:
    """The first went on at a full processor for ever; so would one that never looks up from a call into C."""
    owner = victims.start(AT_WORK, kind, str(pipe))
    family = family_from(pipe)
    assert len(family) == (2 if kind == "with_a_child" else 1)

    owner.send_signal(signal.SIGKILL)

    assert left_of(family) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the helper ends children of a killed process")
def test_a_cpu_bound_agent_ends_when_the_helper_that_ends_children_is_killed_first(
    victims: Victims, pipe: Path
) -> None:
    owner = victims.start(AT_WORK, "busy_in_c", str(pipe))
    family = family_from(pipe)
    for child in psutil.Process(owner.pid).children():
        if child not in family:
            child.kill()

    owner.send_signal(signal.SIGKILL)

    assert left_of(family) == []


LEAVES_A_DAEMON = """
import asyncio, os, sys
from echelon.agents.processes.process import run_process
from tests.security.children import DAEMON

asyncio.run(run_process([sys.executable, "-c", DAEMON, sys.argv[1]], limit_bytes=1000))
os.kill(os.getpid(), 9)
"""


def test_a_daemon_that_left_the_session_of_its_command_is_ended_before_a_run_is_resumed(
    victims: Victims, pipe: Path
) -> None:
    owner = victims.start(LEAVES_A_DAEMON, str(pipe))
    [daemon] = family_from(pipe)
    owner.wait()
    assert daemon.is_running()

    assert end_orphans({owner.pid}) == (daemon.pid,)
    assert left_of([daemon]) == []


def test_children_of_a_process_that_lives_and_of_others_are_left_alone() -> None:
    marked = [os.environ | owned(), os.environ | {OWNER: "1:2.00"}, os.environ | {OWNER: "nonsense"}]
    sleepers = [subprocess.Popen(["sleep", "60"], env=environment) for environment in marked]
    try:
        assert end_orphans({os.getpid()}) == ()
        assert [sleeper.poll() for sleeper in sleepers] == [None, None, None]
    finally:
        for sleeper in sleepers:
            sleeper.kill()
            sleeper.wait()
