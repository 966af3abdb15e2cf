"""What an output says that its contract promises: values with a key, and what is marked as complete. Pure."""

import types
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Union, cast, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from echelon.contract.keys import Complete, Key, Keyed, inside, key_text, keyed_values, marks_any, names_of_keys
from echelon.contract.marked import fields_of, unmarked
from echelon.model.edges import Contract, Foreign, OutputType, is_listing

#: What may be marked as complete, beside a flag.
_CONTAINERS = (list, tuple, set, frozenset, dict)

#: Fields that are a key together, at most, where it stands alone.
_MOST_PARTS = 20


class Promised(NamedTuple):
    """Something that is marked as complete."""

    path: str
    """Where it is in the output."""
    of: tuple[type[Any], ...]
    """The types whose keys it has; nothing for a flag."""
    keys: frozenset[tuple[str, ...]]
    """Those that it has."""

    def has(self, one: Keyed) -> bool:
        """Say whether it has a key, field by field or in one text."""
        return one.keys in self.keys or ("/".join(one.keys),) in self.keys


def promises_in(output: object, path: str = "") -> Iterator[Promised]:
    """Yield what an output says is complete: lists with their keys, and flags that are set."""
    fields = fields_of(type(output))
    for one in fields:
        where = f"{path}.{one.name}" if path else one.name
        for mark in one.marks:
            if isinstance(mark, Complete):
                yield from _promised(mark, getattr(output, one.name), one.annotation, where)
    for name, inner in inside(output, fields):
        yield from promises_in(inner, f"{path}{name}" if name.startswith("[") or not path else f"{path}.{name}")


def makes_promises(contract: OutputType) -> bool:
    """Say whether anything in a contract is marked, so that an output could break what it says."""
    return marks_any(contract, Key, Complete)


def _promised(mark: Complete, value: Foreign, annotation: Any, path: str) -> Iterator[Promised]:
    if isinstance(value, bool):
        if value:
            yield Promised(path, (), frozenset())
        return
    of = (mark.of,) if mark.of else tuple(_classes_in(annotation))
    if of and isinstance(value, _CONTAINERS):
        yield Promised(path, of, frozenset(_keys_in(value, of)))


def _classes_in(annotation: Any) -> Iterator[type[Any]]:
    """Yield the classes of what a container holds: of a table its values, of a union each of them."""
    arms = [arm for arm in get_args(annotation) if arm is not ...]
    waiting = [unmarked(arms[-1])] if arms else []
    while waiting:
        one = waiting.pop(0)
        inner = get_args(one)
        held = get_origin(one)
        if held in (Union, types.UnionType):
            waiting += map(unmarked, inner)
        elif isinstance(held or one, type):
            yield cast("type[Any]", held or one)


def _keys_in(value: Foreign, of: Sequence[type[Any]]) -> Iterator[tuple[str, ...]]:
    """Yield the keys in a container: of values that have some, and those that stand there alone."""
    for one in keyed_values(value):
        yield from _written(tuple(getattr(one.value, name) for name in names_of_keys(one.kind)), of)
    for alone in filter(_may_be_key, cast("Iterable[object]", value)):
        yield from _written((alone,), of)
        if is_listing(alone):
            yield from _written(tuple(alone), of)


def _may_be_key(value: object) -> bool:
    """Say whether a value may stand for a key alone: one thing, or a few of them together."""
    if isinstance(value, list | tuple | set | frozenset):
        parts = cast("Collection[object]", value)
        return len(parts) <= _MOST_PARTS and all(map(_may_be_key, parts))
    return not isinstance(value, dict) and not fields_of(type(value))


def _written(keys: tuple[object, ...], of: Sequence[type[Any]]) -> Iterator[tuple[str, ...]]:
    """Yield a key as it is written there, and as its type reads it: a text may be a moment."""
    yield tuple(map(key_text, keys))
    for kind in of:
        annotations = [one.annotation for one in fields_of(kind) if one.has_mark(Key)]
        if len(annotations) == len(keys):
            yield tuple(key_text(_read(key, annotation)) for key, annotation in zip(keys, annotations, strict=True))


def _read(key: object, annotation: Any) -> object:
    if type(key) is annotation:
        return key
    try:
        return _adapter(annotation).validate_python(key)
    except (ValueError, TypeError, PydanticUserError):  # it is no key of that type, or nobody can say how one is read
        return key


@lru_cache(maxsize=256)
def _adapter(annotation: Any) -> Contract:
    return TypeAdapter(annotation)
