"""O5, O8: what a pause must not lose, as users of other frameworks reported it: real processes, a real journal."""

import asyncio
import json
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from echelon.journal.journal import SqlJournal
from echelon.journal.migrate import MIGRATIONS
from echelon.model.run import StepRecord
from echelon.settings import Settings
from tests.integration.conftest import calling, document

JOB = """
from pathlib import Path

from pydantic import BaseModel

from echelon import Handoffs, Job, agent


class Inputs(BaseModel):
    folder: Path = Path("world")
    breaks: bool = False


class Order(BaseModel):
    to: str
    amounts: dict[str, list[float | None]]
    text: str


def note(inputs: Inputs, text: str) -> None:
    with (inputs.folder / "done").open("a") as file:
        file.write(text + "\\n")


@agent
def draft(inputs: Inputs) -> Order:
    "Write the order."
    note(inputs, "draft")
    file = inputs.folder / "to"
    to = file.read_text() if file.exists() else "Zoë 🚀"
    return Order(to=to, amounts={"a": [0.1, None], "b": []}, text="long " * 60_000)


def says(drafted: Handoffs[Order]) -> str:
    return f"order from {drafted.outputs()[0].to}"


@agent(effect="irreversible", preview=says)
def left(drafted: Handoffs[Order], inputs: Inputs) -> dict[str, object]:
    "Order on the left."
    note(inputs, "left")
    (inputs.folder / "ordered").write_text(drafted.outputs()[0].model_dump_json())
    if inputs.breaks:
        raise ConnectionError("the line went dead")
    return {"number": 1}


@agent(effect="irreversible", preview=says)
def right(drafted: Handoffs[Order], inputs: Inputs) -> dict[str, object]:
    "Order on the right."
    note(inputs, "right")
    return {"number": 2}


def sibling(number: int):
    @agent(name=f"sibling{number}")
    def work(inputs: Inputs) -> dict[str, object]:
        "Do something beside."
        note(inputs, f"sibling{number}")
        return {"number": -number}

    return work


@agent
def tell(ordered: Handoffs[dict[str, object]], inputs: Inputs) -> list[object]:
    "Tell what was ordered."
    note(inputs, "tell")
    return sorted(str(one) for one in ordered.outputs())


order = Job("order", goal="Order it", inputs=Inputs, max_concurrency=1)
order.phase("draft", agent=draft)
order.phase("order", agents=[left, right, *(sibling(number) for number in range(4))], needs="draft")
order.phase("tell", agent=tell, needs="order")
"""

ORDER = {"to": "Zoë 🚀", "amounts": {"a": [0.1, None], "b": []}, "text": "long " * 60_000}
SIBLINGS = [f"sibling{number}" for number in range(4)]


class Run:
    """A run that waits with two gates, and what a person does about it: each time a process of its own."""

    def __init__(self, folder: Path, **inputs: object) -> None:
        self.folder, self.echelon = folder, calling(folder)
        params = [f"--param={name}={json.dumps(value)}" for name, value in inputs.items()]
        self.id = document(self.echelon("run", "order.py:order", *params, "--json"), code=4)["run_id"]

    @property
    def done(self) -> list[str]:
        """What was done in the world, in its order."""
        return (self.folder / "world" / "done").read_text().split()

    @property
    def open_gates(self) -> dict[str, str]:
        """Open gates by the task that waits."""
        found = document(self.echelon("gates", "--run", self.id, "--json"))["gates"]
        return {gate["action"]["task_id"]: gate["id"] for gate in found}

    def completed(self) -> dict[str, StepRecord]:
        """Return what is on record of each step that is completed."""

        async def read() -> tuple[StepRecord, ...]:
            async with SqlJournal.open(Settings(home=self.folder / "home")) as journal:
                return await journal.steps(self.id)

        return {step.handoff.task_id: step for step in asyncio.run(read()) if step.handoff.done}

    def approve(self, *tasks: str) -> None:
        gates = self.open_gates
        said = self.echelon("gates", "approve", *(gates[task] for task in tasks), "--reason", "seen")
        assert said.returncode == 0, said.stderr

    def resume(self, code: int = 0) -> Any:
        return document(self.echelon("resume", self.id, "--json"), code=code)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "order.py").write_text(JOB)
    (tmp_path / "world").mkdir()
    return tmp_path


def test_two_agents_that_wait_at_once_both_go_on(folder: Path) -> None:
    run = Run(folder)
    assert sorted(run.open_gates) == ["order/left", "order/right"]

    run.approve("order/left", "order/right")
    ended = run.resume()

    assert ended["status"] == "completed"
    assert sorted(run.done) == sorted(["draft", "left", "right", *SIBLINGS, "tell"]), "each once"


def test_siblings_that_were_queued_behind_agents_that_wait_are_kept(folder: Path) -> None:
    """One is at work at one time, and who waits is not at work."""
    run = Run(folder)

    assert run.done == ["draft", *SIBLINGS]


def test_completed_siblings_do_not_flip_back_and_resuming_one_does_not_complete_the_others(folder: Path) -> None:
    run = Run(folder)
    before = run.completed()

    run.approve("order/left")
    assert run.completed() == before, "an answer changes no step"
    waits = run.resume(code=4)

    assert waits["status"] == "waiting"
    assert list(run.open_gates) == ["order/right"], "it waits still"
    after = run.completed()
    assert sorted(after) == sorted([*before, "order/left"])
    assert {task: after[task] for task in before} == before
    assert run.done == ["draft", *SIBLINGS, "left"]


def test_payloads_survive_a_pause(folder: Path) -> None:
    """What was made before it, what a person says, and what was made of both, each read by another process."""
    run = Run(folder, breaks=True)
    run.approve("order/left")
    run.resume(code=4)
    cut_off = run.open_gates["order/left"]
    receipt = {"number": 7, "of": ["Zoë 🚀", None, 0.1]}
    told = json.dumps(receipt)
    assert run.echelon("gates", "done", cut_off, "--output", told, "--reason", "the receipt").returncode == 0
    run.approve("order/right")

    ended = run.resume()

    assert json.loads((folder / "world" / "ordered").read_text()) == ORDER
    assert str(receipt) in ended["output"]
    assert str({"number": 2}) in ended["output"]
    assert run.done.count("left") == 1


def test_an_approval_of_older_inputs_begins_nothing(folder: Path) -> None:
    """The work before it is done again after the approval, and comes to something else."""
    run = Run(folder)
    run.approve("order/left", "order/right")
    (folder / "world" / "to").write_text("Ann")

    waits = document(run.echelon("retry", run.id, "draft/draft", "--json"), code=4)

    assert waits["status"] == "waiting"
    assert {"left", "right"}.isdisjoint(run.done)
    listed = document(run.echelon("gates", "--run", run.id, "--all", "--json"))["gates"]
    older = "what it uses has changed since: what was approved was with older inputs"
    assert sorted((gate["action"]["preview"], gate["closed"], gate["used"]) for gate in listed) == sorted(
        [("order from Zoë 🚀", older, False), ("order from Ann", "", False)] * 2
    )


def test_a_pause_survives_a_restart(folder: Path) -> None:
    """The process is killed as it raises a gate; a person answers that while nothing is at work."""
    echelon = calling(folder)
    killed = echelon("run", "order.py:order", at="gate.raised:1")
    gate, *_ = document(echelon("gates", "--json"))["gates"]
    assert echelon("gates", "approve", gate["id"], "--as", "mia", "--reason", "seen").returncode == 0

    waits = document(echelon("resume", gate["run_id"], "--json"), code=4)
    assert echelon("gates", "approve", "--run", gate["run_id"], "--reason", "seen").returncode == 0
    ended = document(echelon("resume", gate["run_id"], "--json"))

    assert killed.returncode == -signal.SIGKILL
    assert (waits["status"], ended["status"]) == ("waiting", "completed")
    listed = document(echelon("gates", "--all", "--json"))["gates"]
    assert [(len(one["answers"]), one["used"]) for one in listed] == [(1, True)] * 2, "nothing is asked twice"
    done = Counter((folder / "world" / "done").read_text().split())
    assert done.keys() == {"draft", "left", "right", *SIBLINGS, "tell"}
    assert [done[one] for one in ("draft", "left", "right", "tell")] == [1, 1, 1, 1]


def test_a_pause_survives_an_upgrade(folder: Path) -> None:
    """Of the journal, which an older version wrote, and of the job, in which all changed but what is asked about."""
    run = Run(folder)
    gates = run.open_gates
    run.approve("order/left")
    written_by_an_older_version(folder / "home" / "journal.db", "0007")
    changed = JOB.replace('note(inputs, "tell")', 'note(inputs, "tell-all")').replace('"Tell what', '"Tell all that')
    assert changed != JOB
    (folder / "order.py").write_text("# Made anew.\n" + changed)

    run.approve("order/right")
    ended = run.resume()

    assert ended["status"] == "completed"
    *before, last = run.done
    assert (sorted(before), last) == (sorted(["draft", "left", "right", *SIBLINGS]), "tell-all"), "each once"
    listed = document(run.echelon("gates", "--run", run.id, "--all", "--json"))["gates"]
    assert {gate["action"]["task_id"]: gate["id"] for gate in listed} == gates, "nothing is asked twice"
    assert all(gate["used"] for gate in listed)


def written_by_an_older_version(journal: Path, revision: str) -> None:
    """Take a journal back to an older revision, as if no newer version had opened it."""
    config, engine = Config(), create_engine(f"sqlite:///{journal}")
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()
    with closing(sqlite3.connect(journal)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(revision,)]
