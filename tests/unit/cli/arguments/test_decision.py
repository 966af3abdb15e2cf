import pytest

from echelon.cli.arguments.decision import decision_of
from echelon.model.errors import InvalidInput


def test_what_a_person_says_is_read_by_task():
    decision = decision_of(["pay/a"], ['pay/b="paid = done"', "pay/c=3", 'pay/d={"id": 7}'])

    assert decision.redo == {"pay/a"}
    assert decision.done == {"pay/b": "paid = done", "pay/c": 3, "pay/d": {"id": 7}}


def test_without_a_decision_nothing_is_said():
    assert (decision_of(None, None).redo, decision_of(None, None).done) == (frozenset(), {})


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
        decision_of(None, [text])
