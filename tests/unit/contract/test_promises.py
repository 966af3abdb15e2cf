"""What contracts promise is read from their marks, and results are made wrong within them (O3, O4)."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter

from echelon import Complete, Key
from echelon.contract.altering import altered
from echelon.contract.keys import keyed_values
from echelon.contract.promises import makes_promises, promises_in


class Line(BaseModel):
    file: Annotated[str, Key()]
    number: Annotated[int, Key()]
    text: str = ""


@dataclass
class Page:
    name: Annotated[str, Key()]
    lines: Annotated[list[Line], Complete()]


class Book(BaseModel):
    pages: list[Page]
    index: Annotated[list[str], Complete(of=Page)] = []
    done: Annotated[bool, Complete()] = False
    table: dict[str, Line] = {}


class Bounded(BaseModel):
    """Not everything in it can be made wrong."""

    word: Literal["low", "high"] = "low"
    count: int = Field(default=3, ge=0, le=9)
    note: str = Field(default="fine", min_length=2)


BOOK = Book(
    pages=[Page("one", [Line(file="a", number=1)])], index=["one"], done=True, table={"x": Line(file="b", number=2)}
)


def test_values_with_a_key_are_found_wherever_they_stand() -> None:
    assert [(one.key, one.path) for one in keyed_values(BOOK)] == [
        ("one", "pages[0]"),
        ("a/1", "pages[0].lines[0]"),
        ("b/2", "table.x"),
    ]


def test_a_value_without_all_of_its_key_is_about_nothing() -> None:
    assert list(keyed_values(Line(file="", number=1))) == []


def test_what_is_complete_says_which_keys_it_has() -> None:
    assert [(one.path, one.of, one.keys) for one in promises_in(BOOK)] == [
        ("index", (Page,), {("one",)}),
        ("done", (), frozenset()),
        ("pages[0].lines", (Line,), {("a", "1")}),
    ]


@pytest.mark.parametrize(
    ("contract", "promises"),
    [(Line, True), (Page, True), (Book, True), (list[Book], True), (Bounded, False), (str, False), (Any, False)],
)
def test_a_contract_without_marks_promises_nothing(contract: Any, promises: bool) -> None:
    assert makes_promises(contract) is promises


@pytest.mark.parametrize("how", ["noise", "hollow"])
def test_what_is_made_wrong_fits_its_contract_and_differs(how: Any) -> None:
    adapter = TypeAdapter[object](Bounded)
    wrong = altered(Bounded().model_dump(), adapter, how)

    assert wrong is not None
    assert wrong != Bounded().model_dump()
    adapter.validate_python(wrong)


def test_what_cannot_be_made_wrong_stays_unasked() -> None:
    assert altered({"word": "low"}, TypeAdapter[object](dict[str, Literal["low"]]), "noise") is None


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values, st.sampled_from(["noise", "hollow"]))
def test_whatever_is_made_wrong_is_not_what_it_was(plain: Any, how: Any) -> None:
    assert altered(plain, TypeAdapter[object](Any), how) != plain or plain is None
