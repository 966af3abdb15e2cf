import pytest

from echelon.cli.arguments.word import word_of
from echelon.model.errors import InvalidInput


def test_what_a_person_says_is_read_by_task():
    word = word_of(["pay/a"], ['pay/b="paid = done"', "pay/c=3", 'pay/d={"id": 7}'])

    assert word.redo == {"pay/a"}
    assert word.done == {"pay/b": "paid = done", "pay/c": 3, "pay/d": {"id": 7}}


def test_without_a_word_nothing_is_said():
    assert (word_of(None, None).redo, word_of(None, None).done) == (frozenset(), {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pay", "--done takes task=output, not 'pay'"),
        ("=3", "--done takes task=output"),
        ("pay=paid", r"--done pay: the output is not valid JSON .*quote text"),
    ],
)
def test_what_cannot_be_read_is_refused_with_an_example(text, says):
    with pytest.raises(InvalidInput, match=says):
        word_of(None, [text])
