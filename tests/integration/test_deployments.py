"""Recurring runs: the project that `echelon init` makes, its `prefect.yaml`, a real server and a real worker."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.conftest import Place
from tests.unit.audit.building import git, tree

#: A run of the schedule takes a new process, a few seconds; the machine may be busy.
WITHIN_SECONDS = 90

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


class Deployment:
    """The deployment of a place, as its server knows it."""

    def __init__(self, place: Place, name: str) -> None:
        self.api = httpx.Client(base_url=place.url, trust_env=False, timeout=30)
        self.known: dict[str, Any] = self.get(f"/deployments/name/{name}")
        self.id: str = self.known["id"]

    def get(self, path: str) -> Any:
        return self.api.get(path).raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        return self.api.post(path, json=body).raise_for_status().json()

    def start(self, **parameters: Any) -> httpx.Response:
        return self.api.post(f"/deployments/{self.id}/create_flow_run", json={"parameters": parameters})

    def runs(self) -> list[dict[str, Any]]:
        """Return its runs that have completed, those that ended first at the front."""
        wanted = {"deployments": {"id": {"any_": [self.id]}}, "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        return sorted(self.post("/flow_runs/filter", wanted), key=lambda run: run["end_time"])

    def completed(self, log: Path, *, after: int = 0) -> dict[str, Any]:
        """Wait for the run that completes next after so many have; return it."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while len(found := self.runs()) <= after:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.25)
        return found[after]

    def report(self, run: dict[str, Any]) -> str:
        """Return the report that a run shows in Prefect."""
        of_run = {"artifacts": {"flow_run_id": {"any_": [run["id"]]}, "key": {"any_": ["audit-report"]}}}
        (artifact,) = self.post("/artifacts/filter", of_run)
        return artifact["data"]


@pytest.fixture(scope="module")
def nightly(served: Place) -> Deployment:
    """The deployment that a new project brings, deployed as its README says."""
    served.run("prefect", "work-pool", "create", "local", "--type", "process")
    served.run("prefect", "--no-prompt", "deploy", "--prefect-file", "deployments/prefect.yaml", "--all")
    return Deployment(served, "audit/nightly")


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
    assert list(fields) == ["path", "exclude", "max_bytes"]
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
    [{"max_bytes": 0}, {"max_bytes": "many"}, {"exclude": "docs"}, {"path": 3}, {"path": None}, {"pth": "."}],
)
def test_parameters_that_do_not_fit_are_refused_before_there_is_a_run(nightly, parameters):
    refused = nightly.start(**parameters)

    assert refused.status_code == 409, refused.text
    assert next(iter(parameters)) in refused.text


def test_each_run_of_the_schedule_is_compared_with_the_one_before(served, nightly):
    log = served.home / "worker.log"
    nightly.post(f"/deployments/{nightly.id}/schedules", [{"schedule": {"interval": 8}, "active": True}])
    with served.running("prefect", "worker", "start", "--pool", "local", log=log):
        first = nightly.completed(log)
        tree(served.project, {"shop/prices.py": "def total(prices):\n    return eval('+'.join(prices))\n"})
        git(served.project, "commit", "-qam", "second")
        changed = len(nightly.runs())
        second = nightly.completed(log, after=changed + 1)  # the next may have begun before the change

    assert first["auto_scheduled"]
    assert "first audit" in nightly.report(first)
    assert "shop/prices.py" in nightly.report(second)
    print(nightly.report(first)[:3000], nightly.report(second)[:6000])
    print(served.run("echelon", "runs", "--json"))
    print(log.read_text()[-3000:])
    assert json
