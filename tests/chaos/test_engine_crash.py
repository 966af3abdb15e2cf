"""A run of the real engine, Prefect and all, is killed and resumed from the command line (F8)."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.jobs.shipping_job import World
from tests.conftest import SharedServer

pytestmark = pytest.mark.engine

JOB = f"{Path(__file__).parent / 'jobs' / 'shipping_job.py'}:shipping_job"


def echelon(engine: SharedServer, *arguments: str, at: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "echelon", *arguments, "--json"]
    environment = {**os.environ, "ECHELON_FAILPOINT_AT": at}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)


def test_a_killed_run_of_the_engine_is_resumed_from_the_command_line(engine: SharedServer, tmp_path: Path) -> None:
    """Killed behind the first phase: what it did is on record, and nobody is asked for it again."""
    world = World(tmp_path / "world")
    killed = echelon(engine, "run", JOB, "--param", f"world={world.folder}", at="phase.ended:1")
    runs = json.loads(echelon(engine, "runs").stdout)["runs"]
    run_id = next(run["run_id"] for run in runs if run["inputs"]["world"] == str(world.folder))
    resumed = echelon(engine, "resume", run_id)

    assert killed.returncode == -signal.SIGKILL
    assert resumed.returncode == 0, resumed.stderr
    output = json.loads(resumed.stdout)["output"]
    assert (output["parcels"], output["missing"]) == (["p0", "p1", "p2", "p3"], 0)
    assert sorted(effect.split()[1] for effect in world.effects()) == ["p0", "p1", "p2", "p3"]
    parcels = [f"{phase}/p{n}" for phase in ("send", "track") for n in range(4)]
    assert sorted(world.asked()) == sorted([*parcels, "track/over/of_receipt"])
