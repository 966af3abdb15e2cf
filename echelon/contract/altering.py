"""An output made wrong on purpose, within its contract: whoever verifies it should notice (O3). Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError
from pydantic_core import to_json

from echelon.model.edges import Contract, is_listing, is_object

Alteration: TypeAlias = Literal["hollow", "noise"]
"""How everything in an output is made wrong: nothing is left in it; or all of it is garbled."""

#: Values that are altered one by one where they cannot be altered together.
_MOST_VALUES = 50

_Path = tuple[str | int, ...]


def altered(plain: object, contract: Contract, how: Alteration) -> object | None:
    """Return an output, as JSON, with everything in it made wrong that can be; None where nothing can.

    What a contract bounds stays as it is: an output that does not fit would be refused before anybody judges it.
    """
    change = _CHANGES[how]
    whole = _each(plain, change)
    if whole != plain and _fits(whole, contract):
        return whole
    found = plain
    for path in list(_places(plain, ()))[:_MOST_VALUES]:
        trial = _with(found, path, change)
        if _fits(trial, contract):
            found = trial
    return found if found != plain else None


def _fits(plain: object, contract: Contract) -> bool:
    try:
        contract.validate_json(to_json(plain))
    except ValidationError:
        return False
    return True


def _hollow(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return "?"
    return 0 if value else 1


def _noise(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value[::-1]} zq"
    return value + 1000 if isinstance(value, int | float) else value


_CHANGES: Mapping[Alteration, Callable[[object], object]] = {"hollow": _hollow, "noise": _noise}


def _each(value: object, change: Callable[[object], object]) -> object:
    if is_object(value):
        return {key: _each(inner, change) for key, inner in value.items()}
    if is_listing(value):
        return [] if change is _hollow else [_each(inner, change) for inner in value]
    return value if value is None else change(value)


def _places(value: object, path: _Path) -> Iterator[_Path]:
    """Yield where single values stand, and lists as a whole before what is in them."""
    if is_object(value):
        for key, inner in value.items():
            yield from _places(inner, (*path, key))
    elif is_listing(value):
        yield path
        for number, inner in enumerate(value):
            yield from _places(inner, (*path, number))
    elif value is not None:
        yield path


def _with(value: Any, path: _Path, change: Callable[[object], object]) -> Any:
    """Return a copy in which what stands at a path is changed; the same where it is not there any more."""
    if not path:
        return _each(value, change)
    first, rest = path[0], path[1:]
    if is_object(value) and first in value:
        return {**value, str(first): _with(value[str(first)], rest, change)}
    if is_listing(value) and isinstance(first, int) and first < len(value):
        return [_with(inner, rest, change) if number == first else inner for number, inner in enumerate(value)]
    return value
