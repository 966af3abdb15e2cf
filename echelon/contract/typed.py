"""What a person types as an output: how its contract wants it, and where it cannot fit, by the shape on record. Pure.

A shape knows kinds and fields, and no more: what it does not object to is held to the contract itself by the run.
"""

import re
from collections.abc import Iterator
from types import NoneType
from typing import cast

from pydantic.errors import PydanticInvalidForJsonSchema

from echelon.contract.shape import NULL, OPTIONAL, Shape, shape_of
from echelon.model.edges import OutputType
from echelon.model.phrasing import listed

#: Fields, or objections, that are told at most.
MAX_TOLD = 8

#: What a shape calls a kind → how JSON has it. Of other words it is not known what they let through.
_KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "object": (dict,),
    "null": (NoneType,),
}
_NAMES: dict[type, str] = {one: name for name, kinds in reversed(_KINDS.items()) for one in kinds}

#: The first name of a path, with the rest of it.
_PATH = re.compile(r"([^.[{(]+)\.?(.*)", re.DOTALL)


def typed_shape(output_type: OutputType) -> dict[str, str]:
    """Return the shape of what is taken for an output; empty where it has none in JSON."""
    try:
        return shape_of(output_type, "validation")
    except PydanticInvalidForJsonSchema:
        return {}


def described(shape: Shape) -> str:
    """Say in one line what is to be typed; empty where nothing is known.

    >>> described({"": "object", "id": "integer", "note": "text or null, optional"})
    '{"id": integer, "note": text or null, optional}'
    >>> described({"": "list", "[]": "text"})
    'list of text'
    """
    held = shape.get("", "")
    fields = [f'"{name}": {inner.get("", "anything")}' for name, inner in _fields(shape).items()]
    if fields:
        return f"{{{listed(fields, MAX_TOLD)}}}"
    return f"{held} of {shape['[]']}" if "[]" in shape else held


def misfit_of_shape(output: object, shape: Shape) -> str:
    """Say where an output has another kind than its contract wants, or lacks a field; empty where that is not known.

    >>> misfit_of_shape("sent", {"": "object", "id": "integer"})
    'the output must be object, and is text'
    >>> misfit_of_shape({"id": "7"}, {"": "object", "id": "integer", "to": "text"})
    "'id' must be integer, and is text; 'to' is missing (text)"
    """
    return listed(list(_misfits(output, shape, "")), MAX_TOLD, between="; ")


def _misfits(output: object, shape: Shape, path: str) -> Iterator[str]:
    held = shape.get("", "").replace(OPTIONAL, "")
    kind = held.replace(NULL, "").partition(" (")[0]
    if kind not in _KINDS or (output is None and NULL in held):
        return
    if type(output) not in _KINDS[kind]:
        yield f"{repr(path) if path else 'the output'} must be {kind}, and is {_NAMES.get(type(output), 'no JSON')}"
        return
    if not isinstance(output, dict):
        return
    given = cast("dict[str, object]", output)
    for name, inner in _fields(shape).items():
        place = f"{path}.{name}" if path else name
        if name in given:
            yield from _misfits(given[name], inner, place)
        elif OPTIONAL not in inner.get("", OPTIONAL):
            yield f"{place!r} is missing ({inner['']})"


def _fields(shape: Shape) -> dict[str, dict[str, str]]:
    """Return the fields right inside an object, each with its own shape."""
    fields: dict[str, dict[str, str]] = {}
    for path, held in shape.items():
        if found := _PATH.fullmatch(path):
            fields.setdefault(found[1], {})[found[2]] = held
    return fields
