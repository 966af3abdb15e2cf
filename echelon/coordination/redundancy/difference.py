"""Where two outputs differ first, in a few words. Pure; the texts are the agents' own, and hostile like all output."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from echelon.model.edges import is_listing, is_object
from echelon.model.phrasing import truncate

#: How much of each of the two is quoted, and how much of the way to it, in characters.
QUOTED, PATH = 80, 120

#: Stands for a member that one of the two does not have.
_ABSENT = object()


class OutputDifference(NamedTuple):
    """The first place in which two outputs differ."""

    path: str
    """Where, as in `findings[2].verdict`; empty for the outputs themselves."""
    one: str
    """What the first has there."""
    other: str
    """What the second has there."""


def first_difference(one: object, other: object) -> OutputDifference | None:
    """Return the first place in which two values of JSON types differ; None when they are equal.

    Members are looked at by name, lists from their beginning. Depth costs no recursion.

    >>> first_difference({"a": [1, 2]}, {"a": [1, 3]})
    OutputDifference(path='a[1]', one='2', other='3')
    """
    left: list[tuple[str, Any, Any]] = [("", one, other)]
    while left:
        path, here, there = left.pop()
        if is_object(here) and is_object(there):
            left += reversed(list(_members(path, here, there)))
        elif is_listing(here) and is_listing(there):
            left += reversed(list(_entries(path, here, there)))
        elif _written(here) != _written(there):
            return OutputDifference(truncate(path, PATH), _quoted(here), _quoted(there))
    return None


def _members(path: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted({*one, *other}):
        yield f"{path}.{name}" if path else name, one.get(name, _ABSENT), other.get(name, _ABSENT)


def _entries(path: str, one: Sequence[Any], other: Sequence[Any]) -> Iterator[tuple[str, Any, Any]]:
    for place in range(max(len(one), len(other))):
        here, there = (each[place] if place < len(each) else _ABSENT for each in (one, other))
        yield f"{path}[{place}]", here, there


def _written(value: object) -> object:
    """Return what tells two values apart: what they are as JSON, so that 1 is not 1.0, and 0 not false."""
    return value if value is _ABSENT else json.dumps(value, sort_keys=True)


def _quoted(value: object) -> str:
    if value is _ABSENT:
        return "nothing"
    if isinstance(value, str):
        return json.dumps(truncate(value, QUOTED), ensure_ascii=False)
    if is_object(value):
        return "an object"
    if is_listing(value):
        return f"a list of {len(value)}"
    return truncate(json.dumps(value), QUOTED)
