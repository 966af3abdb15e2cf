"""Names for what Python's types cannot say: everything behind them is checked when it crosses our boundary."""

from collections.abc import Callable
from typing import Any, TypeAlias

from pydantic import JsonValue, TypeAdapter

#: A type as an annotation states it: a class, `list[int]`, `int | None`. Python has no type for annotations.
OutputType: TypeAlias = Any

#: A function that a user wrote: its parameters and its return type are read from its signature.
Function: TypeAlias = Callable[..., Any]

#: What validates an output.
Contract: TypeAlias = TypeAdapter[Any]

#: An object whose type is not ours to know: made by a function of a user, or by a library that is an extra.
Foreign: TypeAlias = Any

#: An object of JSON.
JsonObject: TypeAlias = dict[str, JsonValue]
