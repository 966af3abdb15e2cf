"""A home that cannot be used, or is taken away: one clear line, and nothing that is there is harmed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.sides import clean_environment
from echelon.journal.journal import SqlJournal
from echelon.model.errors import JournalError
from echelon.settings import Settings
from echelon.testing.run_events import run_started, step_ended

#: Agents one after the other; each tells a file that it was there.
JOB = """
from pathlib import Path
from pydantic import BaseModel
from echelon import Job, agent

class Inputs(BaseModel):
    agents: int = 4
    bytes_each: int = 10
    seconds_each: float = 0
    remove: str = ""

def numbers(inputs: Inputs) -> list[int]:
    return list(range(inputs.agents))

@agent
def say(number: int, inputs: Inputs) -> str:
    '''Say something, and remove what is to be removed.'''
    import shutil, time
    with open("said", "a") as said:
        said.write(f"{number} ")
    if number == 1 and inputs.remove:
        shutil.rmtree(inputs.remove)
    time.sleep(inputs.seconds_each)
    return str(number) * inputs.bytes_each

job = Job("job", goal="Say something", inputs=Inputs)
job.phase("say", each=say, over=numbers)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "saying.py").write_text(JOB)
    return tmp_path


def echelon(folder: Path, home: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command in a shell, after something that is done to the shell before."""
    return subprocess.run(
        ["/bin/bash", "-c", f'{before}\nexec "$@"', "shell", sys.executable, "-m", "echelon", *arguments],
        cwd=folder,
        env=clean_environment(ECHELON_HOME=str(home), ECHELON_PICTURE="false"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run(folder: Path, home: Path, *params: str, before: str = "") -> subprocess.CompletedProcess[str]:
    given = [part for param in params for part in ("--param", param)]
    return echelon(folder, home, "run", "saying.py:job", "--max-concurrency", "1", *given, before=before)


#: No file may grow larger while the disk is "full": room for the journal of a run, and not for its outputs.
ROOM_KIB = 600


def last_line(ended: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1]


def test_a_home_that_is_a_file_is_refused(folder: Path) -> None:
    (folder / "home").write_text("mine")

    ended = run(folder, folder / "home")

    assert (ended.returncode, "it is a file, and a folder is wanted" in last_line(ended)) == (1, True)
    assert not (folder / "said").exists()
    assert (folder / "home").read_text() == "mine"


@pytest.mark.parametrize("command", [("runs",), ("up", "--port", "1"), ("doctor",)], ids=lambda command: command[0])
def test_no_command_fails_with_a_traceback_in_a_home_that_is_a_file(folder: Path, command: tuple[str, ...]) -> None:
    (folder / "home").write_text("mine")

    ended = echelon(folder, folder / "home", *command)

    assert ended.returncode == 1
    assert "unexpected error" not in ended.stderr
    assert str(folder / "home") in ended.stderr + ended.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps files that are in use")
@pytest.mark.parametrize(("agents", "bytes_each"), [(2, 700_000), (40, 12_000)], ids=["in files", "in the journal"])
def test_a_full_disk_is_said_and_with_more_room_the_run_is_resumed(folder: Path, agents: int, bytes_each: int) -> None:
    home = folder / "home"
    full = run(folder, home, f"bytes_each={bytes_each}", f"agents={agents}", before=f"ulimit -f {ROOM_KIB}")

    said = " ".join((full.stdout + full.stderr).split())
    assert (full.returncode, "has room" in said, "Traceback" in said) == (1, True, False)
    [run_id] = {*re.findall(r"echelon resume (\S+)", said)}
    assert echelon(folder, home, "show", run_id).returncode == 0

    resumed = echelon(folder, home, "resume", run_id)

    assert (resumed.returncode, f"{agents} of {agents} done" in resumed.stdout) == (0, True), resumed.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps files that are in use")
def test_a_home_that_is_removed_under_a_run_ends_it_and_nothing_is_promised(folder: Path) -> None:
    """It said that everything was delivered, and `echelon show` knew of nothing."""
    ended = run(folder, folder / "home", f"remove={folder / 'home'}", "seconds_each=0.5")

    assert (ended.returncode, "removed, or another file put in its place" in last_line(ended)) == (1, True)
    assert "Resume with" not in ended.stderr
    assert "3" not in (folder / "said").read_text()


def _replace(file: Path) -> None:
    other = file.with_suffix(".other")
    shutil.copy(file, other)
    other.replace(file)


@pytest.mark.anyio
@pytest.mark.skipif(os.name == "nt", reason="Windows keeps files that are in use")
@pytest.mark.parametrize("take_away", [Path.unlink, _replace, lambda file: shutil.rmtree(file.parent)])
async def test_nothing_is_said_to_be_on_record_in_a_file_that_nobody_will_find(
    tmp_path: Path, take_away: Callable[[Path], None]
) -> None:
    settings = Settings(home=tmp_path / "home")
    async with SqlJournal.open(settings) as journal:
        await journal.append(run_started())
        take_away(settings.home / "journal.db")

        with pytest.raises(JournalError, match="removed, or another file put in its place"):
            await journal.append(step_ended("late"))
