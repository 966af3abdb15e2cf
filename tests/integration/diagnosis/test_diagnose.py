"""`echelon diagnose` says what was wrong with a run; what it changes holds for later runs until it is taken back."""

from pathlib import Path

import pytest

from tests.integration.conftest import Echelon, calling, document, project

JOB = """
from echelon import Handoffs, Job, Outcome, agent, integrator
from echelon.model.usage import Usage

@agent
async def look(item: int) -> Outcome[int]:
    return Outcome(output=item, usage=Usage(tokens_in=60_000, tokens_out=100))

@integrator
async def merge(found: Handoffs[int]) -> Outcome[int]:
    return Outcome(output=sum(found.outputs()), usage=Usage(tokens_in=2_000, tokens_out=100))

@merge.combine
async def whole(sums: Handoffs[int]) -> Outcome[int]:
    return Outcome(output=sum(sums.outputs()), usage=Usage(tokens_in=2_000, tokens_out=100))

job = Job("wide", goal="look at everything", span=30)
job.phase("look", each=look, over=lambda: list(range(24)), integrate=whole)
"""


@pytest.fixture
def echelon(tmp_path: Path) -> Echelon:
    return calling(project(tmp_path, JOB))


def ran(echelon: Echelon) -> str:
    called = echelon("run", "jobs.py:job", "--json")
    return str(document(called)["run_id"])


def span(echelon: Echelon) -> int:
    return int(document(echelon("plan", "jobs.py:job", "--json"))["span"])


def test_a_coordinator_with_too_many_reports_is_found_and_later_runs_are_organised_otherwise(echelon: Echelon) -> None:
    run_id = ran(echelon)

    found = document(echelon("diagnose", run_id, "--json"))

    assert [mode["id"] for mode in found["modes"]] == ["too-shallow"]
    assert (found["run_id"], found["job"], found["earlier_runs"]) == (run_id, "wide", [])
    assert found["modes"][0]["evidence"][0].startswith("24 report to primary, where 8 is the most")
    assert found["bound"]["said"]

    applied = document(echelon("diagnose", run_id, "--apply", "--by", "mia", "--json"))

    assert [(one["lever"], one["before"], one["after"]) for one in applied["changes"]] == [("span", 30, 8)]
    assert span(echelon) == 8
    after = document(echelon("diagnose", ran(echelon), "--json"))
    assert (after["modes"], after["earlier_runs"]) == ([], [run_id])

    assert echelon("diagnose", run_id, "--revert", "--by", "mia").returncode == 0
    assert span(echelon) == 30


def test_what_cannot_be_applied_or_taken_back_is_said_in_one_line(echelon: Echelon) -> None:
    run_id = ran(echelon)
    for arguments, said in (
        (("--revert",), "nothing was applied behind a diagnosis"),
        (("--apply", "--revert"), "--apply and --revert are opposites"),
    ):
        called = echelon("diagnose", run_id, *arguments)
        assert (called.returncode, called.stdout) == (2, "")
        assert said in called.stderr
        assert len(called.stderr.splitlines()) == 1


def test_a_name_that_nothing_has_is_said_to_be_no_run_and_no_job(echelon: Echelon) -> None:
    called = echelon("diagnose", "nothing")
    assert called.returncode == 2
    assert "no job of that name has a run either" in called.stderr
