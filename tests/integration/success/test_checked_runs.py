"""Success that is checked, as people meet it: `echelon run` in a process of its own, and its exit code (D11)."""

from pathlib import Path

import pytest

from tests.integration.conftest import Echelon, document, project

pytestmark = pytest.mark.engine

JOB = """
import sys
from pathlib import Path

from pydantic import BaseModel

from echelon import Brief, Evidence, Job, Resilience, Verdict, agent, command

LIES = "print('all tests pass')"
WORKS = "import pathlib; pathlib.Path('fix.patch').write_text('x'); print('patched')"


class Inputs(BaseModel):
    folder: Path
    broken: bool = False


def a_job(name, **phase):
    job = Job(name, goal="Fix it", inputs=Inputs, defaults=Resilience(attempts=2, backoff_seconds=0.001))
    job.phase("fix", **phase)
    return job


def coder(code):
    return command([sys.executable, "-c", code], name="coder", cwd="{folder}", goal="Fix it")


def is_text(output: str) -> bool:
    return bool(output.strip())


def needs_the_model(output: str, inputs: Inputs) -> bool:
    if (inputs.folder / "down").exists():
        raise ConnectionError("the model is down")
    return bool(output)


def anything(output: str) -> bool:
    return True


lying = a_job("lying", agent=coder(LIES), success=[Evidence(changes="*.patch"), is_text])
working = a_job("working", agent=coder(WORKS), success=[Evidence(changes="*.patch"), is_text])
verified = a_job("verified", agent=coder(WORKS), verify=needs_the_model)
vacuous = a_job("vacuous", agent=coder(WORKS), success=[anything])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path, JOB)


def test_an_agent_that_claims_to_have_worked_and_did_nothing_has_failed(folder: Path, echelon: Echelon) -> None:
    run = echelon("run", f"{folder}/jobs.py:lying", "--param", f"folder={folder}", "--json")
    said = document(run, 1)

    assert said["status"] == "failed"
    assert "no changes fit '*.patch' (it shows none)" in said["missing"][0]["reason"]


def test_one_that_did_the_work_is_done(folder: Path, echelon: Echelon) -> None:
    run = echelon("run", f"{folder}/jobs.py:working", "--param", f"folder={folder}", "--json")
    said = document(run)

    assert (run.returncode, said["status"], said["unverified"]) == (0, "completed", {})


def test_what_nobody_could_verify_is_partial_until_the_run_is_resumed(folder: Path, echelon: Echelon) -> None:
    (folder / "down").touch()
    first = echelon("run", f"{folder}/jobs.py:verified", "--param", f"folder={folder}", "--json")
    said = document(first, 3)
    shown = echelon("show", said["run_id"])
    (folder / "down").unlink()
    (folder / "fix.patch").unlink()
    resumed = echelon("resume", said["run_id"], "--json")

    assert said["status"] == "partial"
    assert "its check failed: needs_the_model: ConnectionError" in said["unverified"]["fix/coder"]
    assert "the model is down" in shown.stdout
    assert (resumed.returncode, document(resumed)["unverified"]) == (0, {})
    assert not (folder / "fix.patch").exists()  # the work was not done again


def test_a_check_that_accepts_anything_is_never_reported_as_done(folder: Path, echelon: Echelon) -> None:
    run = echelon("run", f"{folder}/jobs.py:vacuous", "--param", f"folder={folder}")

    assert run.returncode == 3
    assert "0 of 1 done, 1 not verified" in run.stdout
    assert "'anything' accepts an empty output too" in " ".join(run.stdout.split())
