"""Task graphs on the real engine: killed with no warning and resumed from elsewhere, beside a run that was not."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

#: Agents that write down what they do, and die where they are asked to, once.
AGENTS = """
import os
import signal
from pathlib import Path

from echelon import AgentFailed, Handoffs, TaskSpec, agent

WORLD = Path(os.environ["WORLD"])


def note(task: TaskSpec) -> None:
    with (WORLD / "done").open("a") as file:
        file.write(task.id + "\\n")


@agent(attempts=1)
async def work(task: TaskSpec, received: Handoffs[str]) -> str:
    "Do a task."
    if task.id == os.environ.get("VICTIM"):
        os.kill(os.getpid(), signal.SIGKILL)
    note(task)
    if task.id in ("lost", "odd"):
        raise AgentFailed(f"{task.id} is broken")
    parts = sorted(one.task_id for one in received) + sorted("no " + one.task_id for one in received.missing)
    return f"{task.id}({', '.join(parts)})"


@agent(effect="irreversible")
async def send(task: TaskSpec, received: Handoffs[str]) -> str:
    "Send it."
    note(task)
    return "sent " + ", ".join(received.outputs())
"""

DOMAINS = ("core", "web", "ops")

CHAINS, LINKS = 2, 4  # a domain, a chain


def tasks() -> Iterator[dict[str, Any]]:
    """Yield 34 tasks: two chains in each of three domains, a loss that stops two tasks, and one that stops none."""
    for domain in DOMAINS:
        for chain in range(CHAINS):
            for link in range(LINKS):
                before = [f"{domain}-{chain}-{link - 1}"] if link else []
                yield {"id": f"{domain}-{chain}-{link}", "domain": domain, "depends_on": before}
        ends = [f"{domain}-{chain}-{LINKS - 1}" for chain in range(CHAINS)]
        yield {"id": f"{domain}-join", "domain": domain, "depends_on": ends}
    yield {"id": "lost", "domain": "core"}
    yield {
        "id": "tight",
        "domain": "web",
        "depends_on": [{"task": "lost", "coupling": "tight", "reason": "it is read"}],
    }
    yield {"id": "behind", "domain": "ops", "depends_on": [{"task": "tight", "coupling": "tight", "reason": "as well"}]}
    yield {"id": "odd", "domain": "ops"}
    yield {"id": "loose", "domain": "web", "depends_on": ["odd", "ops-0-3"]}
    yield {"id": "all", "domain": "core", "depends_on": [*(f"{domain}-join" for domain in DOMAINS), "loose", "behind"]}
    yield {"id": "send", "domain": "ops", "capability": "send", "irreversible": True, "depends_on": ["all"]}


@dataclass(frozen=True)
class Place:
    """A project with a graph and its agents, a home, and a world in which agents leave traces."""

    folder: Path

    def __post_init__(self) -> None:
        for name in ("project", "elsewhere", "world"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "project" / "workers.py").write_text(AGENTS)
        (self.folder / "project" / "shop.json").write_text(json.dumps({"name": "shop", "tasks": [*tasks()]}))

    def call(self, *arguments: str, where: str = "project", victim: str = "") -> "subprocess.CompletedProcess[str]":
        own = {
            "ECHELON_HOME": str(self.folder / "home"),
            "ECHELON_PICTURE": "false",
            "WORLD": str(self.folder / "world"),
            "VICTIM": victim,
        }
        return subprocess.run(
            [sys.executable, "-m", "echelon", *arguments, "--json"],
            cwd=self.folder / where,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def document(self, *arguments: str, where: str = "project") -> Any:
        said = self.call(*arguments, where=where)
        assert said.stdout, said.stderr
        return json.loads(said.stdout)

    def approved(self, waits: Any, where: str = "project") -> Any:
        """Let what cannot be undone begin, and return the end of the run."""
        assert waits["status"] == "waiting", waits
        self.document("gates", "approve", "--run", waits["run_id"], "--reason", "looked at")
        return self.document("resume", waits["run_id"], where=where)

    def done(self) -> list[str]:
        """Return what agents did since it was asked last, in their order."""
        file = self.folder / "world" / "done"
        lines = file.read_text().split() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


AGENT_OPTIONS = ("--agent", "*=workers:work", "--agent", "send=workers.py:send")

SAME = ("status", "output", "launched", "returned")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[str], Any]:
    """What comes of a run that nobody kills, what its agents did, and the plan that was shown before."""
    place = Place(tmp_path_factory.mktemp("undisturbed") / "place")
    plan = place.document("plan", "shop.json", *AGENT_OPTIONS)
    return place.approved(place.document("run", "shop.json", *AGENT_OPTIONS)), place.done(), plan


def test_a_graph_is_carried_out_as_far_as_its_losses_allow(undisturbed: tuple[Any, list[str], Any]) -> None:
    result, done, _ = undisturbed

    assert (result["status"], result["launched"], result["returned"]) == ("partial", 34, 30)
    assert sorted(one["task_id"] for one in result["missing"]) == ["behind", "lost", "odd", "tight"]
    assert result["output"] == {"send": "sent all(core-join, loose, ops-join, web-join, no behind)"}
    assert set(done) == {task["id"] for task in tasks()} - {"tight", "behind"}
    assert done.count("send") == 1


def test_chains_are_done_by_one_agent_in_their_order(undisturbed: tuple[Any, list[str], Any]) -> None:
    _, done, plan = undisturbed
    held = [node["members"] for node in plan["tree"] if node["id"].startswith("feature:")]

    assert len(held) == len(DOMAINS) * CHAINS
    for chain in held:
        assert [task for task in done if task in chain] == chain


@pytest.mark.parametrize("victim", ["core-0-0", "web-1-2", "ops-join", "all"])
def test_a_run_that_is_killed_is_resumed_from_another_folder_and_ends_as_if_it_had_not_been(
    tmp_path: Path, undisturbed: tuple[Any, list[str], Any], victim: str
) -> None:
    place = Place(tmp_path / "place")
    killed = place.call("run", "shop.json", *AGENT_OPTIONS, victim=victim)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    [run] = place.document("runs")["runs"]
    before = place.document("show", run["run_id"])
    completed = {task["id"] for task in tasks()} - {one["task_id"] for one in before["missing"]}
    begun = place.done()
    result = place.approved(place.document("resume", run["run_id"], where="elsewhere"), where="elsewhere")
    again = place.done()

    assert {name: result[name] for name in SAME} == {name: undisturbed[0][name] for name in SAME}
    assert sorted(one["task_id"] for one in result["missing"]) == ["behind", "lost", "odd", "tight"]
    assert completed.isdisjoint(again)
    assert set(begun) | set(again) == set(undisturbed[1])
    assert [*begun, *again].count("send") == 1
    assert place.document("show", run["run_id"])["plan"]["phases"] == undisturbed[2]["phases"]
