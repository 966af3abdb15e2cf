"""A run in a real terminal: the picture is drawn while agents print and speak up, and does not draw itself."""

import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

JOB = """
import sys
import time

from echelon import Brief, Job, agent


@agent
def look(number: int, brief: Brief) -> int:
    "Look at a number."
    print("seen", number)
    print("odd", number, file=sys.stderr)
    brief.raise_concern("it is odd", about=f"{number}", confidence="high", impact="high")
    time.sleep(0.6)  # so that the picture is drawn while it is at work
    return number


looks = Job("looks", goal="Look")
looks.phase("look", each=look, over=lambda: [1, 3, 5])
"""

#: Nothing here takes longer, in seconds.
HANGS_SECONDS = 60

#: A picture of a few lines, four times a second, for some seconds; one that draws itself has no end.
MOST_BYTES = 50_000


def in_terminal(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the command line in a terminal; returns the exit code and what was shown."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ECHELON_"))}
    environment |= {"ECHELON_HOME": str(folder / "home"), "ECHELON_PICTURE": "false", "TERM": "xterm-256color"}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "echelon", *arguments]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = bytearray()
    reading = threading.Thread(target=_read, args=(ours, shown))
    reading.start()
    try:
        return process.wait(timeout=HANGS_SECONDS), shown.decode()
    finally:
        process.kill()
        process.wait()
        reading.join()
        os.close(ours)
        assert len(shown) < MOST_BYTES


def _read(terminal: int, shown: bytearray) -> None:
    while True:
        try:
            found = os.read(terminal, 65_536)
        except OSError:  # the last one who wrote has gone
            return
        if not found:
            return
        shown.extend(found)


def test_the_picture_stands_beside_what_is_raised_and_printed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "looks.py").write_text(JOB)

    code, shown = in_terminal(tmp_path, "run", "looks.py:looks")

    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert code == 0
    assert "3/3 done" in plain, "the picture"
    assert plain.count("it is odd") >= 6, "each concern is said when it is raised, and at the end"
    assert "completed, everything was delivered" in plain
