"""What an output is, in one line, when its agent does not say it: never the name of a class (C1)."""

from typing import Any

import pytest

from echelon.coordination.step.envelope import MAX_SUMMARY
from echelon.coordination.step.summary import summary_of

BASE64 = "QUJD" * 100


@pytest.mark.parametrize(
    ("plain", "summary"),
    [
        ({"summary": "two risks", "risks": [1, 2]}, "two risks"),
        ({"ship": True, "reason": "small and clean"}, "ship: yes, reason: small and clean"),
        ({"summary": 5}, "summary: 5"),
        ({"summary": " "}, "summary: empty"),
        ({"a": {"b": {"c": 1}}}, "a: b: 1 field"),
        ({str(n): n for n in range(8)}, "0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5 and 2 more"),
        ([{"path": "a.py", "risks": ["x"]}, {"path": "b.py"}], "2 items: path: a.py, risks: 1 item; path: b.py"),
        ([1, 2.5, None], "3 items: 1; 2.5; nothing"),
        ([], "0 items"),
        ({}, "0 fields"),
        (None, "nothing"),
        (False, "no"),
        (1, "1"),
        ("# Findings\n\nTwo of them.", "Findings"),
        ("---\n```\n* first\n", "first"),
        ("", "empty"),
        ({"content": BASE64}, "content: 400 characters"),
        ({"text": "word " * 100}, f"text: {'word ' * 19}word…"),
    ],
)
def test_a_summary_is_made_from_what_was_delivered(plain: Any, summary: str) -> None:
    assert summary_of(plain) == summary


@pytest.mark.parametrize(
    "plain",
    [["word " * 1000] * 1000, {"key " * 1000: 1}, "x" * 1_000_000, {str(n): "a b " * 90 for n in range(99)}],
    ids=["items", "names", "text", "fields"],
)
def test_it_is_short_however_large_the_output_is(plain: Any) -> None:
    assert len(summary_of(plain)) <= MAX_SUMMARY


def test_it_is_shown_and_never_obeyed() -> None:
    assert summary_of({"a": "\x1b[2Jgone\nnew line"}) == "a: \\x1b[2Jgone new line"


def test_it_has_no_secrets() -> None:
    assert summary_of({"key": "sk-abcdefghijklmnop"}) == "key: [secret]"
    assert summary_of({"key": f"{'x ' * 44}sk-abcdefghijklmnop"}) == f"key: {'x ' * 44}[secret]"
