"""A result with nothing in it, made from its contract: a check that accepts it would accept anything (D11). Pure."""

import dataclasses
import enum
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel

from echelon.model.edges import OutputType

#: How deep models in models are made empty.
_DEPTH = 8


class NoBlank(Exception):
    """Nothing of a type is empty: a choice of words, a date."""


#: What an empty value of a plain type is; the first row that fits counts.
_EMPTY: tuple[tuple[type, Callable[[], object]], ...] = (
    (bool, bool),
    (str, str),
    (bytes, bytes),
    (int, int),
    (float, float),
    (dict, dict),
    (frozenset, frozenset),
    (set, set),
    (tuple, tuple),
    (list, list),
    (PurePath, PurePath),
)

_ANYTHING = (Any, object, None, type(None))


def blank(contract: OutputType, depth: int = _DEPTH) -> object:
    """Return an instance of a contract with nothing in it; `NoBlank` where there is no such thing.

    Every field is empty, whatever its default or its bounds: it is never handed on, and need not fit.
    """
    origin, arms = get_origin(contract) or contract, get_args(contract)
    if contract in _ANYTHING:
        return None
    if origin is Annotated:
        return blank(arms[0], depth)
    if origin in (Union, types.UnionType):
        return None if type(None) in arms else blank(arms[0], depth)
    if origin is Literal or not isinstance(origin, type) or depth <= 0 or issubclass(origin, enum.Enum):
        raise NoBlank(str(contract))
    return _of_class(origin, depth)


def _of_class(contract: OutputType, depth: int) -> object:
    if issubclass(contract, BaseModel):
        fields = {name: field.annotation for name, field in contract.model_fields.items()}
        return contract.model_construct(**_blanks(fields, depth))
    if "__dataclass_fields__" in vars(contract):
        return _of_dataclass(contract, depth)
    if is_typeddict(contract):
        return _blanks(get_type_hints(contract), depth)
    named: Sequence[str] | None = getattr(contract, "_fields", None)
    if named is not None:  # a named tuple has its fields by place: none may be left out
        hints = get_type_hints(contract)
        return cast("Callable[..., object]", contract)(*(blank(hints.get(name, Any), depth - 1) for name in named))
    made = next((make for kind, make in _EMPTY if issubclass(cast("type[object]", contract), kind)), None)
    if made is None:
        raise NoBlank(str(contract))
    return made()


def _of_dataclass(contract: OutputType, depth: int) -> object:
    made: object = object.__new__(contract)
    hints = get_type_hints(contract)
    for name, value in _blanks({one.name: hints[one.name] for one in dataclasses.fields(contract)}, depth).items():
        object.__setattr__(made, name, value)  # frozen or not
    return made


def _blanks(fields: Mapping[str, OutputType], depth: int) -> dict[str, Any]:
    """Return empty values by field; a field of which nothing is empty is left out: who asks for it, sees it."""
    made: dict[str, Any] = {}
    for name, annotation in fields.items():
        try:
            made[name] = blank(annotation, depth - 1)
        except NoBlank:
            continue
    return made
