"""The shape of a contract: each field with what it holds, so that two versions of it can be compared (C8). Pure.

A field is named by its path, as in `findings[].line`; what it holds is said in words: `integer`, `text or null`,
`one of high, low, optional`. Texts that only explain a schema do not count.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple, cast

from pydantic import TypeAdapter

from echelon.model.adapter import JsonObject
from echelon.model.edges import OutputType
from echelon.model.phrasing import listed

#: Path of a field → what it holds. The output itself has an empty path.
Shape = Mapping[str, str]

#: Of what is handed on, or of what is taken for it: a field with a default may be left out there.
Mode = Literal["serialization", "validation"]

#: What a reader need not prepare for: a field that is always there, and never null.
OPTIONAL, NULL = ", optional", " or null"

#: Keys of a schema that explain it, or are dealt with by name.
_SAYS_NOTHING = frozenset({"title", "description", "default", "examples", "deprecated", "$defs", "$comment"})
_STRUCTURE = frozenset({"type", "properties", "required", "items", "prefixItems", "additionalProperties", "anyOf"})

#: Words of an enumeration that are spelled out; there may be many, and all of them count.
MOST_WORDS = 200


class FieldChange(NamedTuple):
    """What a reader of a contract finds otherwise than before."""

    path: str
    """The field; empty for the output itself."""
    change: str
    """What has changed, in words."""

    def __str__(self) -> str:
        return f"{self.path!r} {self.change}" if self.path else f"the output {self.change}"


def shape_of(output_type: OutputType, mode: Mode = "serialization") -> dict[str, str]:
    """Return the shape of a contract."""
    try:
        return dict(_shape_of(output_type, mode))
    except TypeError:  # an unhashable annotation
        return dict(_shape_of.__wrapped__(output_type, mode))


@lru_cache(maxsize=256)
def _shape_of(output_type: OutputType, mode: Mode) -> tuple[tuple[str, str], ...]:
    schema = TypeAdapter(output_type).json_schema(mode=mode)
    return tuple(_fields(schema, "", "", schema.get("$defs", {}), frozenset()))


def changed_fields(before: Shape, now: Shape) -> tuple[FieldChange, ...]:
    """Return what somebody who reads an output as it was before does not find as it was; nothing when it is compatible.

    More fields are compatible where they are optional, and so is a field that is always there now, or never null.
    """
    return (*_gone_or_changed(before, now), *_new(before, now))


def _gone_or_changed(before: Shape, now: Shape) -> Iterator[FieldChange]:
    gone: list[str] = []
    for path, held in before.items():
        if path not in now:
            if not any(_is_inside(path, one) for one in gone):
                yield FieldChange(path, f"is gone (it was {held})")
            gone.append(path)
        elif not _fits(held, now[path]):
            yield FieldChange(path, f"was {held}, and is {now[path]}")


def _new(before: Shape, now: Shape) -> Iterator[FieldChange]:
    added: list[str] = []
    for path, holds in now.items():
        if path not in before:
            if not holds.endswith(OPTIONAL) and not any(_is_inside(path, one) for one in added):
                yield FieldChange(path, f"is new, and required ({holds})")
            added.append(path)


def _is_inside(path: str, other: str) -> bool:
    return path.startswith(tuple(f"{other}{mark}" for mark in ".[{("))


def _fits(before: str, now: str) -> bool:
    """Say whether a reader that is prepared for one thing is prepared for the other."""
    return now in {before, before.replace(OPTIONAL, ""), before.replace(NULL, ""), _plain(before)}


def _plain(held: str) -> str:
    return held.replace(OPTIONAL, "").replace(NULL, "")


def _fields(
    schema: JsonObject, path: str, flags: str, known: JsonObject, above: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Yield a field and those inside; `flags` say how it stands in what is around it, `above` which types it is in."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name:
        if name in above:
            yield path, f"{name} again{flags}"
            return
        schema, above = {**known[name], **{k: v for k, v in schema.items() if k != "$ref"}}, above | {name}
    arms = cast("list[JsonObject]", schema.get("anyOf", []))
    real = [arm for arm in arms if arm.get("type") != "null"]
    if arms and len(real) == 1:
        null = NULL if len(real) < len(arms) else ""
        yield from _fields(real[0], path, f"{null}{flags}", known, above)
        return
    yield path, f"{_held(schema, arms)}{flags}"
    required = schema.get("required", ())
    for key, inner in cast("Mapping[str, JsonObject]", schema.get("properties", {})).items():
        optional = "" if key in required else OPTIONAL
        yield from _fields(inner, f"{path}.{key}" if path else key, optional, known, above)
    for mark, inner in _inside(schema, real):
        yield from _fields(inner, f"{path}{mark}", "", known, above)


def _inside(schema: JsonObject, arms: list[JsonObject]) -> Iterator[tuple[str, JsonObject]]:
    """Yield the schemas in a list, a table or a union, with what is added to the path."""
    if isinstance(schema.get("items"), dict):
        yield "[]", schema["items"]
    if isinstance(schema.get("additionalProperties"), dict):
        yield "{}", schema["additionalProperties"]
    yield from ((f"[{number}]", inner) for number, inner in enumerate(schema.get("prefixItems", ())))
    # What an arm is called, and not where it stands: their order means nothing.
    yield from ((f"({_name(arm)})", arm) for arm in arms if "$ref" in arm)


def _held(schema: JsonObject, arms: list[JsonObject]) -> str:
    if arms:
        return " or ".join(sorted(_name(arm) for arm in arms))
    if "enum" in schema:
        return f"one of {listed(sorted(map(str, schema['enum'])), MOST_WORDS)}"
    kind = _NAMES.get(str(schema.get("type", "")), str(schema.get("type", "anything")))
    bounds = [f"{key} {_written(value)}" for key, value in sorted(schema.items()) if _bounds(key)]
    return f"{kind} ({', '.join(bounds)})" if bounds else kind


def _bounds(key: str) -> bool:
    return key not in _SAYS_NOTHING and key not in _STRUCTURE and key != "enum"


def _written(value: Any) -> str:
    return str(value)


def _name(arm: JsonObject) -> str:
    return str(arm.get("$ref", "")).rpartition("/")[2] or _held(arm, [])


_NAMES = {"string": "text", "array": "list"}
