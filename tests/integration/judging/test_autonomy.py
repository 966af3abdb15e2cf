"""Autonomy as people meet it: `echelon run` and `show` say what each agent may do, over several runs (X6, X11)."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Echelon, calling, document

pytestmark = pytest.mark.engine

JOB = """
from pydantic import BaseModel

from echelon import Autonomy, Handoffs, Job, Outcome, Oversight, Resilience, agent


class Inputs(BaseModel):
    right: bool = True
    sure: float = 0.99


@agent
def say(inputs: Inputs) -> Outcome[str]:
    return Outcome(output="right" if inputs.right else "wrong", confidence=inputs.sure)


def is_right(output: str) -> bool:
    return output == "right"


@agent(effect="irreversible")
def publish(say: Handoffs[str]) -> str:
    return say.outputs()[0]


def a_job(name, **more):
    job = Job(name, goal="Say it", inputs=Inputs, defaults=Resilience(attempts=1), **more)
    job.phase("say", agent=say, success=[is_right])
    return job


trusted = a_job("trusted", oversight=Oversight(autonomy=Autonomy()))
doubted = a_job("doubted")
doubted.phase("publish", agent=publish, needs="say")
"""


@pytest.fixture
def echelon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Echelon:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "says.py").write_text(JOB)
    monkeypatch.chdir(tmp_path)
    return calling(tmp_path)


def run(echelon: Echelon, *params: str, job: str = "trusted", exit_code: int = 0) -> dict[str, Any]:
    given = [word for param in params for word in ("--param", param)]
    return document(echelon("run", f"flows/says.py:{job}", *given, "--json"), exit_code)


def test_what_an_agent_may_do_follows_its_record_and_never_its_word(echelon: Echelon) -> None:
    first = run(echelon)
    runs = [run(echelon, f"right={str(number % 2 == 0).lower()}", exit_code=number % 2) for number in range(1, 10)]
    bands = [one["autonomy"][0]["band"] for one in (first, *runs)]
    shown = echelon("show", runs[-1]["run_id"]).stdout

    assert (first["autonomy"][0]["band_before"], bands[-1]) == ("review", "escalate")
    assert "proceed" not in bands
    assert "autonomy" in shown
    assert "say: escalates, right 5 of 10 (50 %)" in shown
    assert "Brier 0.49" in shown
    assert (Path(runs[-1]["report"]) / "report.md").read_text().count("say: escalates") == 1


def test_a_doubt_holds_only_what_cannot_be_undone(echelon: Echelon) -> None:
    held = run(echelon, "sure=0.3", job="doubted", exit_code=4)
    (concern,) = held["concerns"]

    assert (concern["source"], concern["route"]) == ("autonomy", "human_review")
    assert "the stated confidence is 0.30" in concern["concern"]["message"]
    assert held["approvals"] == {**held["approvals"], "escalated": 1, "batches": 1, "waiting": 1}
