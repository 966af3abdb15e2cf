"""A result with nothing in it, of any contract."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import pytest
from pydantic import BaseModel, Field

from echelon.contract.blank import NoBlank, blank


class Colour(StrEnum):
    RED = "red"


class Inner(BaseModel):
    name: str = "anybody"
    when: datetime


class Outer(BaseModel):
    number: int = Field(ge=3)
    inner: Inner
    more: list[Inner]
    maybe: Inner | None = None


@dataclass(frozen=True)
class Pair:
    one: str
    other: float


class Row(NamedTuple):
    key: str
    value: int


class Options(TypedDict):
    on: bool


@pytest.mark.parametrize(
    ("contract", "empty"),
    [
        (str, ""),
        (int, 0),
        (bool, False),
        (float, 0.0),
        (list[int], []),
        (dict[str, int], {}),
        (tuple[int, str], ()),
        (set[str], set()),
        (bytes, b""),
        (Path, Path()),
        (Any, None),
        (str | None, None),
        (int | str, 0),
        (Annotated[str, Field(min_length=1)], ""),
        (Pair, Pair("", 0.0)),
        (Row, Row("", 0)),
        (Options, {"on": False}),
    ],
)
def test_nothing_in_it(contract: Any, empty: Any) -> None:
    assert blank(contract) == empty
    assert type(blank(contract)) is type(empty) or isinstance(empty, Path)


def test_fields_are_empty_whatever_their_defaults_and_bounds() -> None:
    made = blank(Outer)

    assert isinstance(made, Outer)
    assert (made.number, made.more, made.maybe, made.inner.name) == (0, [], None, "")
    assert not hasattr(made.inner, "when")  # nothing of a date is empty: who asks for it, sees it


@pytest.mark.parametrize("contract", [Colour, Literal["red"], datetime])
def test_what_has_no_empty_value(contract: Any) -> None:
    with pytest.raises(NoBlank):
        blank(contract)
