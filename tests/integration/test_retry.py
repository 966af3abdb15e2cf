"""`echelon retry` as people meet it: a run that ended, in a process of its own, with a journal on disk."""

from pathlib import Path

import pytest

from tests.integration.conftest import Echelon, approved, document

pytestmark = pytest.mark.engine

JOB = """
from pathlib import Path

from pydantic import BaseModel

from echelon import AgentFailed, Handoffs, Job, Resilience, agent, integrator


class Inputs(BaseModel):
    folder: Path


def found(inputs: Inputs) -> list[Path]:
    return sorted(inputs.folder.glob("*.md"))


@agent
def read(letter: Path, inputs: Inputs) -> str:
    "Read a letter, and note it."
    with (inputs.folder / "asked").open("a") as file:
        file.write(f"{letter.name}\\n")
    if not letter.read_text():
        raise AgentFailed("it is empty")
    return letter.read_text()


@integrator
def merge(read: Handoffs[str]) -> str:
    "Put letters together."
    return "+".join(read.outputs())


@agent(effect="irreversible")
def send(read: Handoffs[str], inputs: Inputs) -> str:
    "Send what was read."
    with (inputs.folder / "sent").open("a") as file:
        file.write(f"{read.outputs()[0]}\\n")
    return read.outputs()[0]


mail = Job("mail", goal="Answer", inputs=Inputs, defaults=Resilience(attempts=1))
mail.phase("read", each=read, over=found, integrate=merge)

post = Job("post", goal="Send", inputs=Inputs, defaults=Resilience(attempts=1))
post.phase("read", each=read, over=found)
post.phase("send", agent=send, needs="read")
"""


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "mail.py").write_text(JOB)
    folder = tmp_path / "letters"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.md").write_text(name)
    return folder


def asked(letters: Path) -> list[str]:
    """Return the letters that were read, each time, and forget them."""
    file = letters / "asked"
    lines = file.read_text().split() if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def test_tasks_are_done_again_and_the_document_is_that_of_run(echelon: Echelon, letters: Path) -> None:
    first = document(echelon("run", "mail.py:mail", "--param", "folder=letters", "--json"))
    assert sorted(asked(letters)) == ["a.md", "b.md"]
    (letters / "b.md").write_text("better")
    again = document(echelon("retry", first["run_id"], "read/b.md", "--by", "mia", "--json"))

    assert (again.keys(), again["run_id"], again["status"]) == (first.keys(), first["run_id"], "completed")
    assert (first["output"], again["output"]) == ("a+b", "a+better")
    assert asked(letters) == ["b.md"]
    shown = document(echelon("show", first["run_id"], "--json"))
    assert [(one["tasks"], one["by"]) for one in shown["retries"]] == [(["read/b.md"], "mia")]
    assert "read/b.md, on 20" in echelon("show", first["run_id"]).stdout


def test_the_exit_codes_are_those_of_run(echelon: Echelon, letters: Path) -> None:
    run_id = document(echelon("run", "mail.py:mail", "--param", "folder=letters", "--json"))["run_id"]
    (letters / "b.md").write_text("")
    assert document(echelon("retry", run_id, "read/b.md", "--json"), 3)["status"] == "partial"
    (letters / "a.md").write_text("")
    assert document(echelon("retry", run_id, "read/*.md", "--json"), 1)["status"] == "failed"


def test_a_retry_that_was_killed_is_gone_on_with(echelon: Echelon, letters: Path) -> None:
    run_id = document(echelon("run", "mail.py:mail", "--param", "folder=letters", "--json"))["run_id"]
    for name in "ab":
        (letters / f"{name}.md").write_text("new")
    asked(letters)
    killed = echelon("retry", run_id, "read/*.md", "--max-concurrency", "1", at="step.recorded:1")
    assert killed.returncode == -9
    asked(letters)
    resumed = document(echelon("resume", run_id, "--json"))

    assert (resumed["status"], resumed["output"]) == ("completed", "new+new")
    assert len(asked(letters)) == 1, "what was on record by then is not done once more"


def test_what_cannot_be_undone_is_done_again_at_the_word_of_a_person_only(echelon: Echelon, letters: Path) -> None:
    run_id = approved(echelon, document(echelon("run", "mail.py:post", "--param", "folder=letters", "--json"), 4))[
        "run_id"
    ]
    refused = echelon("retry", run_id, "send/send")

    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert f"echelon retry {run_id} 'send/send' --redo 'send/send'" in refused.stderr
    assert (letters / "sent").read_text() == "a\n"
    document(echelon("retry", run_id, "send/send", "--redo", "send/send", "--json"))
    assert (letters / "sent").read_text() == "a\na\n"


def test_a_rehearsal_is_retried_too(echelon: Echelon, letters: Path) -> None:
    rehearsed = document(
        echelon("run", "mail.py:mail", "--param", "folder=letters", "--rehearse", "--scale", "0", "--json")
    )
    again = document(echelon("retry", rehearsed["run_id"], "read/a.md", "--json"))

    assert (again["status"], asked(letters)) == ("completed", [])
    assert [one["tasks"] for one in document(echelon("show", again["run_id"], "--json"))["retries"]] == [["read/a.md"]]


def test_what_makes_no_sense_is_refused_in_one_line(echelon: Echelon, letters: Path) -> None:
    run_id = document(echelon("run", "mail.py:mail", "--param", "folder=letters", "--json"))["run_id"]
    for arguments, line in (
        (("nothing", "read/a.md"), "there is no run 'nothing'"),
        ((run_id,), "no task is named"),
        ((run_id, "read/c.md"), "has no task 'read/c.md'; did you mean 'read/"),
        ((run_id, "read/a.md", "--redo", "send/send"), "--redo 'send/send' means none of the tasks"),
        ((run_id, "read/a.md", "--done", "read/a.md=1"), "unknown option '--done' for 'retry'"),
    ):
        said = echelon("retry", *arguments)
        assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1), said.stderr
        assert line in said.stderr
    (letters.parent / "mail.py").unlink()
    lost = echelon("retry", run_id, "read/a.md")
    assert (lost.returncode, lost.stderr.count("\n")) == (2, 1)
    assert "mail.py" in lost.stderr
