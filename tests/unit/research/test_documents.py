"""What is a document, and what is written in it: every sentence with the line that it begins in."""

from pathlib import Path

import pytest

from contracts.research import Document
from echelon import AgentFailed
from tasks.research.documents import MAX_SENTENCE, Sentence, documents, sentences
from tests.unit.research.corpus import BROKEN, MAX_BYTES, corpus


def read(folder: Path, name: str, text: str | bytes) -> list[Sentence]:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return sentences(folder, Document(path=name), MAX_BYTES)


def test_every_document_is_listed_and_nothing_else(tmp_path: Path) -> None:
    found = [document.path for document in documents(corpus(tmp_path, plain=2))]

    assert found == sorted(found)
    assert {"plain/00.md", "faq/refunds.html", "empty.md", "ünï/модуль.md"} | BROKEN <= set(found)
    assert not {"image.png", ".hidden/secret.md"} & set(found)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.md", "One. Two!\nThree", [(1, "One."), (1, "Two!"), (2, "Three")]),
        (
            "a.md",
            "A sentence over\ntwo lines. And\none more.",
            [(1, "A sentence over two lines."), (2, "And one more.")],
        ),
        (
            "a.md",
            "# Title\ntext\n\n- item one\n- item two\n",
            [(1, "Title"), (2, "text"), (4, "item one"), (5, "item two")],
        ),
        ("a.rst", "Title\n=====\n\ntext", [(1, "Title"), (4, "text")]),
        ("a.txt", "It is e.g. this. Or v1.2 of it.", [(1, "It is e.g. this."), (1, "Or v1.2 of it.")]),
        ("a.txt", "one\r\n\r\ntwo\rthree", [(1, "one"), (3, "two three")]),
        ("a.txt", "これは文。二つ目。", [(1, "これは文。"), (1, "二つ目。")]),
        ("a.html", "<p>One &amp;\n<b>two</b>.</p>\n<script>no</script><li>three", [(1, "One & two."), (3, "three")]),
        ("a.html", "<p><b>x</b> <i>y</i>\n\n z", [(1, "x y z")]),
        ("a.html", "<p>never closed <", [(1, "never closed <")]),
        ("a.md", "", []),
    ],
)
def test_sentences_have_the_line_that_they_begin_in(
    tmp_path: Path, name: str, text: str, expected: list[tuple[int, str]]
) -> None:
    assert read(tmp_path, name, text) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("grün".encode(), "grün"),
        ("grün".encode("latin-1"), "grün"),
        ("grün".encode("utf-16"), "grün"),
        ("grün".encode("utf-32"), "grün"),
        (b"\xef\xbb\xbfgr\xc3\xbcn", "grün"),
    ],
)
def test_a_document_may_be_in_an_encoding_that_can_be_told(tmp_path: Path, raw: bytes, expected: str) -> None:
    assert read(tmp_path, "a.txt", raw) == [(1, expected)]


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        AgentFailed, match=rf"{name} (is not|cannot be) read: .+; .+|{name} cannot be read: it is binary"
    ):
        sentences(corpus(tmp_path, plain=0), Document(path=name), MAX_BYTES)


def test_a_document_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(AgentFailed, match=r"gone\.md cannot be read: No such file"):
        sentences(tmp_path, Document(path="gone.md"), MAX_BYTES)


def test_a_sentence_without_an_end_is_cut_between_words(tmp_path: Path) -> None:
    found = read(tmp_path, "a.txt", "word " * 20_000)

    assert all(len(one.text) <= MAX_SENTENCE for one in found)
    assert " ".join(one.text for one in found) == ("word " * 20_000).strip()
    assert [one.text for one in read(tmp_path, "a.txt", "x" * 1_000)] == ["x" * 400, "x" * 400, "x" * 200]


@pytest.mark.parametrize(
    "text", ["a" + "." * 250_000, ". " * 125_000, "?" + '"' * 250_000, " " * 250_000, "<" * 250_000]
)
def test_a_document_that_is_made_to_be_slow_is_not(tmp_path: Path, text: str) -> None:
    """The test's own time limit is the measure: a pattern that goes back would take hours."""
    read(tmp_path, "a.txt", text)
