"""A misfit is told with place, kind and producer; hostile text is cut and escaped (C3)."""

import math
from datetime import date
from enum import Enum, StrEnum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from echelon.contract.complaint import complaint, described, legible, quoted
from echelon.contract.json import recordable


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Finding(BaseModel):
    model_config = ConfigDict(extra="forbid")

    line: int = 0
    severity: Severity = Severity.LOW
    word: Literal["it's", "b\\c"] = "it's"


Many = Enum("Many", {f"W{n}": f"word{n}" for n in range(40)})


def told(type_: Any, value: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(type_).validate_python(value)
    return complaint(refused.value, "look").removeprefix("look delivered something else than its contract: ")


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        (Finding, {"severity": "hihg"}, "severity: 'hihg' is not in its vocabulary: 'high', 'medium', 'low'"),
        (Finding, {"word": "its"}, "word: 'its' is not in its vocabulary: 'it's', 'b\\c'"),
        (list[Finding], [{}, {"line": "x"}], "1.line: Input should be a valid integer, unable to parse string as an "),
        (int, "x" * 500, f"got the text '{'x' * 59}…'"),
        (int, None, "the output: Input should be a valid integer, got nothing"),
        (str, 3, "got the number 3"),
        (str, {"a": 1}, "got an object"),
        (str, [1], "got a list"),
        (int, 1.5, "got the number 1.5"),
        (Finding, {"severity": "x", "line": "y"}, "(and 1 more)"),
        (Finding, {"\x1b[31mred": 1}, "\\x1b[31mred: Extra inputs are not permitted"),
        (Many, "word", "and 28 more"),
    ],
)
def test_a_misfit_says_where_what_and_what_was_allowed(type_: Any, value: Any, text: str) -> None:
    assert text in told(type_, value)


def test_the_complaint_names_the_producer() -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(int).validate_python("x")

    assert complaint(refused.value, "look").startswith("look delivered something else than its contract: ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fine", "fine"),
        ("über 🙂", "über 🙂"),
        ("a\nb\tc\u00a0d", "a b c d"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\udcff", "\\udcff"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_what_a_terminal_could_obey_is_written_out(text: str, shown: str) -> None:
    assert legible(text) == shown


@given(text=st.text())
def test_quoted_text_is_short_and_on_one_line(text: str) -> None:
    assert len(quoted(text).splitlines()) == 1
    assert "\x1b" not in quoted(text)


def test_a_number_of_a_million_digits_is_not_written_out() -> None:
    assert described(1 << 1_000_000) == "the number with 1,000,001 bits"


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        (float, math.nan, "the output: nan is not a valid JSON number"),
        (dict[str, list[float]], {"rows": [1.0, math.inf]}, "rows.1: inf is not a valid JSON number"),
        (Any, {"a": {"b": -math.inf}}, "a.b: -inf is not a valid JSON number"),
        (Finding, Finding.model_construct(line="x"), "no consumer could read it, line: "),
        (Any, object(), "serialize"),
        (Any, {"a": None, "s": {math.nan}}, "s.0: nan is not a valid JSON number"),
        (Any, {1: "a", "1": "b"}, "several keys of a dictionary are '1' in JSON"),
        (dict[int | str, int], {1: 1, "1": 2}, "several keys of a dictionary are '1' in JSON"),
        (list[Any], [{True: 1, "true": 2}], "several keys of a dictionary are 'true' in JSON"),
    ],
)
def test_what_no_consumer_could_read_is_refused_at_the_producer(type_: Any, value: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        recordable(value, TypeAdapter(type_))


def test_words_that_look_like_numbers_that_are_none_are_words() -> None:
    assert recordable("NaN and Infinity", TypeAdapter(str)) == "NaN and Infinity"
    assert recordable({"a": None, "when": date(2026, 1, 2)}, TypeAdapter(Any)) == {"a": None, "when": "2026-01-02"}
