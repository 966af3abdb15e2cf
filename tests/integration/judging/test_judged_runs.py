"""How a run judges its own work, as people meet it: from Python, on the command line, at a gate (O3, O4, O5)."""

from pathlib import Path

import pytest

from tests.integration.conftest import Echelon, document

pytestmark = pytest.mark.engine

JOB = """
from typing import Annotated

from pydantic import BaseModel

from echelon import Audit, Complete, Handoffs, Job, Key, Oversight, Resilience, agent, integrator


class Inputs(BaseModel):
    lose: bool = False
    down: bool = False


class Word(BaseModel):
    word: Annotated[str, Key()]


class Words(BaseModel):
    words: Annotated[list[Word], Complete()]


@agent
async def spell(name: str) -> Word:
    return Word(word=name)


@integrator
def merge(spelled: Handoffs[Word], inputs: Inputs) -> Words:
    return Words(words=spelled.outputs()[inputs.lose :])


def is_right(output: Word, item: str, inputs: Inputs) -> bool:
    if inputs.down:
        raise ConnectionError("the model is down")
    return output.word == item


@agent(effect="irreversible")
async def publish(words: Handoffs[object]) -> int:
    return len(words)


def a_job(name, **options):
    job = Job(name, goal="Spell words", inputs=Inputs, defaults=Resilience(attempts=1), **options)
    job.phase("spell", each=spell, over=lambda: [f"w{n}" for n in range(12)], integrate=merge)
    return job


judged = a_job("judged", oversight=Oversight(verify=is_right, audit=Audit()))
published = a_job("published", oversight=Oversight(verify=is_right, audit=Audit()))
published.phase("publish", agent=publish, needs="spell")
"""


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "jobs.py").write_text(JOB)
    return f"{tmp_path}/jobs.py"


def test_a_run_counts_what_was_verified_and_audited_beside_what_returned(source: str, echelon: Echelon) -> None:
    said = document(echelon("run", f"{source}:judged", "--json"), 0)
    judged = said["judged"]

    assert (said["status"], said["missing"]) == ("completed", [])
    assert (judged["verified"], judged["unverified"], judged["rejected"]) == (12, 0, 0)
    assert (judged["integrations"], judged["audited"], judged["audit_rejected"]) == (1, 1, 0)
    assert said["measures"]["sound_integrations"] == 1.0


def test_the_same_is_shown_later_and_in_the_plan(source: str, echelon: Echelon) -> None:
    run = document(echelon("run", f"{source}:judged", "--param", "lose=true", "--json"), 3)
    shown = document(echelon("show", run["run_id"], "--json"), 0)
    plan = document(echelon("plan", f"{source}:judged", "--json"), 0)

    assert (shown["judged"], shown["audits"]) == (run["judged"], run["audits"])
    assert run["audits"][0]["findings"][0]["kind"] == "gap"
    assert (
        "12 verified, 0 unverified, 0 rejected; 1 of 1 integrations audited (1 rejected)"
        in echelon("show", run["run_id"]).stdout
    )
    assert len(plan["to_verify"]) == 12
    assert [(one["role"], one["reports_to"]) for one in plan["infrastructure"]] == [("verification", "person")]


def test_what_nobody_could_verify_is_missing_at_a_gate_and_needs_a_partial_approval(
    source: str, echelon: Echelon
) -> None:
    run = document(echelon("run", f"{source}:published", "--param", "down=true", "--json"), 4)
    (gate,) = run["gates"]
    refused = echelon("gates", "approve", gate["id"], "--as", "mia", "--reason", "it is fine")
    approved = echelon("gates", "approve", gate["id"], "--as", "mia", "--reason", "it is fine", "--partial")
    ended = document(echelon("resume", run["run_id"], "--json"), 3)

    assert any("is down" in one for one in gate["action"]["missing"])
    assert refused.returncode != 0
    assert "--partial" in refused.stderr + refused.stdout
    assert (approved.returncode, ended["status"], ended["judged"]["unverified"]) == (0, "partial", 12)


def test_what_an_audit_rejects_holds_what_cannot_be_undone(source: str, echelon: Echelon) -> None:
    run = document(echelon("run", f"{source}:published", "--param", "lose=true", "--json"), 4)
    (gate,) = run["gates"]
    refused = echelon("gates", "approve", gate["id"], "--as", "mia", "--reason", "it is fine", "--partial")

    assert [(one["source"], one["route"]) for one in run["concerns"]] == [("audit", "immediate")]
    assert refused.returncode != 0
    assert run["concerns"][0]["id"] in refused.stderr + refused.stdout
