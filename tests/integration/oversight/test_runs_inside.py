"""O5, O8: a step of a job inside another job waits for a person, who sees it with the run around it."""

from pathlib import Path

import pytest

from tests.integration.conftest import Called, Echelon, calling, document

JOB = """
from pathlib import Path

from pydantic import BaseModel

from echelon import Brief, Handoffs, Job, agent


class Inputs(BaseModel):
    folder: Path = Path("world")


def note(folder: Path, text: str) -> None:
    with (folder / "done").open("a") as file:
        file.write(text + "\\n")


@agent
def draft(inputs: Inputs) -> str:
    "Write the text."
    note(inputs.folder, "draft")
    return "the text"


def says(drafted: Handoffs[str]) -> str:
    return f"print {drafted.outputs()[0]}"


@agent(effect="irreversible", preview=says)
def publish(drafted: Handoffs[str], inputs: Inputs) -> str:
    "Print it."
    note(inputs.folder, "publish")
    return f"printed: {drafted.outputs()[0]}"


@agent
def tell(printed: Handoffs[str], inputs: Inputs) -> str:
    "Tell everybody."
    note(inputs.folder, "tell")
    return f"told of {printed.outputs()[0]}"


printing = Job("printing", goal="Print it", inputs=Inputs)
printing.phase("draft", agent=draft)
printing.phase("publish", agent=publish, needs="draft")

@agent
def proofread(brief: Brief) -> str:
    "Read it."
    brief.raise_concern("the name is wrong", about="the text", confidence=0.9, impact=0.9)
    return "read"


press = Job("press", goal="Read and print", inputs=Inputs)
press.phase("proofread", agent=proofread)
press.phase("printing", agent=printing, needs="proofread")

house = Job("house", goal="Print and tell", inputs=Inputs)
house.phase("printing", agent=printing)
house.phase("tell", agent=tell, needs="printing")
"""


@pytest.fixture
def echelon(tmp_path: Path) -> Echelon:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "printing.py").write_text(JOB)
    (tmp_path / "world").mkdir()
    return calling(tmp_path)


def begun(echelon: Echelon, job: str = "house") -> str:
    """Begin a run in which one inside waits, and return it."""
    return document(echelon("run", f"printing.py:{job}", "--json"), code=4)["run_id"]


def done(folder: Path) -> list[str]:
    return (folder / "world" / "done").read_text().split()


def gates(said: Called) -> list[dict[str, object]]:
    return document(said)["gates"]


def test_a_gate_inside_is_shown_with_the_run_around_it_and_that_one_goes_on(echelon: Echelon, tmp_path: Path) -> None:
    outer = begun(echelon)
    (gate,) = gates(echelon("gates", "--run", outer, "--json"))
    listed = echelon("gates", "--run", outer).stdout

    answered = echelon("gates", "approve", str(gate["id"]), "--as", "mia", "--reason", "read")
    ended = document(echelon("resume", outer, "--json"))

    assert gate["run_id"] != outer
    assert f"{gate['id']}  publish/publish: print the text; may it begin?" in listed
    assert answered.stdout.endswith(f"echelon resume {outer}\n"), "not the run inside: that would not go on with this"
    assert (ended["status"], ended["output"]) == ("completed", "told of printed: the text")
    assert done(tmp_path) == ["draft", "publish", "tell"], "nothing is done again"
    (used,) = gates(echelon("gates", "--run", outer, "--all", "--json"))
    assert (used["id"], used["used"], used["open"]) == (gate["id"], True, False)


def test_all_gates_of_a_run_are_answered_those_inside_too(echelon: Echelon, tmp_path: Path) -> None:
    outer = begun(echelon)

    said = document(echelon("gates", "deny", "--run", outer, "--reason", "not now", "--json"))
    ended = document(echelon("resume", outer, "--json"), code=1)

    assert [one["decision"]["verdict"] for one in said["gates"]] == ["deny"]
    assert ended["status"] == "failed"
    assert done(tmp_path) == ["draft"]


def test_a_concern_of_the_run_around_it_holds_a_step_inside(echelon: Echelon, tmp_path: Path) -> None:
    outer = begun(echelon, "press")
    (gate,) = gates(echelon("gates", "--run", outer, "--json"))
    approve = ("gates", "approve", str(gate["id"]), "--reason", "read")

    refused = echelon(*approve)
    (concern,) = document(echelon("concerns", "--run", outer, "--json"))["concerns"]
    assert (refused.returncode, done(tmp_path)) == (2, ["draft"])
    assert f"come first: {concern['id']};" in refused.stdout
    echelon("concerns", "dispose", concern["id"], "--as", "resolved", "--reason", "mended")
    assert echelon(*approve).returncode == 0
    assert document(echelon("resume", outer, "--json"))["status"] == "completed"
    assert done(tmp_path) == ["draft", "publish"]
