"""`echelon show RUN [AGENT] --follow`: another process prints what happens in a run while it happens (V2, X8)."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

JOB = """
import asyncio
import logging
from pathlib import Path

from pydantic import BaseModel

from echelon import Handoffs, Job, agent

log = logging.getLogger("my.agents")


class Inputs(BaseModel):
    folder: Path


class Item(BaseModel):
    id: str
    folder: Path


async def wait_for(file):
    while not file.exists():
        await asyncio.sleep(0.02)


@agent
async def work(item: Item) -> str:
    "Work on an item."
    log.info("%s begins", item.id)
    await wait_for(item.folder / f"go-{item.id}")
    log.info("%s ends\\nFORGED line", item.id)
    return item.id


def first(folder: Path) -> list[Item]:
    return [Item(id=name, folder=folder) for name in ("a", "b")]


def found(done: Handoffs[str], folder: Path) -> list[Item]:
    return [Item(id=f"{name}2", folder=folder) for name in done.outputs()]


job = Job("job", goal="Work", inputs=Inputs)
job.phase("first", each=work, over=first)
job.phase("second", each=work, over=found, needs="first")
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flow.py").write_text(JOB)
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Generator[Start]:
    settings = {"ECHELON_HOME": str(folder / "home"), "ECHELON_PICTURE": "false", "PYTHONUNBUFFERED": "1"}
    begun: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        command = [sys.executable, "-m", "echelon", *arguments]
        begun.append(subprocess.Popen(command, cwd=folder, env=os.environ | settings, **(pipes | options)))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def go(folder: Path) -> Callable[..., None]:
    """Let agents end their work."""
    return lambda *names: [(folder / f"go-{name}").touch() for name in names] and None


def run_id_of(start: Start) -> str:
    """Return the only run, once it is on record."""
    while True:
        listed = json.loads(start("runs", "--json").communicate()[0])["runs"]
        if listed:
            return listed[0]["run_id"]


@pytest.fixture
def at_work(start: Start, folder: Path) -> "tuple[subprocess.Popen[str], str]":
    """A run at work, and its id."""
    running = start("run", "flow.py:job", "--param", f"folder={folder}", stdout=subprocess.DEVNULL)
    return running, run_id_of(start)


def lines_of(follower: "subprocess.Popen[str]", until: str) -> list[dict[str, Any]]:
    """Read JSON lines until one says something."""
    found: list[dict[str, Any]] = []
    assert follower.stdout is not None
    for line in follower.stdout:
        found.append(json.loads(line))
        if until in line:
            return found
    raise AssertionError(f"{until!r} did not come: {found}; {follower.stderr and follower.stderr.read()}")


def said(lines: list[dict[str, Any]]) -> set[str]:
    return {line["message"].split("\n")[0].removeprefix("my.agents: ") for line in lines if line["kind"] == "logged"}


def test_a_run_is_followed_as_it_happens_and_until_it_ends(start: Start, at_work: Any, go: Any) -> None:
    running, run_id = at_work
    follower = start("show", run_id, "--follow", "--json")

    lines_of(follower, "b begins")
    assert running.poll() is None, "what it says is printed while it works"
    go("a", "b", "a2", "b2")
    rest = lines_of(follower, "run_ended")

    assert {"a ends", "b ends", "a2 ends", "b2 ends"} <= said(rest)
    assert rest[-1]["status"] == "completed"
    assert follower.wait() == 0
    assert running.wait() == 0


def test_an_agent_is_waited_for_that_is_not_planned_yet_and_ends_before_its_run(
    start: Start, at_work: Any, go: Any
) -> None:
    running, run_id = at_work
    follower = start("show", run_id, "a2", "--log", "--follow", "--json")
    assert follower.stderr is not None
    assert "it is waited for: second is not planned yet" in follower.stderr.readline()

    go("a", "b", "a2")
    lines = lines_of(follower, "a2 ends")

    assert follower.wait() == 0
    assert {line["task_id"] for line in lines} == {"second/a2"}
    assert "second/a2: completed" in follower.stderr.read()
    assert running.poll() is None, "b2 is at work still"


def test_nobody_of_that_name_is_wrong_use_once_the_plan_is_whole(start: Start, at_work: Any, go: Any) -> None:
    go("a", "b", "a2", "b2")
    assert at_work[0].wait() == 0
    follower = start("show", at_work[1], "nobody", "--follow")

    _, trouble = follower.communicate()

    assert (follower.returncode, trouble.count("\n")) == (2, 1)
    assert "has no agent 'nobody'" in trouble


def test_a_run_that_ended_is_printed_and_nothing_is_waited_for(start: Start, at_work: Any, go: Any) -> None:
    go("a", "b", "a2", "b2")
    assert at_work[0].wait() == 0

    shown, trouble = start("show", at_work[1], "--follow").communicate()
    once, _ = start("show", at_work[1], "--log").communicate()

    assert trouble == f"{at_work[1]}: completed\n"
    assert shown == once
    ends = [line for line in shown.splitlines() if "FORGED" in line]
    assert len(ends) == 4
    assert all(line.startswith("   ") for line in ends), "no line of an agent passes for one of ours"


def test_a_run_that_is_killed_and_resumed_is_followed_through(
    start: Start, at_work: Any, go: Any, folder: Path
) -> None:
    running, run_id = at_work
    follower = start("show", run_id, "--follow", "--json")
    lines_of(follower, "a begins")

    running.kill()
    running.wait()
    assert follower.stderr is not None
    assert "no process works on run" in follower.stderr.readline()
    resumed = start("resume", run_id, stdout=subprocess.DEVNULL)
    go("a", "b", "a2", "b2")
    rest = lines_of(follower, "run_ended")

    assert {"a begins", "a ends", "a2 ends"} <= said(rest)
    assert (follower.wait(), resumed.wait()) == (0, 0)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_follower_that_is_ended_leaves_the_run_alone(
    start: Start, at_work: Any, go: Any, end: signal.Signals
) -> None:
    running, run_id = at_work
    follower = start("show", run_id, "--follow", "--json")
    lines_of(follower, "a begins")

    follower.send_signal(end)
    code = follower.wait()
    go("a", "b", "a2", "b2")

    assert code == (130 if end is signal.SIGINT else -end)
    assert running.wait() == 0


def test_whose_reader_has_gone_ends_quietly_also_while_nothing_happens(start: Start, at_work: Any) -> None:
    follower = start("show", at_work[1], "--follow")
    assert follower.stdout is not None
    follower.stdout.readline()

    follower.stdout.close()

    assert follower.wait() == 0
    assert follower.stderr is not None
    assert follower.stderr.read() == ""


def test_ctrl_c_in_a_terminal_ends_it(start: Start, at_work: Any) -> None:
    """As a person does it: the terminal sends the signal, to whoever is in front."""
    master, terminal = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        os.close(os.open(os.ttyname(terminal), os.O_RDWR))  # the first that a session opens is its own

    follower = start(
        "show", at_work[1], "--follow", stdin=terminal, stdout=terminal, stderr=terminal, preexec_fn=take_terminal
    )
    os.close(terminal)
    shown = b""
    while b"begins" not in shown:
        shown += os.read(master, 4096)
    os.write(master, termios.tcgetattr(master)[6][termios.VINTR])

    assert follower.wait() == 130
    os.close(master)


def test_what_is_no_part_of_a_log_is_refused(start: Start, at_work: Any) -> None:
    follower = start("show", at_work[1], "a", "--follow", "--output")

    _, trouble = follower.communicate()

    assert (follower.returncode, trouble.count("\n")) == (2, 1)
    assert "--output is not a part of" in trouble
