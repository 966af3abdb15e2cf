"""What answers a question without a model, and which themes there are in it."""

from pathlib import Path

import pytest

from contracts.research import Document, Fact, FactCollection, Quote, Quotes
from echelon import Handoffs
from echelon.journal.outputs import OutputStore
from echelon.model.handoff import Missing
from tasks.research.documents import Sentence
from tasks.research.notes import answer, answered, note
from tasks.research.reading import MAX_QUOTES, collect, extract, gather, once, ranked
from tasks.research.themes import MAX_THEMES, OTHERS, themes
from tasks.research.words import question, share, stem, terms_of, weights
from tests.unit.audit.building import handoffs
from tests.unit.research.corpus import ANSWERS, BROKEN, MAX_BYTES, QUESTION, corpus


@pytest.fixture
def store(tmp_path: Path) -> OutputStore:
    return OutputStore(str(tmp_path / "outputs"))


def facts(*quotes: str) -> list[Fact]:
    return [Fact(document=f"d{number}.md", line=number + 1, quote=quote) for number, quote in enumerate(quotes)]


def found(store: OutputStore, made: list[Fact]) -> Handoffs[FactCollection]:
    return handoffs(store, {"primary": FactCollection(documents=9, answering=len(made), facts=tuple(made))})


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("orders", "order"),
        ("ordered", "order"),
        ("ordering", "order"),
        ("boxes", "box"),
        ("ring", "ring"),
        ("was", "was"),
    ],
)
def test_words_are_compared_without_their_endings(word: str, expected: str) -> None:
    assert stem(word) == expected


def test_a_question_without_a_word_that_says_anything_is_refused() -> None:
    assert terms_of(QUESTION) == {"refund", "order", "cost"}
    assert question(QUESTION) == QUESTION
    with pytest.raises(ValueError, match="no word that could be looked for"):
        question("What is it?")


def test_a_rare_word_weighs_more_and_all_words_together_weigh_one() -> None:
    weight = weights({"refund", "order"}, [{"refund"}, {"order"}, {"order"}, {"order"}])

    assert weight["refund"] > weight["order"]
    assert share({"refund", "order"}, weight) == 1.0
    assert share({"other"}, weight) == 0.0
    assert share({"other"}, {}) == 0.0


def test_sentences_share_two_words_with_a_question_and_one_with_a_question_of_one() -> None:
    written = [
        Sentence(1, "An order."),
        Sentence(2, "The cost of an order."),
        Sentence(3, "Refunds of orders cost nothing."),
    ]

    assert [one.line for one in ranked(written, QUESTION)] == [3, 2]
    assert [one.line for one in ranked(written, "orders?")] == [1, 2, 3]


def test_every_answer_of_a_folder_is_found_at_its_line(tmp_path: Path) -> None:
    folder = corpus(tmp_path, plain=1)
    lines = {
        name: [quote.line for quote in extract(Document(path=name), folder, QUESTION, MAX_BYTES).output.quotes]
        for name in ANSWERS
    }

    assert lines == {name: [line] for name, line in ANSWERS.items()}
    assert extract(Document(path="plain/00.md"), folder, QUESTION, MAX_BYTES).output == Quotes()
    assert extract(Document(path="empty.md"), folder, QUESTION, MAX_BYTES).output == Quotes()


def test_a_document_has_so_many_quotes_at_most_in_order_of_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n\n".join(f"A refund of order {number} costs {number}." for number in range(50)))
    quotes = extract(Document(path="a.txt"), tmp_path, QUESTION, MAX_BYTES).output.quotes

    assert len(quotes) == MAX_QUOTES
    assert [quote.line for quote in quotes] == sorted(quote.line for quote in quotes)


def test_what_stands_in_several_documents_is_one_fact() -> None:
    (one,) = once([*facts("A refund.", "a  REFUND."), Fact(document="z.md", line=1, quote="A refund.")])

    assert (one.reference, one.also) == ("d0.md:1", ("d1.md:2", "z.md:1"))


def test_facts_are_put_together_in_stages_and_what_is_missing_stays_named(store: OutputStore) -> None:
    lost = Missing(task_id="read/broken.md", producer="read/broken.md", reason="it is binary")
    quotes = Quotes(quotes=(Quote(line=3, text="A refund."),))
    part = gather(handoffs(store, {"read/b/c.md": quotes, "read/a.md": Quotes()}, (lost,))).output
    whole = collect.combiner(handoffs(store, {"one": part, "two": part})).output

    assert (part.documents, part.answering, part.missing) == (2, 1, (lost,))
    assert [fact.reference for fact in part.facts] == ["b/c.md:3"]
    assert (whole.documents, whole.answering, whole.missing) == (4, 2, (lost,))
    assert [(fact.reference, fact.also) for fact in whole.facts] == [("b/c.md:3", ("b/c.md:3",))]


def test_themes_are_what_facts_share_beyond_the_question(store: OutputStore) -> None:
    made = facts(
        "The refund of an order reaches the bank.",
        "Banks pay the refund of an order.",
        "A refund of an order needs a letter.",
        "Letters about a refund of an order are read.",
        "Refund and order: nothing else.",
    )
    first = themes(found(store, made), QUESTION)

    assert [theme.name for theme in first] == ["bank", "letter", OTHERS]
    assert {theme.name: [fact.document for fact in theme.facts] for theme in first} == {
        "bank": ["d0.md", "d1.md"],
        "letter": ["d2.md", "d3.md"],
        OTHERS: ["d4.md"],
    }
    assert themes(found(store, made[::-1]), QUESTION) == first


def test_a_word_that_all_facts_share_is_taken_where_no_other_parts_them(store: OutputStore) -> None:
    (theme,) = themes(found(store, facts("refund order bank", "bank order refund")), QUESTION)

    assert (theme.name, len(theme.facts)) == ("bank", 2)


def test_facts_that_share_nothing_are_one_theme_and_no_facts_are_none(store: OutputStore) -> None:
    (theme,) = themes(found(store, facts("refund order bank", "refund order letter")), QUESTION)

    assert (theme.name, len(theme.facts)) == (OTHERS, 2)
    assert themes(found(store, []), QUESTION) == []
    assert not answered(found(store, []))


def test_there_are_so_many_themes_at_most(store: OutputStore) -> None:
    words = [f"{a}{b}word" for a in "bcdfghj" for b in "klmnp"]
    made = facts(*(f"refund order {word} {number}" for word in words for number in range(2)))
    parts = themes(found(store, made), QUESTION)

    assert len(parts) == MAX_THEMES
    assert len({theme.name for theme in parts}) == MAX_THEMES


def test_without_a_model_a_note_and_an_answer_are_quotes(store: OutputStore) -> None:
    made = facts("An order costs one.", "A refund of an order costs two.")
    (theme,) = themes(found(store, made), QUESTION)

    assert note(theme).output.text == "A refund of an order costs two. An order costs one."
    assert answer(found(store, made), QUESTION).references == ("d1.md:2", "d0.md:1")
    assert {name.partition("/")[0] for name in BROKEN} == {"broken"}
