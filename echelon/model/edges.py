"""Names for what Python's types cannot say: everything behind them is checked when it crosses our boundary."""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeGuard

from pydantic import TypeAdapter

#: A type as an annotation states it: a class, `list[int]`, `int | None`. Python has no type for annotations.
OutputType: TypeAlias = Any

#: What validates an output.
Contract: TypeAlias = TypeAdapter[Any]

#: An object whose type is not ours to know: made by a function of a user, or by a library that is an extra.
Foreign: TypeAlias = Any


def is_mapping(value: object) -> "TypeGuard[Mapping[object, object]]":
    """Say whether something is a mapping, of whatever: `isinstance` alone leaves the type of what is in it open."""
    return isinstance(value, Mapping)


def is_object(value: object) -> "TypeGuard[dict[str, Foreign]]":
    """Say whether something is an object of JSON or YAML, of whatever."""
    return isinstance(value, dict)


def is_listing(value: object) -> "TypeGuard[list[object] | tuple[object, ...]]":
    """Say whether something is a list or a tuple, of whatever."""
    return isinstance(value, list | tuple)
