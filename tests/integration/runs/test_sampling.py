"""`echelon run --sample` as people meet it: in a process of its own, with a journal on disk, stopped and killed."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Echelon, approved, document

pytestmark = pytest.mark.engine

JOB = """
from pathlib import Path

from pydantic import BaseModel

from echelon import Handoffs, Job, Outcome, Resilience, Usage, agent, integrator


class Inputs(BaseModel):
    folder: Path
    letters: int = 20


def found(inputs: Inputs) -> list[str]:
    return [f"{n:02}" for n in range(inputs.letters)]


@agent
def read(letter: str, inputs: Inputs) -> Outcome[str]:
    "Read a letter, and note it."
    with (inputs.folder / "asked").open("a") as file:
        file.write(f"{letter}\\n")
    return Outcome(output=letter, summary="read", usage=Usage(tokens_in=100, tokens_out=int(letter)))


@integrator
def merge(read: Handoffs[str]) -> str:
    "Put letters together."
    return "+".join(sorted(read.outputs()))


@agent
def count(read: Handoffs[str]) -> int:
    "Count what was read."
    return len(read.outputs()[0].split("+"))


@agent(effect="irreversible")
def send(count: Handoffs[int], inputs: Inputs) -> str:
    "Send how many there are."
    with (inputs.folder / "sent").open("a") as file:
        file.write(f"{count.outputs()[0]}\\n")
    return f"sent {count.outputs()[0]}"


mail = Job("mail", goal="Answer", inputs=Inputs, defaults=Resilience(attempts=1))
mail.phase("read", each=read, over=found, domain=lambda letter: letter[0], integrate=merge)
mail.phase("count", agent=count, needs="read")
mail.phase("send", agent=send, needs="count")
"""


RUN = ("run", "mail.py:mail", "--param", "folder=notes")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "mail.py").write_text(JOB)
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def asked(notes: Path) -> list[str]:
    file = notes / "asked"
    return sorted(file.read_text().split()) if file.exists() else []


def undisturbed(echelon: Echelon, notes: Path) -> Any:
    """Return what a run ends in that nobody stops, and forget what it noted."""
    whole = approved(echelon, document(echelon(*RUN, "--json"), 4))
    for name in ("asked", "sent"):
        (notes / name).unlink()
    return whole["status"], whole["output"], whole["launched"], whole["returned"]


def test_a_sample_waits_with_a_forecast_and_ends_as_an_undisturbed_run(echelon: Echelon, notes: Path) -> None:
    whole = undisturbed(echelon, notes)
    first = document(echelon(*RUN, "--sample", "4", "--json"), 4)

    assert first["status"] == "waiting"
    assert first["waiting"] == {"for": "the rest of a sample", "until": None, "default": ""}
    assert (first["output"], first["launched"], first["returned"], first["missing"]) == (4, 6, 6, [])
    assert (first["rest"]["left"], first["rest"]["again"]) == (17, 1)
    assert [(one["phase"], one["tasks"]) for one in first["rest"]["left_out"]] == [("read", 16), ("send", 1)]
    assert first["rest"]["tokens"]["low"] < 16 * 110 < first["rest"]["tokens"]["high"]
    assert not (notes / "sent").exists()
    shown = document(echelon("show", first["run_id"], "--json"))
    assert (shown["rest"], shown["waiting"], shown["exit_code"]) == (first["rest"], first["waiting"], 4)
    resumed = approved(echelon, document(echelon("resume", first["run_id"], "--json"), 4))

    assert (resumed["status"], resumed["output"], resumed["launched"], resumed["returned"]) == whole
    assert asked(notes) == [f"{n:02}" for n in range(20)], "nothing that was done is done again"
    assert (resumed["rest"], resumed["waiting"]) == (None, None)


def test_people_are_told_what_is_left_and_how_to_do_it(echelon: Echelon, notes: Path) -> None:
    said = echelon(*RUN, "--sample", "4")
    run_id = said.stdout.partition(":")[0]

    assert said.returncode == 4
    for text in (said.stdout, echelon("show", run_id).stdout):
        assert f"{run_id}: waiting, for the rest of a sample" in text
        assert "phase 'read', 16 tasks not begun: only a sample of 4 was asked for" in text
        assert "phase 'send', 1 task not begun: what it does cannot be undone, and is never done in a sample" in text
        assert "note: a small sample: 1 task completed of phase 'read', 'count', so take it as a guess" in text
        assert f"to continue with the rest of a sample: echelon resume {run_id}" in text
    report = (notes.parent / "home" / "runs" / run_id / "report" / "report.md").read_text()
    assert "Only a sample of 4 was asked for:" in report


@pytest.mark.parametrize("at", ["step.recorded:2", "integration.ended:1", "phase.ended:1", "report.made:1"])
def test_a_sample_that_was_killed_goes_on_as_one_or_as_a_whole(echelon: Echelon, notes: Path, at: str) -> None:
    whole = undisturbed(echelon, notes)
    killed = echelon(*RUN, "--sample", "4", at=at)
    assert killed.returncode == -9
    run_id = document(echelon("runs", "--json"))["runs"][0]["run_id"]
    sampled = document(echelon("resume", run_id, "--sample", "4", "--json"), 4)
    assert (sampled["output"], sampled["rest"]["left"]) == (4, 17)
    resumed = approved(echelon, document(echelon("resume", run_id, "--json"), 4))

    assert (resumed["status"], resumed["output"], resumed["launched"], resumed["returned"]) == whole
    assert (notes / "sent").read_text() == "20\n"


def test_a_sample_that_was_killed_and_is_resumed_plainly_does_everything(echelon: Echelon, notes: Path) -> None:
    whole = undisturbed(echelon, notes)
    assert echelon(*RUN, "--sample", "4", at="step.recorded:2").returncode == -9
    run_id = document(echelon("runs", "--json"))["runs"][0]["run_id"]
    resumed = approved(echelon, document(echelon("resume", run_id, "--json"), 4))

    assert (resumed["status"], resumed["output"], resumed["launched"], resumed["returned"]) == whole


def test_a_rehearsal_has_a_sample_too(echelon: Echelon, notes: Path) -> None:
    first = document(echelon(*RUN, "--rehearse", "--scale", "0", "--sample", "4", "--json"), 4)
    resumed = document(echelon("resume", first["run_id"], "--json"))

    assert (first["rest"]["left"], resumed["status"], asked(notes)) == (17, "completed", [])


def test_what_makes_no_sense_is_refused_in_one_line(echelon: Echelon, notes: Path) -> None:
    run_id = document(echelon(*RUN, "--json"), 4)["run_id"]
    for arguments, line in (
        ((*RUN, "--sample", "0"), "'--sample' of 'run' cannot be '0'"),
        ((*RUN, "--sample", "-1"), "'--sample' of 'run' cannot be '-1'"),
        ((*RUN, "--sample", "some"), "'--sample' of 'run' takes a whole number, not 'some'"),
        (("resume", run_id, "--sample", "3"), "is no sample, and has done work already"),
        (("retry", run_id, "read/00", "--sample", "3"), "unknown option '--sample' for 'retry'"),
    ):
        said = echelon(*arguments)
        assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1), said.stderr
        assert line in said.stderr
    assert asked(notes)
