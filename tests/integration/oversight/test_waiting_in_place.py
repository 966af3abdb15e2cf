"""`--wait` keeps the process and goes on with the answer, `--ask` asks in the terminal; two domains, two gates (O8)."""

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Echelon, calling, document

pytestmark = pytest.mark.engine

JOB = """
from pathlib import Path

from pydantic import BaseModel

from echelon import Handoffs, Job, agent


class Inputs(BaseModel):
    folder: Path


@agent
def draft(inputs: Inputs) -> str:
    "Write a letter."
    with (inputs.folder / "drafted").open("a") as file:
        file.write("x")
    return "dear sir"


@agent(effect="irreversible", preview=lambda place: f"send it to {place}")
def send(place: str, draft: Handoffs[str], inputs: Inputs) -> str:
    "Send it."
    with (inputs.folder / "sent").open("a") as file:
        file.write(f"{place}\\n")
    return place


mail = Job("mail", goal="Answer", inputs=Inputs)
mail.phase("draft", agent=draft)
mail.phase("send", each=send, over=lambda: ["rome", "oslo"], domain=lambda place: place, needs="draft")
"""

#: Nothing here takes longer, in seconds.
HANGS_SECONDS = 60

RUN = ("run", "mail.py:mail", "--param", "folder=world")


@pytest.fixture
def echelon(tmp_path: Path) -> Echelon:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "mail.py").write_text(JOB)
    (tmp_path / "world").mkdir()
    return calling(tmp_path)


@pytest.fixture
def begun(echelon: Echelon, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that waits for its answers."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ECHELON_"))}
    environment |= {"ECHELON_HOME": str(tmp_path / "home"), "ECHELON_PICTURE": "false"}
    process = subprocess.Popen(
        [sys.executable, "-m", "echelon", *RUN, "--wait", "--json"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


def wait_for_gates(echelon: Echelon, many: int) -> list[Any]:
    end = time.monotonic() + HANGS_SECONDS
    while len(found := document(echelon("gates", "--json"))["gates"]) != many:
        assert time.monotonic() < end, f"{len(found)} gates are open, and not {many}"
    return found


def test_a_process_that_waits_goes_on_with_each_answer(
    echelon: Echelon, begun: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    first, second = wait_for_gates(echelon, 2)
    for gate in (first, second):
        assert echelon("gates", "approve", gate["id"], "--reason", "seen").returncode == 0
    said, _ = begun.communicate(timeout=HANGS_SECONDS)

    assert begun.returncode == 0
    assert json.loads(said)["status"] == "completed"
    assert sorted((tmp_path / "world" / "sent").read_text().split()) == ["oslo", "rome"]
    assert (tmp_path / "world" / "drafted").read_text() == "x", "what was done is not done again"


def test_a_person_is_asked_in_the_terminal(echelon: Echelon, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ECHELON_"))}
    environment |= {"ECHELON_HOME": str(tmp_path / "home"), "ECHELON_PICTURE": "false"}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "echelon", *RUN, "--ask"],
        cwd=tmp_path,
        env=environment,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(ours, b"maybe\napprove\nthe first is right\ndeny\nnot there\n")
    said, told = process.communicate(timeout=HANGS_SECONDS)
    os.close(ours)
    os.close(theirs)

    assert process.returncode == 3, told
    assert "'maybe' is none of approve, deny, skip" in told
    assert "send it to " in told
    assert "was denied by" in said
    assert len((tmp_path / "world" / "sent").read_text().split()) == 1
    answers = [one["answers"][0] for one in document(echelon("gates", "--all", "--json"))["gates"]]
    assert sorted((one["verdict"], one["reason"], one["channel"]) for one in answers) == [
        ("approve", "the first is right", "terminal"),
        ("deny", "not there", "terminal"),
    ]


def test_without_a_terminal_it_is_refused_in_one_line(echelon: Echelon) -> None:
    said = echelon(*RUN, "--ask")

    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1)
    assert "--ask asks in a terminal, and there is none" in said.stderr
