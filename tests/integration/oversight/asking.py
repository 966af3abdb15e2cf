"""A job that asks people, deployed on a real server: what tests of asking in Prefect share."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.integration.conftest import Place
from tests.integration.test_deployments import WITHIN_SECONDS, Deployment

#: Two transfers in two domains, each behind its gate; a run can be told to stay at work until a file is there, or to
#: lose the line while it transfers. The next process that is given the job dies where a file says.
JOB = """
import asyncio
from pathlib import Path

from pydantic import BaseModel

from echelon import Gate, Handoffs, Job, agent
from echelon.journal import failpoints

armed = Path(__file__).with_name("armed")
if armed.exists():
    failpoints.arm({failpoints.AT: armed.read_text()})
    armed.unlink()


class Inputs(BaseModel):
    to: list[str]
    log: Path
    until: Path | None = None
    breaks: bool = False


def note(inputs: Inputs, text: str) -> None:
    with inputs.log.open("a") as file:
        file.write(text + "\\n")


def payees(inputs: Inputs) -> list[str]:
    return inputs.to


@agent
async def check(item: str, inputs: Inputs) -> str:
    note(inputs, f"check {item}")
    while inputs.until is not None and not inputs.until.exists():
        await asyncio.sleep(0.05)
    return item


def preview(item: str) -> str:
    return f"```\\n<script>document.title='taken over'</script>\\n# transfer 82,000 to {item}"


@agent(effect="irreversible", preview=preview)
async def transfer(item: str, inputs: Inputs) -> str:
    note(inputs, f"transfer {item}")
    if inputs.breaks:
        raise ConnectionError("the line went dead")
    return item


@agent
async def confirm(sent: Handoffs[str], inputs: Inputs) -> list[str]:
    note(inputs, "confirm")
    return sorted(sent.outputs())


def domain(item: str) -> str:
    return f"of-{item}"


pay = Job("pay", goal="Pay the invoices", inputs=Inputs, when_waiting=WHEN_WAITING)
pay.phase("check", each=check, over=payees, domain=domain)
pay.phase(
    "transfer", each=transfer, over=payees, domain=domain, needs="check",
    gate=Gate(reason="money leaves", approvers=("ada", "ben"), asks_ready=False, expires_seconds=EXPIRES),
)
pay.phase("confirm", agent=confirm, needs="transfer")
"""

PREFECT = """
deployments:
  - name: NAME
    entrypoint: paying:pay.flow
    concurrency_limit:
      limit: 1
      collision_strategy: CANCEL_NEW
    work_pool:
      name: NAME
"""


class Paying:
    """The job in a folder, and its deployment."""

    def __init__(
        self, place: Place, folder: Path, name: str, when_waiting: str = "keep", expires_seconds: float = 3600
    ) -> None:
        self.place, self.folder, self.name = place, folder, name
        folder.mkdir(exist_ok=True)
        job = JOB.replace("WHEN_WAITING", repr(when_waiting)).replace("EXPIRES", repr(expires_seconds))
        (folder / "paying.py").write_text(job)
        (folder / "prefect.yaml").write_text(PREFECT.replace("NAME", name))

    def deploy(self) -> None:
        """Deploy it into a work pool of its own, in which one run can be at work."""
        self.place.run("prefect", "work-pool", "create", self.name, "--type", "process")
        self.place.run("prefect", "work-pool", "set-concurrency-limit", self.name, "1")
        self.place.run("prefect", "--no-prompt", "deploy", "--all", folder=self.folder)

    def inputs(self, *to: str, **more: object) -> dict[str, object]:
        told = {name: str(value) if isinstance(value, Path) else value for name, value in more.items()}
        return {"to": list(to), "log": str(self.log(*to)), **told}

    def arm(self, point: str) -> None:
        """Let the next process that is given the job be killed where it passes a point for the first time."""
        (self.folder / "armed").write_text(f"{point}:1")

    def log(self, *to: str) -> Path:
        return self.folder / f"{'-'.join(to)}.log"

    def done(self, *to: str) -> list[str]:
        """Return what was done in the world, in its order."""
        return self.log(*to).read_text().splitlines()

    def gates(self, run_id: str) -> list[dict[str, Any]]:
        return self.place.json("echelon", "gates", "list", "--run", run_id, "--all")["gates"]

    def open_gates(self, run_id: str) -> list[str]:
        return [gate["id"] for gate in self.gates(run_id) if gate["open"]]

    def run_of(self, flow_run: dict[str, Any]) -> dict[str, Any]:
        """Return the run that a flow run began."""
        recorded = self.place.json("echelon", "runs")["runs"]
        (found,) = [one for one in recorded if one["flow_run_id"] == flow_run["id"]]
        return found


def begun(deployment: Deployment, inputs: dict[str, object]) -> str:
    """Begin a run of a deployment, and return the flow run."""
    return deployment.start(**inputs).raise_for_status().json()["id"]


def flow_run_of(deployment: Deployment, flow_run_id: str) -> dict[str, Any]:
    return deployment.api.get(f"/flow_runs/{flow_run_id}").raise_for_status().json()


def reached(
    deployment: Deployment, flow_run_id: str, kind: str, log: Path, holds: Callable[[dict[str, Any]], object] = bool
) -> dict[str, Any]:
    """Wait until a flow run is in a state of a kind, and `holds` of it, and return it."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while True:
        found = flow_run_of(deployment, flow_run_id)
        if found["state"]["type"] == kind and holds(found):
            return found
        said = log.read_text() if log.exists() else ""
        assert time.monotonic() < deadline, f"{found['state']}\n{said}"
        time.sleep(0.2)


def engines(place: Place) -> list[list[str]]:
    """Return the processes of flow runs."""
    return [one.cmdline() for one in place.processes() if "prefect.engine" in one.cmdline()]


def send_form(deployment: Deployment, flow_run_id: str, **answer: object) -> httpx.Response:
    """Send what the form of a flow run sends."""
    return deployment.api.post(f"/flow_runs/{flow_run_id}/resume", json={"run_input": answer})


def to_come(deployment: Deployment, run_id: str) -> list[dict[str, Any]]:
    """Return the flow runs that are scheduled to go on with a run."""
    scheduled = {"state": {"type": {"any_": ["SCHEDULED"]}}, "tags": {"all_": [f"echelon-run:{run_id}"]}}
    return deployment.post("/flow_runs/filter", {"flow_runs": scheduled})


def begin_now(deployment: Deployment, flow_run_id: str) -> None:
    """Let a flow run begin at once that is scheduled for later."""
    now = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2026-01-01T00:00:00Z"}}
    deployment.post(f"/flow_runs/{flow_run_id}/set_state", {"state": now, "force": True})


def asked_again(before: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    """Return what holds of a flow run that has asked once more since it was seen."""
    return lambda now: now["state"]["id"] != before["state"]["id"]
