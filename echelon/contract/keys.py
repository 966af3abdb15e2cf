"""What a contract says about its contents beside their types: what names a subject, and what is complete. Pure.

    class Finding(BaseModel):
        file: Annotated[str, Key()]
        line: Annotated[int, Key()]
        severity: Literal["low", "high"]

The marks are promises: what checks hold an output to (O4, X9) is what its contract says, and nothing else.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, get_args, get_origin

from echelon.contract.canonical import canonical
from echelon.contract.marked import MarkedField, fields_of, unmarked
from echelon.model.edges import OutputType, is_listing


@dataclasses.dataclass(frozen=True)
class Key:
    """Marks a field that names what a value is about, alone or with others: `Annotated[str, Key()]`.

    Two values of one type with the same key say the same thing, or they contradict each other.
    """


@dataclasses.dataclass(frozen=True)
class Complete:
    """Marks what leaves nothing out: `Annotated[list[Finding], Complete()]` has every key that its parts have.

    `of` is the type whose keys these are, where the list has values of another one, or only the keys themselves. A bool
    that is marked says by being true that nothing that it was made from was missing.
    """

    of: type[Any] | None = None


class Keyed(NamedTuple):
    """A value with a key."""

    kind: type[Any]
    """Its type."""
    keys: tuple[str, ...]
    """What names it, field by field."""
    path: str
    """Where it is in the output."""
    value: object

    @property
    def key(self) -> str:
        """What names it, in one text; no two keys of a type have the same."""
        first, *others = self.keys
        return "/".join((first, *(one.replace("%", "%25").replace("/", "%2F") for one in others)))


#: Types of values that contain nothing, and have no keys.
_PLAIN = frozenset({str, int, float, bool, type(None)})


def keyed_values(output: object, path: str = "") -> Iterator[Keyed]:
    """Yield every value with a key in an output, itself included; models, dataclasses, lists and tables are walked."""
    fields = fields_of(type(output))
    keys = [getattr(output, name) for name in names_of_keys(type(output))]
    if keys and all(key not in (None, "") for key in keys):
        yield Keyed(type(output), tuple(map(key_text, keys)), path, output)
    for name, inner in inside(output, fields):
        if type(inner) in _PLAIN:  # most are, and nothing is in them
            continue
        yield from keyed_values(inner, f"{path}{name}" if name.startswith("[") or not path else f"{path}.{name}")


@lru_cache(maxsize=1024)
def names_of_keys(kind: type[Any]) -> tuple[str, ...]:
    """Return the fields of a class that name what a value is about."""
    return tuple(one.name for one in fields_of(kind) if one.has_mark(Key))


def marks_any(contract: OutputType, *kinds: type[object]) -> bool:
    """Say whether a contract marks any field with one of these, itself or in what it is made of."""
    try:
        return _marks_any(contract, kinds)
    except TypeError:  # an unhashable annotation
        return _marks_any.__wrapped__(contract, kinds)


@lru_cache(maxsize=512)
def _marks_any(contract: OutputType, kinds: tuple[type[object], ...]) -> bool:
    seen: list[object] = []
    waiting: list[object] = [contract]
    while waiting:
        one = unmarked(waiting.pop())
        if one in seen:
            continue
        seen.append(one)
        of = get_origin(one) or one
        fields = fields_of(of) if isinstance(of, type) else ()
        if any(field.has_mark(*kinds) for field in fields):
            return True
        waiting += (*get_args(one), *(field.annotation for field in fields))
    return False


def inside(output: object, fields: tuple[MarkedField, ...]) -> Iterator[tuple[str, object]]:
    """Yield what a value consists of, each with its name: its `fields`, where it has some, else what it contains."""
    if fields:
        yield from ((one.name, getattr(output, one.name)) for one in fields)
    elif isinstance(output, Mapping):
        yield from ((str(key), inner) for key, inner in output.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - of anybody
    elif is_listing(output) and not isinstance(output, str | bytes):
        yield from ((f"[{number}]", inner) for number, inner in enumerate(output))


def key_text(key: object) -> str:
    """Return a key as it is compared and shown: the same, however the same thing was written."""
    return str(canonical(key))
