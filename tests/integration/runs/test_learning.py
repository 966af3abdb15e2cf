"""What runs measured is what the next plan of their job foresees, and each run says what it teaches (X10)."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Echelon, calling

JOB = """
import asyncio
from pydantic import BaseModel
from echelon import AgentFailed, Handoffs, Job, agent, integrator


class Inputs(BaseModel):
    items: int = 6
    parts: int = 1
    run: int = 0
    until: float = 0.0


def work(items: int, parts: int) -> list[str]:
    return [*(f"small-{n}" for n in range(items)), *(f"large-{n}" for n in range(parts))]


@agent
async def look(item: str, parts: int) -> str:
    "Look at an item."
    await asyncio.sleep(3.0 / parts if item.startswith("large") else 0.2)
    if item == "small-3":
        raise AgentFailed("it is closed")
    return item


@integrator
async def merge(found: Handoffs[str]) -> int:
    "Count."
    await asyncio.sleep(0.2)
    return len(found.outputs())


job = Job("learning", goal="See all", inputs=Inputs, max_concurrency=3)
job.phase("look", each=look, over=work, integrate=merge, seconds=9)
"""


@pytest.fixture(scope="module")
def echelon(tmp_path_factory: pytest.TempPathFactory) -> Echelon:
    """Return what calls `echelon` in a folder with the job, in which three runs were made."""
    folder = tmp_path_factory.mktemp("learning")
    (folder / "jobs.py").write_text(JOB)
    call = calling(folder)
    for number in range(2):
        assert call("run", "jobs.py:job", "--param", f"run={number}").returncode == 3
    assert call("run", "jobs.py:job", "--param", "parts=8").returncode == 3
    return call


def document(echelon: Echelon, *arguments: str, **more: str) -> Any:
    called = echelon(*arguments, "--json", **more)
    return json.loads(called.stdout)


def test_a_plan_foresees_what_runs_measured_and_says_so(echelon: Echelon) -> None:
    plan = document(echelon, "plan", "jobs.py:job")

    known = plan["learnt"]
    assert (known["runs"], known["stated_seconds"] > 20, known["failures"] > 0.5) == (3, True, True)
    assert plan["makespan"]["predicted"] == known["makespan_seconds"]
    assert 0.4 < plan["makespan"]["predicted"] < 6.0
    assert [(one["phase"], one["what"], one["stated"]) for one in known["differences"]] == [("look", "seconds", 9.0)]
    assert "learnt from 3 runs" in echelon("plan", "jobs.py:job").stdout


def test_a_plan_can_be_made_without_what_runs_measured(echelon: Echelon) -> None:
    by_option = document(echelon, "plan", "jobs.py:job", "--no-history")
    by_setting = document(echelon, "plan", "jobs.py:job", ECHELON_HISTORY="false")

    assert (by_option["learnt"], by_setting["learnt"]) == (None, None)
    assert by_option["makespan"]["predicted"] > 20


def test_a_run_says_what_it_teaches_and_whether_what_was_changed_has_worked(echelon: Echelon) -> None:
    runs = document(echelon, "runs")["runs"]
    first, last = (document(echelon, "show", runs[place]["run_id"])["retrospective"] for place in (-1, 0))

    [split] = [one for one in first["suggestions"] if one["rule"] == "longest"]
    assert split["advice"].startswith("split look/large-0 into 8")
    assert split["expected"] < split["now"]
    assert first["failed"] == ["1 of 7 tasks of look (AgentFailed)"]
    [tried] = last["tried"]
    assert (tried["suggestion"]["rule"], tried["fact"]) == ("longest", "14 tasks")
    assert tried["measured"] < tried["suggestion"]["now"]
    shown = echelon("show", runs[0]["run_id"]).stdout
    assert "it worked: split look/large-0 into 8 (7 tasks → 14 tasks)" in shown


def test_a_rehearsal_and_a_sample_teach_nothing(echelon: Echelon) -> None:
    echelon("run", "jobs.py:job", "--rehearse", "--scale", "0.01")
    echelon("run", "jobs.py:job", "--sample", "2")

    assert document(echelon, "plan", "jobs.py:job")["learnt"]["runs"] == 3


def test_the_report_says_what_a_run_teaches(echelon: Echelon) -> None:
    runs = document(echelon, "runs")["runs"]
    report = Path(document(echelon, "show", runs[-1]["run_id"])["report"])

    assert "change: split look/large\\-0 into 8" in report.joinpath("report.md").read_text() or (
        "split look/large-0 into 8" in report.joinpath("report.md").read_text()
    )
    assert "What it teaches" in report.joinpath("report.html").read_text()
