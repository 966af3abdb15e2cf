"""Stopping `echelon serve`, and what dies under it: no run is left at work, in Prefect or on record, and each is said.

Real processes, signals and a real server.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.conftest import Place
from tests.integration.served.process import ServeProcess
from tests.integration.test_deployments import WITHIN_SECONDS, Deployment, watched

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300), pytest.mark.skipif(os.name == "nt", reason="sends signals")]

#: A job whose agent waits until a file is there; and how its process can be told from others.
WATCH = """
import asyncio
import os
from pathlib import Path

from pydantic import BaseModel

from echelon import Job, agent


class Inputs(BaseModel):
    until: Path


@agent
async def wait(inputs: Inputs) -> int:
    inputs.until.with_suffix(".pid").write_text(str(os.getpid()))
    while not inputs.until.exists():
        await asyncio.sleep(0.05)
    return 1


watch = Job("watch", goal="Wait", inputs=Inputs)
watch.phase("wait", agent=wait)
"""


class Serve(ServeProcess):
    """`echelon serve` of a job that waits, at work on a run."""

    def __init__(self, place: Place, folder: Path) -> None:
        super().__init__(place, folder)
        self.file = folder / "go"
        self.pid_file = folder / "go.pid"
        (folder / "watching.py").write_text(WATCH)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Serve until a run is at work; the log begins anew."""
        self.pid_file.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)
        options = ("--param", f"until={self.file}", "--interval", "4", "--name", name)
        process = self.begin("watching.py:watch", *options)
        self.wait_for(self.pid_file.exists)
        self.wait_for(lambda: ": started" in self.said)
        return process

    def run_process(self) -> psutil.Process:
        """The process of the run at work."""
        return psutil.Process(int(self.pid_file.read_text()))

    def runs(self) -> dict[str, str]:
        """Runs on record of this job, with their status."""
        found: list[dict[str, Any]] = self.place.json("echelon", "runs")["runs"]
        return {one["run_id"]: one["status"] for one in found if one["inputs"].get("until") == str(self.file)}


@pytest.fixture
def serve(served: Place, tmp_path: Path) -> Iterator[Serve]:
    before = served.processes()
    yield Serve(served, tmp_path)
    for left in set(served.processes()) - set(before):
        if "serve" in left.cmdline() or "prefect.engine" in left.cmdline():
            left.kill()
    assert served.left_behind(before) == []


def at_work(deployment: Deployment) -> list[dict[str, Any]]:
    return deployment.runs(type=["RUNNING", "PENDING", "CANCELLING"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_ends_the_run_at_work_and_the_next_one_begins_at_once(serve, number):
    name = f"stopped-{number.name.lower()}"
    process = serve.start(name)
    # As a terminal does it: all processes of the group get the signal.
    os.killpg(process.pid, number)
    assert process.wait(WITHIN_SECONDS) == 0, serve.said
    (run_id,) = serve.runs()

    with watched(serve.place, f"watch/{name}") as deployment:
        assert serve.runs() == {run_id: "interrupted"}
        assert at_work(deployment) == []
        assert deployment.known["paused"]
        assert f"{run_id}: interrupted after" in serve.said
        assert f"echelon resume {run_id}" in serve.said
        assert "Traceback" not in serve.said

        again = serve.start(name)
        serve.file.touch()
        serve.wait_for(lambda: ": completed after" in serve.said)
        again.send_signal(signal.SIGINT)
        assert again.wait(WITHIN_SECONDS) == 0


def test_a_run_whose_process_is_killed_is_ended_on_record_and_said(serve):
    process = serve.start("killed")
    serve.run_process().kill()
    serve.wait_for(lambda: ": interrupted after" in serve.said)
    with watched(serve.place, "watch/killed") as deployment:
        serve.wait_for(lambda: deployment.runs(type=["CRASHED"]))
    process.send_signal(signal.SIGTERM)

    assert process.wait(WITHIN_SECONDS) == 0
    assert "running" not in serve.runs().values()


def test_what_a_killed_serve_left_at_work_is_ended_by_the_next_one(serve):
    process, run_process = serve.start("left"), serve.run_process()
    process.kill()
    run_process.kill()
    process.wait()
    (left,) = serve.runs()
    assert serve.runs() == {left: "running"}

    again = serve.start("left")

    assert f"{left}: interrupted after" in serve.said
    assert serve.runs()[left] == "interrupted"
    again.send_signal(signal.SIGINT)
    assert again.wait(WITHIN_SECONDS) == 0
    assert set(serve.runs().values()) == {"interrupted"}
