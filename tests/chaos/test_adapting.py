"""R10, F8: a run that has changed its structure is killed, and goes on with the structure that it had decided on."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def carry_out(home: Path, at: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.chaos.jobs.adapting_job", str(home)]
    environment = {**os.environ, "ECHELON_FAILPOINT_AT": at}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False)


def ended(home: Path) -> dict[str, Any]:
    done = carry_out(home)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return ended(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize("at", ["phase.ended:1", "phase.begun:2", "integration.begun:3", "phase.begun:3"])
def test_a_killed_run_goes_on_with_the_structure_it_had_decided_on(
    at: str, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    killed = carry_out(tmp_path, at)
    resumed = ended(tmp_path)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert resumed["output"] == undisturbed["output"]
    assert resumed["plan"] == undisturbed["plan"]
    changes = [kinds["events"].count("plan_change_proposed") for kinds in (resumed, undisturbed)]
    assert changes[0] == changes[1]
    if at != "phase.ended:1":  # it was decided before the kill
        assert resumed["begun_with"] == resumed["plan"]
        assert resumed["events"].count("plan_extended") == 1
