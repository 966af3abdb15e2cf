"""Rehearsals on the real engine: any plan runs, fails as told, is gone on with, and stands beside its forecast."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from echelon.definition.rehearsal import Rehearsal, RehearsalJob
from echelon.engine.run import RunOptions, run_job
from echelon.model.graph import TaskGraph, TaskSpec
from echelon.model.priors import Priors
from echelon.planning.planner import plan
from tests.conftest import SharedServer
from tests.unit.planning.building import chained

pytestmark = [pytest.mark.anyio, pytest.mark.engine]

#: Three chains of two, one join, and a check of it by somebody else.
LINKS = ("a1", "a2: a1", "b1", "b2: b1", "c1", "c2: c1", "join: a2 b2 c2")

JOB = """
from pydantic import BaseModel
from echelon import Job, agent


class Inputs(BaseModel):
    n: int = 3


@agent
async def explode(item: int) -> int:
    "Must not be called in a rehearsal."
    raise RuntimeError("this was in earnest")


job = Job("earnest", goal="Try", inputs=Inputs)
job.phase("try", each=explode, over=lambda n: list(range(n)), seconds=60, tokens=25_000)
"""


def graph(**update: Any) -> TaskGraph:
    tasks = tuple(task.model_copy(update={"seconds": 2.0, "tokens": 30_000}) for task in chained(*LINKS))
    check = TaskSpec(id="check", goal="look", verifies=("join",), seconds=1.0, tokens=30_000, model="other")
    return TaskGraph(name="a job", goal="find risks", tasks=(*tasks, check), **update)


async def test_a_plan_is_rehearsed_agent_by_agent_and_phase_by_phase(engine: SharedServer) -> None:
    job = RehearsalJob.of(plan(graph(priors=Priors(integration_seconds=0.5))), Rehearsal(scale=0.02))
    result = await run_job(job, Rehearsal(scale=0.02), RunOptions())

    assert result.status == "completed"
    # Six tasks in three feature agents, the join, and the check.
    assert (result.measures.agents, result.measures.completed) == (5, 5)
    assert result.measures.tokens == 8 * 30_000
    assert (result.measures.makespan_seconds or 0) >= (job.plan.makespan.critical_path or 1)


def command(folder: Path, environment: dict[str, str], *arguments: str) -> tuple[int, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "echelon", *arguments, "--json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_who_fails_is_decided_by_the_seed_and_stays_so_when_the_rehearsal_is_gone_on_with(
    shared_server: SharedServer, tmp_path: Path
) -> None:
    tasks = [{"id": f"t{n}", "seconds": 1, "depends_on": ["t0"] if n else []} for n in range(12)]
    (tmp_path / "graph.json").write_text(json.dumps({"tasks": tasks}))
    options = ("--rehearse", "--scale", "0.01", "--failure-rate", "0.3", "--seed", "4")
    code, first = command(tmp_path, shared_server.environment, "run", "graph.json", *options)

    missing = sorted(one["task_id"] for one in first["missing"])
    assert (code, first["status"]) == (3, "partial")
    assert 0 < len(missing) < 12
    assert all(one["reason"] == "failed as the rehearsal asked" for one in first["missing"])

    (tmp_path / "graph.json").unlink()  # everything needed is on record
    code, again = command(tmp_path, shared_server.environment, "resume", first["run_id"])

    assert (code, again["status"]) == (3, "partial")
    assert sorted(one["task_id"] for one in again["missing"]) == missing


def test_a_python_job_is_rehearsed_without_calling_its_agents_and_compared_with_its_forecast(
    shared_server: SharedServer, tmp_path: Path
) -> None:
    (tmp_path / "earnest.py").write_text(JOB)
    code, result = command(
        tmp_path, shared_server.environment, "run", "earnest.py:job", "--rehearse", "--scale", "0.005"
    )

    assert (code, result["status"]) == (0, "completed")

    _, shown = command(tmp_path, shared_server.environment, "show", result["run_id"])
    time, _, tokens = shown["forecast"]

    assert time["predicted"]["low"] >= 0.3
    assert time["measured"] == pytest.approx(result["measures"]["makespan_seconds"])
    assert (tokens["predicted"]["low"], tokens["measured"]) == (75_000 + 3 * 10_000, 75_000)
