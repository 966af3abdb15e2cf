"""Watching does not stop work: a reader that goes away, a full device, closed streams (V2)."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.sides import clean_environment

JOB = """
from pathlib import Path
from echelon import Job, agent

@agent
def note(item: int) -> int:
    \"\"\"Leave a file behind.\"\"\"
    print("x" * 100)
    Path(f"done-{item}").touch()
    return item

noting = Job("noting", goal="Leave files behind")
noting.phase("first", each=note, over=lambda: list(range(20)))
noting.phase("second", each=note, over=lambda: list(range(20, 40)), needs="first")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "noting.py").write_text(JOB)
    return tmp_path


def command(folder: Path, line: str, *, shell: str = "bash") -> subprocess.CompletedProcess[str]:
    """Run a line of a shell, in which `ECHELON` is the command."""
    echelon = f"{sys.executable} -m echelon"
    return subprocess.run(
        [shell, "-c", line.replace("ECHELON", echelon)],
        cwd=folder,
        env=clean_environment(ECHELON_HOME=str(folder / "home"), ECHELON_PICTURE="false"),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


LINES = {
    "a reader that has seen enough": "ECHELON run noting.py:noting 2>&1 | head -1",
    "nobody reads progress": "ECHELON run noting.py:noting 2>/dev/full",
    "nobody reads the result": "ECHELON run noting.py:noting >/dev/full",
    "closed streams": "ECHELON run noting.py:noting <&- >&- 2>&-",
    "progress to a reader that is gone": "ECHELON run noting.py:noting 2> >(exit)",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_the_run_is_carried_out_to_its_end(folder: Path, line: str) -> None:
    command(folder, line)

    with closing(sqlite3.connect(folder / "home" / "journal.db")) as journal:
        assert journal.execute("SELECT status FROM runs").fetchall() == [("completed",)]
    assert sorted(folder.glob("done-*")) == sorted(folder / f"done-{n}" for n in range(40))


def test_a_result_that_cannot_be_written_is_said_in_one_line(folder: Path) -> None:
    ended = command(folder, "ECHELON run noting.py:noting >/dev/full")

    assert ended.returncode == 1
    assert "echelon: the output cannot be written: No space left on device; what was done is kept" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_terminal_without_the_characters_gets_others(folder: Path) -> None:
    ended = command(folder, "PYTHONIOENCODING=ascii ECHELON plan noting.py:noting")

    assert (ended.returncode, ended.stderr) == (0, "")
