"""A word is only repaired where nobody has to guess (C3, C5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.contract.vocabulary import meant

LEVELS = ("low", "medium", "high", "critical", "in_progress")


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("HIGH", "high"),
        (" High ", "high"),
        ("In Progress", "in_progress"),
        ("in-progress", "in_progress"),
        ("critcal", "critical"),  # one letter too few
        ("criticall", "critical"),  # one too many
        ("criticol", "critical"),  # one wrong
        ("crtiical", "critical"),  # two swapped
        ("meduim", "medium"),
        ("hgih", None),  # too short for a typo to be safe
        ("severe", None),
        ("uncritical", None),
        ("", None),
        ("  ", None),
    ],
)
def test_case_spaces_and_one_typo_are_mended(said: str, word: str | None) -> None:
    assert meant(said, LEVELS) == word


@pytest.mark.parametrize(
    ("said", "vocabulary"),
    [
        ("incomplete", ("complete", "failed")),  # the opposite
        ("unsafe", ("safe",)),
        ("amoral", ("moral",)),
        ("Low", ("low", "LOW")),  # two words that differ in case only
        ("batch", ("batchy", "batcha")),  # two words at one typo
    ],
)
def test_a_word_that_may_mean_something_else_is_left_alone(said: str, vocabulary: tuple[str, ...]) -> None:
    assert meant(said, vocabulary) is None


@given(said=st.text(max_size=12), vocabulary=st.lists(st.text(max_size=12), max_size=5, unique=True))
def test_what_is_mended_is_a_word_of_the_vocabulary_and_stays_as_it_is(said: str, vocabulary: list[str]) -> None:
    word = meant(said, vocabulary)

    assert word is None or (word in vocabulary and meant(word, vocabulary) == word)
