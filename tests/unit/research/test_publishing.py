"""An answer is written where a person saw that it would be, and over nothing that he did not see."""

from pathlib import Path
from typing import Any

import pytest

from contracts.research import Fact, FactCollection, Note, Publication
from echelon import AgentFailed
from echelon.journal.outputs import OutputStore
from tasks.research.publishing import check_place, file_name, places, publication, publish_answer
from tasks.writing import digest_of_bytes
from tests.unit.audit.building import handoffs

QUESTION = "What does a refund cost?"
NAME = "what-does-a-refund-cost.md"


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    """What phases before hand on."""
    store = OutputStore(str(tmp_path / "outputs"))
    fact = Fact(document="a.md", line=3, quote="A refund costs <b>nothing</b>.")
    found = FactCollection(documents=2, answering=1, facts=(fact,))
    note = Note(text=fact.quote, references=(fact.reference,))
    return {
        "read": handoffs(store, {"read/all": found}),
        "note": handoffs(store, {"note/refund": note}),
        "answer": handoffs(store, {"answer/answer": note}),
        "question": QUESTION,
    }


def test_what_is_shown_is_what_is_written(tmp_path: Path, given: dict[str, Any]) -> None:
    folder = tmp_path / "answers" / "new"
    shown = publication(folder, **given)
    made = publish_answer(folder, **given).output
    written = (folder / NAME).read_bytes()

    assert shown == f"new: {folder / NAME}, {len(written):,} bytes\n\n{written.decode()}"
    assert "a.md:3" in shown
    assert "<b>" not in shown
    assert made == Publication(path=str(folder / NAME), sha256=digest_of_bytes(written))
    assert [file.name for file in folder.iterdir()] == [NAME]


def test_what_would_be_written_over_is_shown_with_its_digest(tmp_path: Path, given: dict[str, Any]) -> None:
    (tmp_path / NAME).write_text("mine\n")
    shown = publication(tmp_path, **given)
    (tmp_path / NAME).write_text("mine, too\n")

    digest = digest_of_bytes(b"mine\n")
    assert shown.startswith(f"in place of 5 bytes with SHA-256 {digest}: {tmp_path / NAME}, ")
    assert publication(tmp_path, **given) != shown
    publish_answer(tmp_path, **given)
    assert publication(tmp_path, **given).startswith("the same stands there already: ")


def test_a_link_is_not_written_through(tmp_path: Path, given: dict[str, Any]) -> None:
    (tmp_path / "secret").write_text("mine\n")
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / NAME).symlink_to(tmp_path / "secret")

    for call in (publication, publish_answer):
        with pytest.raises(AgentFailed, match=f"nothing was written: {NAME} is a link"):
            call(tmp_path / "answers", **given)
    assert (tmp_path / "secret").read_text() == "mine\n"


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path, given: dict[str, Any]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AgentFailed, match=r"nothing was written: .*file/answers cannot be opened: Not a directory"):
        publish_answer(tmp_path / "file/answers", **given)


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What does a retry cost?", "what-does-a-retry-cost.md"),
        ("../../etc/passwd: what is it?", "etc-passwd-what-is-it.md"),
        ("Что это?", "что-это.md"),
        ("???", "answer.md"),
        ("word " * 40, "word-word-word-word-word-word-word-word-word-word-word-word.md"),
    ],
)
def test_a_file_is_called_by_the_words_of_the_question(question: str, name: str) -> None:
    assert file_name(question) == name


def test_an_answer_is_not_published_among_the_documents(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "file").write_text("")

    for inside in ("docs", "docs/answers"):
        with pytest.raises(ValueError, match="the next run would read the answer; publish elsewhere"):
            check_place(tmp_path / inside, tmp_path / "docs")
    with pytest.raises(ValueError, match="it is no folder"):
        check_place(tmp_path / "file", tmp_path / "docs")
    assert places(check_place(tmp_path / "answers", tmp_path / "docs")) == [tmp_path / "answers"]
    assert places(None) == []
