"""What an output says that its contract promises: values with a key, and what is marked as complete. Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from echelon.contract.keys import Complete, Key, fields_of, inside, key_text, keyed_values, marks_any
from echelon.model.edges import OutputType, is_listing


class Promised(NamedTuple):
    """Something that is marked as complete."""

    path: str
    """Where it is in the output."""
    of: type[Any] | None
    """The type whose keys it has; None for a flag."""
    keys: frozenset[str]
    """Those that it has."""


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


def _promised(mark: Complete, value: object, annotation: Any, path: str) -> Iterator[Promised]:
    if isinstance(value, bool):
        if value:
            yield Promised(path, None, frozenset())
        return
    of = mark.of or next((arm for arm in get_args(annotation) if isinstance(arm, type)), None)
    if not is_listing(value) or of is None:
        return
    own = {one.key for one in keyed_values(value)}
    plain = {key_text(one) for one in value if isinstance(one, str | int)}
    yield Promised(path, of, frozenset(own | plain))
