"""F10: a served run that waits for a quota comes back by itself, also when serving was stopped and begun again.

A real provider, a real server, real processes.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from echelon.journal.failpoints import AT
from echelon.testing.llm_server import says
from echelon.testing.quota_server import QuotaServer
from echelon.testing.zones import zone_ending_at
from tests.integration.conftest import Place
from tests.integration.served.process import ServeProcess
from tests.integration.test_deployments import WITHIN_SECONDS, watched

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300), pytest.mark.skipif(os.name == "nt", reason="sends signals")]

#: A job of 30 agents that ask a provider over HTTP.
JOB = """
import httpx
from pydantic import BaseModel

from echelon import Handoffs, Job, agent, integrator


class Inputs(BaseModel):
    url: str
    files: int = 30


def files(inputs: Inputs) -> list[str]:
    return [f"{number:02}.py" for number in range(inputs.files)]


@agent(breaker="openai", attempts=3)
async def inspect(item: str, inputs: Inputs) -> str:
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        answer = await client.post(f"{inputs.url}/chat/completions", json={"file": item})
        answer.raise_for_status()
        return item


@integrator
async def names(found: Handoffs[str]) -> list[str]:
    return sorted(found.outputs())


quota = Job("quota", goal="Know every file", inputs=Inputs, max_concurrency=4)
quota.phase("inspect", each=inspect, over=files, integrate=names)
"""

FILES, AT_ONCE = 30, 4


class Serve(ServeProcess):
    """`echelon serve` of the job, which may be stopped and begun again."""

    def __init__(self, place: Place, folder: Path, url: str) -> None:
        super().__init__(place, folder)
        self.url, self.deployment = url, "quota/quota"
        self.write(JOB)

    def write(self, job: str) -> None:
        (self.folder / "quotas.py").write_text(job)

    def start(self, **variables: str) -> subprocess.Popen[bytes]:
        """Serve, and wait until that is said."""
        options = ("--param", f"url={self.url}", "--interval", "36000", "--name", "quota")
        process = self.begin("quotas.py:quota", *options, **{"ECHELON_QUOTA_WAIT_SECONDS": "0"} | variables)
        already = self.said.count(f"serving {self.deployment}")
        self.wait_for(lambda: self.said.count(f"serving {self.deployment}") > already)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGINT)
        assert process.wait(WITHIN_SECONDS) == 0, self.said

    def shown(self) -> dict[str, Any]:
        found = self.place.json("echelon", "runs")["runs"]
        (one,) = [run for run in found if run["inputs"].get("url") == self.url]
        return self.place.json("echelon", "show", one["run_id"])


@pytest.fixture
def provider() -> Iterator[QuotaServer]:
    with QuotaServer(says("done"), requests=12, seconds=20) as server:
        yield server


@pytest.fixture
def serve(served: Place, tmp_path: Path, provider: QuotaServer) -> Iterator[Serve]:
    before = served.processes()
    yield Serve(served, tmp_path, provider.url)
    for left in set(served.processes()) - set(before):
        if "serve" in left.cmdline() or "prefect.engine" in left.cmdline():
            left.kill()


def test_a_served_run_comes_back_by_itself_when_the_quota_has_reset(serve: Serve, provider: QuotaServer) -> None:
    process = serve.start()
    with watched(serve.place, "quota/quota") as deployment:
        deployment.start(url=serve.url).raise_for_status()
        serve.wait_for(lambda: ": waiting after" in serve.said)
        waiting = serve.shown()
        assert waiting["waiting"]["for"] == "quota of openai"
        assert "goes on by itself at" in serve.said
        serve.wait_for(lambda: deployment.runs(type=["SCHEDULED"]))
        serve.stop(process)

        again = serve.start()
        serve.wait_for(lambda: ": completed after" in serve.said)
        serve.stop(again)
    done = serve.shown()

    assert done["missing"] == []
    assert (done["status"], len(done["output"])) == ("completed", FILES)
    assert len(provider.refused) <= AT_ONCE, "those under way when it closed, and no other"
    assert len(provider.requests) - len(provider.refused) == FILES, "nothing is asked twice"


def test_a_flow_run_killed_before_it_schedules_what_comes_next_is_brought_back(
    serve: Serve, provider: QuotaServer
) -> None:
    process = serve.start(**{AT: "continuation.due:1"})
    with watched(serve.place, "quota/quota") as deployment:
        deployment.start(url=serve.url).raise_for_status()
        serve.wait_for(lambda: deployment.runs(type=["CRASHED"]))
        serve.wait_for(lambda: ": completed after" in serve.said)
        serve.stop(process)
    done = serve.shown()

    assert (done["status"], len(done["output"] or [])) == ("completed", FILES), serve.said
    assert len(provider.requests) - len(provider.refused) == FILES, "nothing is asked twice"


#: The same job within a budget of a day, which ends in the middle of a quarter of an hour.
DAILY = (
    JOB.replace('Job("quota"', 'Job("daily"')
    .replace("max_concurrency=4", "max_concurrency=4, budget=[Budget(calls=20, per='day')]")
    .replace(
        "from echelon import Handoffs",
        "from echelon.model.standing import window\nfrom echelon import Budget, Handoffs",
    )
    + "\nwindow.SLOT_SECONDS = 1\n"
)

#: Until the day ends when the run begins, in seconds: longer than it takes to use up what the day has.
DAY_ENDS_SECONDS = 30


def at_second(seconds: float) -> datetime:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)


def test_a_served_run_comes_back_by_itself_when_the_next_day_begins(serve: Serve) -> None:
    with QuotaServer(says("done"), requests=FILES, seconds=1) as generous:
        serve.url = generous.url
        serve.deployment = "daily/quota"  # runs of the other job are none of this one
        serve.write(DAILY)
        process = serve.start(**zone_ending_at(serve.folder / "zones", at_second(7200)))
        with watched(serve.place, serve.deployment) as deployment:
            midnight = at_second(DAY_ENDS_SECONDS)
            zone_ending_at(serve.folder / "zones", midnight)  # each run is a process, and reads it anew
            deployment.start(url=serve.url).raise_for_status()
            serve.wait_for(lambda: ": waiting after" in serve.said)
            waiting = serve.shown()
            assert waiting["status"] == "waiting", serve.said
            assert waiting["waiting"]["for"].startswith("budget of job 'daily' for ")
            assert waiting["waiting"]["until"] == midnight.isoformat()
            serve.wait_for(lambda: ": completed after" in serve.said)
            serve.stop(process)
        done = serve.shown()

        assert (done["status"], len(done["output"])) == ("completed", FILES), (done["waiting"], serve.said)
        assert len(generous.requests) == FILES, "nothing is asked twice"
