"""C8: which change of a contract somebody who reads it as it was must be told of; table by table."""

from enum import StrEnum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from echelon.contract.shape import changed_fields, shape_of


class Severity(StrEnum):
    HIGH = "high"
    LOW = "low"


class Place(BaseModel):
    path: str
    line: int | None = None


class Finding(BaseModel):
    """What was found."""

    text: str
    severity: Severity
    places: list[Place] = []
    by_rule: dict[str, Place] = {}
    sure: float = Field(default=1.0, ge=0, le=1, description="how sure")
    of: "Finding | None" = None


def test_a_shape_names_every_field_with_what_it_holds() -> None:
    assert shape_of(Finding) == {
        "": "object",
        "text": "text",
        "severity": "one of high, low",
        "places": "list, optional",
        "places[]": "object",
        "places[].path": "text",
        "places[].line": "integer or null, optional",
        "by_rule": "object, optional",
        "by_rule{}": "object",
        "by_rule{}.path": "text",
        "by_rule{}.line": "integer or null, optional",
        "sure": "number (maximum 1, minimum 0), optional",
        "of": "Finding again or null, optional",
    }


@pytest.mark.parametrize(
    ("output_type", "shape"),
    [
        (str, {"": "text"}),
        (Any, {"": "anything"}),
        (list[int], {"": "list", "[]": "integer"}),
        (int | str, {"": "integer or text"}),
        (Place | None, {"": "object or null", "path": "text", "line": "integer or null, optional"}),
        (Literal["b", "a"], {"": "one of a, b"}),
        (tuple[int, str], {"": "list (maxItems 2, minItems 2)", "[0]": "integer", "[1]": "text"}),
    ],
)
def test_what_is_no_object_has_a_shape_too(output_type: Any, shape: dict[str, str]) -> None:
    assert shape_of(output_type) == shape


def model(**fields: Any) -> Any:
    annotations = {name: made[0] if isinstance(made, tuple) else made for name, made in fields.items()}
    defaults = {name: made[1] for name, made in fields.items() if isinstance(made, tuple)}
    return type("Made", (BaseModel,), {"__annotations__": annotations, "__module__": __name__, **defaults})


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (model(a=int), model(a=int), []),
        (model(a=int), model(a=int, b=(str, "")), []),
        (model(a=int), model(a=int, b=(Place | None, None)), []),
        (model(a=(int, 0)), model(a=int), []),
        (model(a=int | None), model(a=int), []),
        (model(a=(int | None, None)), model(a=int), []),
        (model(a=int), model(a=int, b=str), ["'b' is new, and required (text)"]),
        (model(a=int, b=str), model(a=int), ["'b' is gone (it was text)"]),
        (model(a=int, b=(Place | None, None)), model(a=int), ["'b' is gone (it was object or null, optional)"]),
        (model(a=int), model(a=str), ["'a' was integer, and is text"]),
        (model(a=int), model(a=(int, 0)), ["'a' was integer, and is integer, optional"]),
        (model(a=int), model(a=int | None), ["'a' was integer, and is integer or null"]),
        (model(a=Literal["x"]), model(a=Literal["x", "y"]), None),
        (model(a=list[int]), model(a=list[str]), ["'a[]' was integer, and is text"]),
        (int, str, ["the output was integer, and is text"]),
        (
            model(old=int, ab=int),
            model(new=int, ab=int),
            ["'old' is gone (it was integer)", "'new' is new, and required (integer)"],
        ),
    ],
)
def test_only_what_a_reader_does_not_find_as_it_was_is_a_change(before: Any, now: Any, said: list[str] | None) -> None:
    """A field more is none where it is optional; neither is one that is always there now, or never null."""
    found = [str(one) for one in changed_fields(shape_of(before), shape_of(now))]

    assert (found == said) if said is not None else found


def test_what_a_field_is_called_like_is_no_part_of_it() -> None:
    """`b` is gone, and so is `bc`, which is no field inside of it."""
    found = changed_fields(shape_of(model(b=int, bc=int)), shape_of(model()))

    assert [one.path for one in found] == ["b", "bc"]


def test_texts_that_only_explain_do_not_count() -> None:
    plain, explained = model(a=int), model(a=(int, Field(title="A", description="a number", examples=[1])))

    assert changed_fields(shape_of(plain), shape_of(explained)) == ()
