"""A process ends, whatever its agents do: what cannot be cancelled is given up after a grace time, and said (F4)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.sides import clean_environment

#: Agents that do not end, each in a way of its own. The endless wait is as long as a process could be waited for.
JOB = """
import asyncio, subprocess, threading, time
from concurrent.futures import ThreadPoolExecutor
from echelon import Job, agent

HOURS = 10**6

@agent(timeout=1, attempts=1)
def thread() -> str:
    '''Wait in a thread.'''
    time.sleep(HOURS)

@agent(timeout=1, attempts=1)
def child() -> str:
    '''Wait in a thread for a process.'''
    return subprocess.run(["sleep", "600"]).args[0]

@agent(timeout=1, attempts=1)
async def pool() -> str:
    '''Wait in a thread of the loop.'''
    await asyncio.to_thread(time.sleep, HOURS)

@agent(timeout=1, attempts=1)
async def catching() -> str:
    '''Catch cancellations.'''
    await catches(asyncio.CancelledError)

@agent(timeout=1, attempts=1)
async def catching_all() -> str:
    '''Catch everything, so that it cannot even be closed.'''
    await catches(BaseException)

@agent(timeout=1, attempts=1)
async def silent() -> str:
    '''Catch cancellations in a task of its own.'''
    async with asyncio.TaskGroup() as group:
        group.create_task(catches(asyncio.CancelledError))

@agent
def forgetful() -> str:
    '''Forget a thread that is no daemon, and a pool.'''
    threading.Thread(target=time.sleep, args=(HOURS,), name="forgotten", daemon=False).start()
    ThreadPoolExecutor(1, thread_name_prefix="pool").submit(time.sleep, HOURS)
    return "done"

@agent
async def tidy() -> str:
    '''Work.'''
    return "done"

async def catches(kind: type[BaseException]) -> None:
    while True:
        try:
            await asyncio.sleep(HOURS)
        except kind:
            pass

alone = [thread, child, pool, catching, catching_all]
program = Job("program", goal="End")
program.phase("all", agents=[*alone, tidy])
command = Job("command", goal="End")
command.phase("all", agents=[*alone, silent, forgetful, tidy])
"""

PROGRAM = """
import asyncio, json, endless
result = asyncio.run(endless.program.run())
print(json.dumps({missing.task_id: missing.reason for missing in result.missing}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "endless.py").write_text(JOB)
    return tmp_path


def ends(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python until it, and everything that it has started, has ended: nobody else holds its pipes."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=clean_environment(ECHELON_HOME=str(folder / "home"), ECHELON_PICTURE="false"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


IN_TIME = "no answer within its 1 s"
IN_A_THREAD = f"{IN_TIME}; its thread cannot be stopped, and goes on until the function returns or this process ends"
GIVEN_UP = f"{IN_TIME}; it went on after it was cancelled, and was given up after 5 s"

#: What is said of each.
REASONS = {
    "all/thread": IN_A_THREAD,
    "all/child": IN_A_THREAD,
    "all/pool": IN_TIME,
    "all/catching": GIVEN_UP,
    "all/catching_all": GIVEN_UP,
}


def test_a_run_ends_without_what_cannot_be_stopped_and_says_it(folder: Path) -> None:
    ended = ends(folder, "-m", "echelon", "run", "endless.py:command", "--json")

    document = json.loads(ended.stdout)
    assert ended.returncode == 3
    assert document["output"] == {"all/forgetful": "done", "all/tidy": "done"}
    assert {lost["task_id"]: lost["reason"] for lost in document["missing"]} == REASONS | {"all/silent": GIVEN_UP}
    assert "1 function is still at work in a thread, and cannot be stopped: given up" in ended.stderr
    assert "tasks of agents go on after they were cancelled, and are given up: catches (1)" in ended.stderr
    assert "this process is kept by threads of agents, and is ended: forgotten, pool_0" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_program_of_ones_own_ends_too(folder: Path) -> None:
    ended = ends(folder, "-c", PROGRAM)

    assert json.loads(ended.stdout) == REASONS
    assert ended.returncode == 0
    # One in the pool of the loop, then one of ours; the process that the third one waited for was ended meanwhile.
    assert ended.stderr.count("1 function is still at work in a thread, and cannot be stopped: given up") == 2
    assert "Traceback" not in ended.stderr
