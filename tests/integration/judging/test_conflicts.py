"""Conflicts as people meet them: `job.run`, `echelon show`, the report, and `--json` (X9, X5, O6)."""

from pathlib import Path

import pytest

from tests.integration.conftest import Echelon, calling, document

pytestmark = pytest.mark.engine

JOB = """
from typing import Annotated

from pydantic import BaseModel

from echelon import Conflict, Handoffs, Job, Key, Oversight, Settlement, agent


class Risk(BaseModel):
    file: Annotated[str, Key()]
    level: int


@agent
async def look(item: str) -> list[Risk]:
    return [Risk(file="login.py", level=int(item))]


@agent(effect="irreversible")
async def publish(look: Handoffs[list[Risk]]) -> str:
    return "published"


def stricter(conflict: Conflict) -> Settlement:
    return Settlement(chosen=conflict.sides[-1].name, reason="it is the stricter one")


def a_job(name, settle=None):
    job = Job(name, goal="Find what is risky", oversight=Oversight(settle=settle))
    job.phase("look", each=look, over=lambda: ["1", "2"], flat=True)
    job.phase("publish", agent=publish, needs="look")
    return job


settled = a_job("settled", stricter)
undecided = a_job("undecided")
"""


@pytest.fixture
def echelon(tmp_path: Path) -> Echelon:
    (tmp_path / "jobs.py").write_text(JOB, encoding="utf-8")
    return calling(tmp_path)


def test_a_settled_conflict_is_on_record_and_shown_everywhere(echelon: Echelon) -> None:
    waiting = document(echelon("run", "jobs.py:settled", "--json"), 4)
    (gate,) = waiting["gates"]
    echelon("gates", "approve", gate["id"], "--as", "mia", "--reason", "looked at it")
    done = document(echelon("resume", waiting["run_id"], "--json"))
    shown = echelon("show", done["run_id"]).stdout
    report = (Path(done["report"]) / "report.md").read_text(encoding="utf-8")
    (conflict,) = done["conflicts"]

    assert (done["status"], done["output"], done["concerns"]) == ("completed", "published", [])
    assert conflict["settled"]["chosen"] == "look/2"
    assert "1 conflict: 1 settled, 0 open" in shown
    assert "look/1 and look/2 contradict each other" in echelon("show", done["run_id"], "look/1").stdout
    assert "look/2 counts, decided by stricter for primary" in report
    assert [phase["flat"] for phase in document(echelon("show", done["run_id"], "--json"))["phases"]] == [[], None]


def test_what_nobody_decides_holds_what_cannot_be_undone(echelon: Echelon) -> None:
    waiting = document(echelon("run", "jobs.py:undecided", "--json"), 4)
    (gate,), (concern,) = waiting["gates"], waiting["concerns"]
    refused = echelon("gates", "approve", gate["id"], "--as", "mia", "--reason", "go on")
    disposed = echelon(
        *("concerns", "dispose", concern["id"], "--as", "accepted", "--by", "mia", "--reason", "both are low")
    )
    approved = echelon("gates", "approve", gate["id"], "--as", "mia", "--reason", "go on", "--partial")
    done = document(echelon("resume", waiting["run_id"], "--json"), 3)

    assert gate["concerns"] == [concern["id"]]
    assert (concern["source"], concern["route"]) == ("primary", "human_review")
    assert refused.returncode != 0
    assert "open concerns" in refused.stdout + refused.stderr
    assert (disposed.returncode, approved.returncode) == (0, 0)
    assert (done["status"], done["output"]) == ("partial", "published")


def test_a_person_says_which_side_counts(echelon: Echelon) -> None:
    waiting = document(echelon("run", "jobs.py:undecided", "--json"), 4)
    (concern,), run = waiting["concerns"], waiting["run_id"]
    settled = echelon(
        *("concerns", "dispose", concern["id"], "--as", "resolved", "--counts", "look/2", "--reason", "she looked")
    )
    again = document(echelon("resume", run, "--json"), 4)
    (gate,) = [one for one in again["gates"] if not one["closed"]]
    (conflict,) = again["conflicts"]

    assert f"look/2 counts; to use that: echelon resume {run}" in settled.stdout
    assert (conflict["settled"]["chosen"], conflict["settled"]["reason"]) == ("look/2", "she looked")
    assert gate["action"]["missing"] == []
