"""A run that an agent of another run began is shown beside it, from both sides."""

import asyncio
import json

import pytest

from echelon.journal.journal import SqlJournal
from echelon.settings import Settings
from echelon.testing.run_events import run_started


@pytest.fixture
def nested(home):
    async def record() -> None:
        async with SqlJournal.open(Settings(home=home)) as journal:
            await journal.append(run_started("outer-1", job="outer"))
            for number in (1, 2):
                begun = {"parent_run_id": "outer-1", "parent_task": f"ask/{number}"}
                await journal.append(run_started(f"inner-{number}", job="inner", **begun))

    asyncio.run(record())


def test_a_run_shows_the_runs_inside_of_it(echelon, nested):
    said = echelon("show", "outer-1").out
    document = json.loads(echelon("show", "outer-1", "--json").out)

    assert "inner-1 (running), begun by ask/1" in said
    assert [(one["run_id"], one["job"], one["parent_task"]) for one in document["nested"]] == [
        ("inner-1", "inner", "ask/1"),
        ("inner-2", "inner", "ask/2"),
    ]


def test_a_run_shows_what_it_is_a_part_of(echelon, nested):
    document = json.loads(echelon("show", "inner-2", "--json").out)

    assert "run outer-1, task ask/2" in echelon("show", "inner-2").out
    assert (document["parent_run_id"], document["parent_task"], document["nested"]) == ("outer-1", "ask/2", [])


def test_the_list_of_runs_has_the_run_around(echelon, nested):
    listed = json.loads(echelon("runs", "--json").out)["runs"]

    assert "inside of" in echelon("runs").out
    assert [one["parent_run_id"] for one in listed] == ["outer-1", "outer-1", None]


def test_without_such_runs_nothing_is_said_of_them(echelon, survey):
    assert "inside of" not in echelon("runs").out
    assert "part of" not in echelon("show", "survey").out
    assert "runs inside" not in echelon("show", "survey").out


CYCLE = '''
from echelon import Job, agent

ping, pong = Job("ping", goal="Go on"), Job("pong", goal="Go on")


@agent
async def hit() -> str:
    """Run the other job."""
    return (await pong.run()).run_id


@agent
async def hit_back() -> object:
    """Run the first job again, inside of it."""
    return (await ping.run()).output


ping.phase("hit", agent=hit)
pong.phase("back", agent=hit_back)
'''


def test_a_cycle_of_jobs_is_wrong_use_when_nothing_comes_of_it(echelon, home, importing, tmp_path, monkeypatch):
    """And over a limit where something does: who began the run that was refused made nothing of it."""
    monkeypatch.setenv("ECHELON_PICTURE", "false")
    file = tmp_path / "cycles.py"
    file.write_text(CYCLE.replace("-> str", "-> int").replace("(await pong.run()).run_id", "(await pong.run()).output"))
    failed = echelon("run", f"{file}:ping")
    other = tmp_path / "cycled.py"
    other.write_text(CYCLE)
    done = echelon("run", f"{other}:ping")

    assert (failed.code, done.code) == (2, 3)
    assert "would run itself for ever: ping → pong → ping" in failed.err
