"""F10: runs that wait, from the command line: exit codes, `--wait`, task graphs, and readers that leave early.

Real commands; the day ends when the test wants it to, in a time zone that is made for that.
"""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from echelon.testing.zones import zone_ending_at
from tests.integration.conftest import Echelon, calling, document

#: What ends a day at any second; without it, days end at quarters of an hour.
PREPARED = """
from echelon.model.standing import window

window.SLOT_SECONDS = 1
"""

JOB = f"""{PREPARED}
from pathlib import Path
from pydantic import BaseModel
from echelon import Budget, Handoffs, Job, agent, integrator


class Inputs(BaseModel):
    folder: Path


@agent
def look(item: str, inputs: Inputs) -> str:
    with (inputs.folder / "looked").open("a") as book:
        book.write(item)
    return item


@integrator
def join(looked: Handoffs[str]) -> str:
    return "".join(sorted(looked.outputs()))


def items(inputs: Inputs) -> list[str]:
    return list("abcd")


daily = Job("daily", goal="Look at four things", inputs=Inputs, max_concurrency=1, budget=[Budget(calls=3, per="day")])
daily.phase("look", each=look, over=items, integrate=join)
"""

AGENTS = f"""{PREPARED}
import os
from pathlib import Path
from echelon import TaskSpec, agent


@agent
async def work(task: TaskSpec) -> str:
    with (Path(os.environ["WORLD"]) / "looked").open("a") as book:
        book.write(task.id)
    return task.id
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "daily.py").write_text(JOB)
    (tmp_path / "agents.py").write_text(AGENTS)
    tasks = [{"id": name} for name in "abcd"]
    graph = {"name": "daily", "standing": [{"calls": 3, "per": "day"}], "tasks": tasks}
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    return tmp_path


@pytest.fixture
def echelon(folder: Path) -> Echelon:
    return calling(folder, WORLD=str(folder))


def looked(folder: Path) -> str:
    return "".join(sorted((folder / "looked").read_text()))


def midnight_in(folder: Path, seconds: float) -> tuple[datetime, dict[str, str]]:
    """Return when the day ends, and what says so; the second that is under way does not count."""
    at = (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)
    return at, zone_ending_at(folder / "zones", at)


SOURCES = (["daily.py:daily", "--param", "folder=."], ["graph.json", "--agent", "*=agents:work"])


@pytest.mark.parametrize("source", SOURCES, ids=["job", "graph"])
def test_a_run_waits_for_the_next_day_and_is_resumed_then(folder: Path, echelon: Echelon, source: list[str]) -> None:
    until, today = midnight_in(folder, 7200)
    waiting = document(echelon("run", *source, "--json", **today), 4)
    before = document(echelon("resume", waiting["run_id"], "--json", **today), 4)

    assert waiting["waiting"]["until"] == until.isoformat()
    assert waiting["waiting"]["for"].startswith("budget of job 'daily' for ")
    assert before["waiting"] == waiting["waiting"]
    assert looked(folder) == "abc", "no call before the day is over"

    _, tomorrow = midnight_in(folder, 0)
    document(echelon("resume", waiting["run_id"], "--json", **tomorrow))
    assert looked(folder) == "abcd"


def test_run_wait_stays_and_goes_on_when_the_day_is_over(folder: Path, echelon: Echelon) -> None:
    until, soon = midnight_in(folder, 30)
    said = echelon("run", *SOURCES[0], "--wait", **soon)

    assert said.returncode == 0, said.stderr
    assert "waits for budget of job 'daily' for " in said.stderr
    assert "and goes on by itself" in said.stderr
    assert datetime.now(UTC) >= until
    assert looked(folder) == "abcd"


def test_what_waits_is_said_where_runs_are_shown(folder: Path, echelon: Echelon) -> None:
    until, today = midnight_in(folder, 7200)
    ran = echelon("run", *SOURCES[0], **today)
    listed = json.loads(echelon("runs", "--json").stdout)["runs"]
    report = Path(listed[0]["report"] or "")

    assert ran.returncode == 4
    assert "3 of 4 done, 1 waiting" in ran.stdout
    assert "phase look: 3 done, 1 waiting in" in ran.stderr
    assert "failed" not in ran.stdout + ran.stderr
    assert listed[0]["waiting"]["until"] == until.isoformat()
    assert f"waiting until {until:%Y-%m-%d %H:%M}" in echelon("runs", TZ="UTC").stdout
    assert "budgets of daily" in echelon("runs").stdout
    for name in ("report.md", "report.html"):
        text = (report / name).read_text()
        assert "budget of job" in text
        assert "calls 3 of 3 spent, 0 left" in text


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_reader_that_leaves_early_does_not_change_how_a_run_ended(folder: Path, options: list[str]) -> None:
    _, today = midnight_in(folder, 7200)
    own: dict[str, Any] = {"ECHELON_HOME": str(folder / "home"), "ECHELON_PICTURE": "false"}
    command = [sys.executable, "-m", "echelon", "run", *SOURCES[0], *options]
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | own | today, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert process.wait(60) == 4, said
