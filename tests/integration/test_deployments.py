"""Recurring runs: the project that `echelon init` makes, its `prefect.yaml`, a real server and a real worker."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from echelon.engine.server.secret import read_credentials
from tests.integration.conftest import Place
from tests.unit.audit.building import git, tree

#: A run of a schedule takes a process of its own, and the machine may be busy.
WITHIN_SECONDS = 90

FIRST = "This is the first run on these inputs."
WORSE = "`shop/prices.py`: 0.00 →"

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


class Deployment:
    """A deployment, as the server of its place knows it."""

    def __init__(self, place: Place, name: str) -> None:
        self.api = httpx.Client(
            base_url=place.url, auth=read_credentials(place.home / "prefect"), trust_env=False, timeout=30
        )
        self.name = name

    @property
    def known(self) -> dict[str, Any]:
        return self.api.get(f"/deployments/name/{self.name}").raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        return self.api.post(path, json=body).raise_for_status().json()

    def start(self, **parameters: Any) -> httpx.Response:
        return self.api.post(f"/deployments/{self.known['id']}/create_flow_run", json={"parameters": parameters})

    def runs(self, **state: list[str]) -> list[dict[str, Any]]:
        """Return its runs in these states."""
        wanted = {"name": {"any_": [self.name.partition("/")[2]]}}
        in_state = {"state": {key: {"any_": values} for key, values in state.items()}}
        return self.post("/flow_runs/filter", {"deployments": wanted, "flow_runs": in_state})

    def reports(self, run: dict[str, Any]) -> list[str]:
        """Return the report that a run shows in Prefect."""
        of_run = {"flow_run_id": {"any_": [run["id"]]}, "key": {"any_": ["audit-report"]}}
        return [artifact["data"] for artifact in self.post("/artifacts/filter", {"artifacts": of_run})]

    def reporting(self, text: str, log: Path) -> dict[str, Any]:
        """Wait for a completed run whose report says this, and return it."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while time.monotonic() < deadline:
            for run in self.runs(type=["COMPLETED"]):
                if any(text in report for report in self.reports(run)):
                    return run
            time.sleep(0.25)
        raise AssertionError(log.read_text())

    def rest(self) -> None:
        """Let nothing begin any more, and wait for what is at work: a worker gives it 30 s when it is stopped."""
        self.api.post(f"/deployments/{self.known['id']}/pause_deployment").raise_for_status()
        deadline = time.monotonic() + WITHIN_SECONDS
        while self.runs(type=["PENDING", "RUNNING"]):
            assert time.monotonic() < deadline, "what is at work does not end"
            time.sleep(0.25)


@contextlib.contextmanager
def watched(place: Place, name: str) -> Iterator[Deployment]:
    deployment = Deployment(place, name)
    with deployment.api:
        yield deployment


def run_id_of(flow_run: dict[str, Any]) -> str:
    return flow_run["state"]["message"].removeprefix("run ")


def make_worse(project: Path) -> None:
    """Change the code under audit, as its author would."""
    tree(project, {"shop/prices.py": "def total(prices):\n    return eval('+'.join(prices))\n"})
    git(project, "commit", "-qam", "second")


@pytest.fixture(scope="module")
def nightly(served: Place) -> Iterator[Deployment]:
    """The deployment that a new project brings, deployed as its README says."""
    served.run("prefect", "work-pool", "create", "local", "--type", "process")
    served.run("prefect", "--no-prompt", "deploy", "--prefect-file", "deployments/prefect.yaml", "--all")
    with watched(served, "audit/nightly") as deployment:
        yield deployment


def test_the_file_of_a_new_project_is_deployed_as_it_is(nightly):
    known = nightly.known
    (schedule,) = known["schedules"]

    assert (known["entrypoint"], known["parameters"]) == ("flows.audit:audit.flow", {"path": "."})
    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("0 3 * * *", "UTC")
    assert schedule["active"]
    assert (known["work_pool_name"], known["tags"]) == ("local", ["echelon", "audit"])
    assert known["global_concurrency_limit"]["limit"] == 1
    assert known["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"


def test_the_form_in_prefect_has_the_inputs_of_the_job(nightly):
    schema = nightly.known["parameter_openapi_schema"]
    fields = schema["properties"]

    assert schema["required"] == ["path"]
    assert list(fields) == ["path", "exclude", "max_bytes", "changed_since", "fix", "check"]
    assert (fields["path"]["type"], fields["path"]["format"]) == ("string", "directory-path")
    assert fields["path"]["description"] == "Folder with the Python code to audit."
    assert (fields["exclude"]["type"], fields["exclude"]["items"]) == ("array", {"type": "string"})
    assert ".venv" in fields["exclude"]["default"]
    assert fields["exclude"]["description"].startswith("Names or paths of folders to leave out")
    assert (fields["max_bytes"]["type"], fields["max_bytes"]["default"]) == ("integer", 1_000_000)
    assert fields["max_bytes"]["exclusiveMinimum"] == 0
    assert "in bytes" in fields["max_bytes"]["description"]


@pytest.mark.parametrize(
    "parameters",
    [{"max_bytes": 0}, {"max_bytes": "many"}, {"exclude": "docs"}, {"path": 3}, {"path": None}],
)
def test_parameters_that_do_not_fit_are_refused_before_there_is_a_run(nightly, parameters):
    refused = nightly.start(**parameters)

    assert refused.status_code == 409, refused.text
    assert next(iter(parameters)) in refused.text


def test_a_worker_runs_the_schedule_and_each_report_is_compared_with_the_one_before(served, nightly):
    log = served.home / "worker.log"
    every_5_seconds = {"schedule": {"interval": 5}, "active": True}
    nightly.post(f"/deployments/{nightly.known['id']}/schedules", [every_5_seconds])
    with served.running("prefect", "worker", "start", "--pool", "local", log=log):
        first = nightly.reporting(FIRST, log)
        make_worse(served.project)
        second = nightly.reporting(WORSE, log)
        nightly.rest()
    recorded = {record["run_id"]: record for record in served.json("echelon", "runs")["runs"]}

    assert first["auto_scheduled"]
    assert second["auto_scheduled"]
    for run in (first, second):
        record = recorded[run_id_of(run)]
        assert nightly.reports(run) == [(Path(record["report"]) / "report.md").read_text()]
        assert (Path(record["report"]) / "report.html").is_file()
    assert nightly.runs(name=["Cancelled"]), "runs that were due while one was at work are not made up for"
    assert nightly.runs(name=["Crashed", "Failed"]) == []
    assert (served.home / "prefect" / "concurrency_leases").is_dir(), "the limit outlives a crash of the server"
    again = served.json("echelon", "resume", run_id_of(second), folder=served.home)
    assert (again["run_id"], again["status"]) == (run_id_of(second), "completed"), "it is found from any folder"


def test_a_job_is_served_without_a_worker_and_its_schedule_is_paused_at_the_end(served, tmp_path):
    log = tmp_path / "serve.log"
    project = served.another_project(tmp_path / "project")
    source, path = f"{project}/flows/audit.py:audit", f"path={project}/shop"
    with (
        watched(served, "audit/often") as often,
        served.running("echelon", "serve", source, "--param", path, "--interval", "5", "--name", "often", log=log),
    ):
        first = often.reporting(FIRST, log)
        make_worse(project)
        second = often.reporting(WORSE.replace("shop/", ""), log)

        assert often.known["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    with watched(served, "audit/often") as often:
        assert (first["auto_scheduled"], second["auto_scheduled"]) == (True, True)
        assert often.known["paused"]
        assert often.runs(name=["Crashed", "Failed"]) == []
    assert "Traceback" not in log.read_text()
