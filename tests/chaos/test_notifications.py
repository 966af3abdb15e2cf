"""A process is killed while it tells people: they are told all the same, and who is told twice can see it (O8)."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from echelon.testing.receivers import HttpReceiver
from tests.chaos.conftest import NOTICE_POINTS

JOB = """
import os
from echelon import Job, Notify, agent


@agent(effect="irreversible", preview=lambda: "publish it")
def publish() -> str:
    return "published"


job = Job("release", goal="Publish it", notify=[Notify.webhook(os.environ["HOOK"])])
job.phase("publish", agent=publish)
"""


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with HttpReceiver() as opened:
        yield opened


class Process:
    """The command line, each time in a process of its own that may be killed."""

    def __init__(self, folder: Path, receiver: HttpReceiver) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "ECHELON_HOME": str(folder / "home"),
            "ECHELON_PICTURE": "false",
            "HOOK": receiver.url,
        }
        (folder / "release.py").write_text(JOB)

    def call(self, *arguments: str, killed_at: str = "") -> subprocess.CompletedProcess[str]:
        armed = {"ECHELON_FAILPOINT_AT": f"{killed_at}:1"} if killed_at else {}
        return subprocess.run(
            [sys.executable, "-m", "echelon", *arguments],
            cwd=self.folder,
            env={**self.environment, **armed},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )


@pytest.fixture
def process(tmp_path: Path, receiver: HttpReceiver) -> Process:
    return Process(tmp_path, receiver)


def test_every_boundary_of_a_message_is_tried_here() -> None:
    assert NOTICE_POINTS == ["notification.delivered", "notification.recorded"]


def test_what_was_sent_and_is_not_on_record_is_sent_once_more_with_the_same_key(
    process: Process, receiver: HttpReceiver
) -> None:
    killed = process.call("run", "release.py:job", killed_at="notification.delivered")
    assert killed.returncode == -signal.SIGKILL
    assert len(receiver.messages) == 1

    later = process.call("notify", "--json")

    (run,) = json.loads(later.stdout)["runs"]
    first, second = receiver.messages
    assert (later.returncode, run["sent"], run["left"]) == (0, 1, [])
    assert first.key == second.key == first.body["key"]
    assert process.call("notify").stdout == "nobody waits for a message\n"
    assert len(receiver.messages) == 2

    tokens = [message.body["tokens"][0]["token"] for message in receiver.messages]
    said = process.call("answer", tokens[0], "approve", "--as", "mia", "--reason", "seen")
    assert (said.returncode, tokens[0] == tokens[1]) == (0, False)


def test_what_is_on_record_as_sent_is_not_sent_again(process: Process, receiver: HttpReceiver) -> None:
    killed = process.call("run", "release.py:job", killed_at="notification.recorded")
    assert killed.returncode == -signal.SIGKILL

    assert process.call("notify").stdout == "nobody waits for a message\n"
    assert len(receiver.messages) == 1


def test_no_process_leaves_a_token_where_it_can_be_read(process: Process, receiver: HttpReceiver) -> None:
    process.call("run", "release.py:job")

    token = receiver.messages[0].body["tokens"][0]["token"].encode()
    files = [file for file in (process.folder / "home").rglob("*") if file.is_file()]
    assert files
    assert [file.name for file in files if token in file.read_bytes()] == []
