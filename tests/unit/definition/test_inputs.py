"""Inputs as people type them and as programs pass them."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from echelon.definition.inputs import read_inputs, read_typed_inputs
from echelon.model.errors import InvalidInput


class Inputs(BaseModel):
    path: Path = Field(description="Where to look.")
    depth: int = 3
    names: tuple[str, ...] = ()
    label: str = "none"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({}, {}),
        ({"depth": "5"}, {"depth": 5}),
        ({"names": '["a", "b"]'}, {"names": ("a", "b")}),
        ({"label": "5"}, {"label": "5"}),  # text stays text
        ({"label": '["a"]'}, {"label": '["a"]'}),
    ],
)
def test_typed_text_is_taken_as_it_is_or_else_as_json(typed: dict[str, str], expected: dict[str, Any]) -> None:
    assert read_typed_inputs(Inputs, {"path": "src"} | typed) == Inputs(path=Path("src"), **expected)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"depth": "many"}, ["'depth'", "many"]),
        ({"names": "[1"}, ["'names'"]),
        ({"colour": "red"}, ["unknown parameter 'colour'", "path, depth, names, label"]),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_it(typed: dict[str, str], words: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_typed_inputs(Inputs, {"path": "src"} | typed)

    assert [word for word in words if word not in str(refused.value)] == []
    assert "\n" not in str(refused.value)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InvalidInput, match="'path'"):
        read_inputs(Inputs, {})
