"""Prefect's record mirrors the run, and the run does not depend on it (X1, R4, F8)."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from echelon import AgentFailed, Handoffs, Job, Resilience, RunResult, agent, integrator
from echelon.engine.picture.request import wait_for_picture
from echelon.engine.run import RunOptions, run_job
from echelon.engine.server.secret import read_credentials
from echelon.model.plan import NodeKind
from echelon.settings import Settings
from tests.conftest import SharedServer

pytestmark = [pytest.mark.anyio, pytest.mark.engine]

#: What a run may take when nobody draws it, in seconds: as long as any other.
GONE_SECONDS = 10

Record = dict[str, Any]


class Crowd(BaseModel):
    """So many agents, in so many domains; which fail."""

    domains: int = 2
    each: int = 9
    failing: tuple[str, ...] = ()


def people(domains: int, each: int) -> list[str]:
    return [f"d{domain}-{n}" for domain in range(domains) for n in range(each)]


#: Who is not here yet, whatever the inputs say.
LATE: set[str] = set()


@agent
async def greet(item: str, failing: tuple[str, ...]) -> str:
    """Greet somebody."""
    if item in failing or item in LATE:
        raise AgentFailed(f"{item} is not here")
    return item


@integrator
async def count(greeted: Handoffs[str]) -> int:
    """Count who was greeted."""
    return len(greeted)


@count.combine
async def add(counted: Handoffs[int]) -> int:
    """Add up who was counted."""
    return sum(counted.outputs())


def crowd() -> Job:
    job = Job("crowd", goal="Greet everybody", inputs=Crowd, defaults=Resilience(attempts=1))
    job.phase("greet", each=greet, over=people, domain=lambda item: item.partition("-")[0], integrate=add)
    return job


async def ran(**inputs: Any) -> RunResult:
    return await crowd().run(**inputs)


class Records:
    """What Prefect knows of one run, asked over its API."""

    def __init__(self, server: SharedServer, run_id: str) -> None:
        self._url = server.url
        self._credentials = read_credentials(server.home / "prefect")
        self.flow_run = self._ask("flow_runs", {"flow_runs": {"name": {"any_": [run_id]}}})[0]
        self.tasks = self._tasks_of(self.flow_run["id"])
        parents = [task["id"] for task in self.tasks]
        asked = {"flow_runs": {"parent_task_run_id": {"any_": parents}}}
        self.subflows = self._ask("flow_runs", asked) if parents else []
        self.inner = [task for subflow in self.subflows for task in self._tasks_of(subflow["id"])]

    def _tasks_of(self, flow_run_id: str) -> list[Record]:
        return self._ask("task_runs", {"task_runs": {"flow_run_id": {"any_": [flow_run_id]}}})

    def _ask(self, what: str, query: Record) -> list[Record]:
        answer = httpx.post(f"{self._url}/{what}/filter", json=query, auth=self._credentials, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def named(self, record: Record) -> str:
        """Return what kind of task or flow run it is."""
        return record["name"].split(" ")[0].split("/")[0]


async def settled(server: SharedServer, run: RunResult) -> Records:
    """Return the records of a run once its picture is complete."""
    assert await asyncio.to_thread(wait_for_picture, run.run_id, Settings(), 60)
    return await asyncio.to_thread(Records, server, run.run_id)


def coordinators(kind: NodeKind, **inputs: Any) -> list[str]:
    return [node.id for node in crowd().plan(**inputs).tree if node.kind is kind]


async def test_a_run_is_a_flow_run_with_a_subflow_for_each_domain_and_a_task_run_for_each_agent(
    engine: SharedServer,
) -> None:
    domains, teams = (coordinators(kind, domains=2, each=30) for kind in (NodeKind.DOMAIN, NodeKind.TEAM))
    run = await ran(domains=2, each=30)
    records = await settled(engine, run)

    assert (run.status, run.output, len(domains)) == ("completed", 60, 2)
    assert (records.flow_run["name"], records.flow_run["state_type"]) == (run.run_id, "COMPLETED")
    assert records.flow_run["parameters"] == {"domains": 2, "each": 30, "failing": []}
    assert sorted(flow["name"] for flow in records.subflows) == sorted(f"{domain} · greet" for domain in domains)
    assert Counter(records.named(task) for task in records.inner) == {
        "greet": 60,
        "integrate": len(teams) + len(domains),
    }
    assert {task["state_type"] for task in (*records.inner, *records.subflows)} == {"COMPLETED"}


async def test_a_flat_job_has_no_subflow(engine: SharedServer) -> None:
    run = await ran(domains=1, each=3)
    records = await settled(engine, run)

    assert records.subflows == []
    assert sorted(task["name"] for task in records.tasks) == [
        *(f"greet/d0-{n}" for n in range(3)),
        "integrate primary · greet",
    ]


async def test_what_failed_is_failed_in_prefect_and_what_is_partial_is_called_so(engine: SharedServer) -> None:
    run = await ran(domains=2, each=30, failing=["d0-0"])
    records = await settled(engine, run)
    failed = [task for task in (*records.inner, *records.tasks) if task["state_type"] == "FAILED"]

    assert (run.status, run.output) == ("partial", 59)
    assert [(task["name"], task["state"]["message"]) for task in failed] == [("greet/d0-0", "d0-0 is not here")]
    assert records.flow_run["state_name"] == "Partial"
    assert "1 missing, the first: greet/d0-0: d0-0 is not here" in records.flow_run["state"]["message"]
    assert sorted(flow["state_name"] for flow in records.subflows) == ["Completed", "Partial"]


async def test_a_run_without_output_is_a_failed_flow_run_and_a_result_all_the_same(engine: SharedServer) -> None:
    run = await ran(domains=1, each=2, failing=["d0-0", "d0-1"])
    records = await settled(engine, run)

    assert (run.status, run.output, len(run.missing)) == ("failed", None, 2)
    assert (records.flow_run["state_type"], records.flow_run["state_name"]) == ("FAILED", "Failed")


async def test_shown_by_team_the_agents_live_in_the_journal_alone(engine: SharedServer) -> None:
    teams = coordinators(NodeKind.TEAM, domains=2, each=30)
    run = await run_job(crowd(), Crowd(domains=2, each=30), RunOptions(granularity="team"))
    records = await settled(engine, run)

    assert (run.output, run.measures.agents) == (60, 60)
    assert sorted(task["name"] for task in records.inner) == sorted(f"{team} · greet" for team in teams)


async def test_a_run_that_is_gone_on_with_is_shown_under_its_name_again(engine: SharedServer) -> None:
    LATE.add("d0-1")
    first = await ran(domains=1, each=3)
    LATE.clear()
    second = await run_job(crowd(), Crowd(domains=1, each=3), RunOptions(run_id=first.run_id))

    assert (second.run_id, second.output, second.status) == (first.run_id, 3, "completed")


#: A run whose first agent kills the process that draws, and its server with it, as the machine might.
KILLED = """
import asyncio, os, signal, time
from pydantic import BaseModel
from echelon import Handoffs, Job, agent
from echelon.engine.picture import request

class Inputs(BaseModel):
    n: int = 24

@agent
async def work(item: int) -> int:
    if item == 0:
        os.kill(request._STARTED[0].pid, signal.SIGKILL)
        print(time.monotonic(), flush=True)
    await asyncio.sleep(0.1)
    return item

@agent
async def add(work: Handoffs[int]) -> int:
    return sum(work.outputs())

job = Job("killed", goal="Survive", inputs=Inputs)
job.phase("work", each=work, over=lambda n: list(range(n)), domain=lambda n: f"d{n % 2}")
job.phase("add", agent=add, needs="work")
run = asyncio.run(job.run())
print(run.status, run.output)
"""


def test_the_work_is_done_and_right_when_who_draws_it_is_killed(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ECHELON_"))}
    environment |= {
        "ECHELON_HOME": str(tmp_path / "home"),
        "PREFECT_PROFILES_PATH": str(tmp_path / "none.toml"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, err = run.communicate(timeout=100)
    finally:
        run.kill()
    ended = time.monotonic()
    killed, _, result = out.partition("\n")

    assert (result, run.returncode) == ("completed 276\n", 0), err
    assert ended - float(killed) < GONE_SECONDS
    assert "Traceback" not in err


#: A run whose last agent kills its process, the first time.
DYING = """
import asyncio, os, signal, sys
from pathlib import Path
from echelon import Handoffs, Job, agent
from echelon.definition.definition import NoInputs
from echelon.engine.picture.request import wait_for_picture
from echelon.engine.run import RunOptions, run_job
from echelon.journal.journal import SqlJournal
from echelon.settings import Settings

trace = Path(sys.argv[1])

def trail(what):
    with trace.open("a") as file:
        file.write(f"{what} ")

@agent
async def work(item: int) -> int:
    trail(item)
    return item

@agent
async def end(work: Handoffs[int]) -> int:
    trail("end")
    if trace.read_text().count("end") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return sum(work.outputs())

job = Job("dying", goal="Survive")
job.phase("work", each=work, over=lambda: list(range(4)))
job.phase("end", agent=end, needs="work")

async def main():
    async with SqlJournal.open(Settings()) as journal:
        begun = [run.run_id for run in await journal.runs() if run.job == "dying"]
    run = await run_job(job, NoInputs(), RunOptions(run_id=begun[0] if begun else None))
    print(run.status, run.output)
    print(run.run_id)

asyncio.run(main())
"""


def test_a_run_whose_process_is_killed_goes_on_from_what_is_on_record(engine: SharedServer, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PREFECT_API_URL": engine.url}
    command = [sys.executable, "-c", DYING, str(tmp_path / "trace")]
    first, second = (
        subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
        for _ in range(2)
    )

    assert first.returncode == -signal.SIGKILL
    said, _, run_id = second.stdout.partition("\n")
    assert said == "completed 6", second.stderr
    assert sorted((tmp_path / "trace").read_text().split()) == ["0", "1", "2", "3", "end", "end"]
    assert wait_for_picture(run_id.strip(), Settings(), 60)
    flow_run = Records(engine, run_id.strip()).flow_run
    assert (flow_run["state_name"], flow_run["run_count"]) == ("Completed", 2)
