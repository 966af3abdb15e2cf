"""Fields of models, dataclasses and named tuples, with what they are marked with. Pure.

A mark is seen wherever it may be written: around a type, in an optional one, in an alias.
"""

import dataclasses
import types
from functools import lru_cache
from typing import Annotated, Any, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from echelon.model.edges import Foreign


class MarkedField(NamedTuple):
    """A field of a contract."""

    name: str
    annotation: Any
    """Its type, without marks, and without None where it is optional."""
    marks: tuple[object, ...]
    """What it is marked with."""

    def has_mark(self, *kinds: type[object]) -> bool:
        """Is it marked with one of these?"""
        return any(isinstance(mark, kinds) for mark in self.marks)


@lru_cache(maxsize=1024)
def fields_of(kind: type[Any]) -> tuple[MarkedField, ...]:
    """Return the fields of a class with what they are marked with; none for what has no fields."""
    if issubclass(kind, BaseModel):
        fields = ((name, one.annotation, tuple(one.metadata)) for name, one in kind.model_fields.items())
        return tuple(_field(name, hint, marks) for name, hint, marks in fields)
    names = _names_of(kind)
    if not names:
        return ()
    try:
        hints = get_type_hints(kind, include_extras=True)
    except NameError:  # types that only exist where it was written: nothing is known to be marked
        return ()
    return tuple(_field(name, hints[name], ()) for name in names if name in hints)


def unmarked(annotation: Any) -> Any:
    """Return a type without its marks, and without None where it is optional."""
    return _field("", annotation, ()).annotation


def _names_of(kind: type[Any]) -> tuple[str, ...]:
    if dataclasses.is_dataclass(kind):
        return tuple(one.name for one in dataclasses.fields(kind))
    return tuple(getattr(cast("Foreign", kind), "_fields", ())) if issubclass(kind, tuple) else ()


def _field(name: str, annotation: Any, marks: tuple[object, ...]) -> MarkedField:
    while True:
        origin = get_origin(annotation)
        if type(annotation).__name__ == "TypeAliasType":  # of typing, from Python 3.12 on, or of typing_extensions
            annotation = annotation.__value__
        elif origin is Annotated:
            annotation, *more = get_args(annotation)
            marks = (*marks, *more)
        elif origin in (Union, types.UnionType) and len(arms := _arms(annotation)) == 1:
            annotation = arms[0]
        else:
            return MarkedField(name, annotation, marks)


def _arms(annotation: Any) -> tuple[Any, ...]:
    return tuple(arm for arm in get_args(annotation) if arm is not type(None))
