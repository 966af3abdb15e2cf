"""What a contract says beside its types: the words it declares, and what it asks of them (C3, C5). Pure."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from echelon.model.edges import OutputType, is_listing, is_object


def vocabularies_in(output_type: OutputType) -> dict[str, tuple[str, ...]]:
    """Return the words that a type allows, by what its schema calls them; empty for one without a schema.

    A single word is no vocabulary: it only tells the members of a union apart.
    """
    try:
        schema = TypeAdapter[Any](output_type).json_schema(mode="serialization")
    except PydanticUserError:  # it is refused where it is bound, with its agent
        return {}
    return dict(_vocabularies(schema, ""))


def _vocabularies(schema: object, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if is_object(schema):
        words: object = schema.get("enum")
        texts = tuple(word for word in words if isinstance(word, str)) if is_listing(words) else ()
        if len(texts) > 1:
            yield str(schema.get("title") or name), texts
        for key, inner in schema.items():
            yield from _vocabularies(inner, key)
    elif is_listing(schema):
        for inner in schema:
            yield from _vocabularies(inner, name)


#: What bounds a value in the schema of pydantic.
_BOUNDS = frozenset({"gt", "ge", "lt", "le", "min_length", "max_length", "pattern", "multiple_of"})
#: Parts of such a schema that say nothing about values.
_APART = frozenset({"metadata", "serialization", "cls", "config", "fields"})
_ANYTHING = (Any, object)
_CONTAINERS = (dict, list, tuple, set, frozenset)


def criteria_in(output_type: OutputType) -> tuple[str, ...]:
    """Return what a type asks of a value beside being one: bounds, by their field, and validators of users (C5)."""
    try:
        schema = TypeAdapter[Any](output_type).core_schema
    except PydanticUserError:  # it is refused where it is bound, with its agent
        return ()
    return tuple(dict.fromkeys(_criteria(schema, "value")))


def _criteria(schema: object, name: str) -> Iterator[str]:
    if is_object(schema):
        if any(schema.get(bound) is not None for bound in _BOUNDS):
            yield name
        yield from _validator(schema.get("function"), name)
    for inner_name, inner in _inside(schema, name):
        yield from _criteria(inner, inner_name)


def _validator(function: object, name: str) -> Iterator[str]:
    """Yield the validator of a schema, unless pydantic itself put it there."""
    called = function.get("function") if is_object(function) else None
    if callable(called) and not (getattr(called, "__module__", None) or "").startswith("pydantic"):
        yield str(getattr(called, "__name__", name))


def _inside(schema: object, name: str) -> Iterator[tuple[str, object]]:
    """Yield the parts of a schema, those of a field under the name of the field."""
    if is_listing(schema):
        yield from ((name, inner) for inner in schema)
    if is_object(schema):
        fields: object = schema.get("fields")
        yield from fields.items() if is_object(fields) else ((name, fields),)
        yield from ((name, inner) for key, inner in schema.items() if key not in _APART)


def says_nothing(output_type: OutputType) -> bool:
    """Tell whether everything passes: `Any`, `object`, or a container of whatever."""
    if output_type in _ANYTHING:
        return True
    inner = [one for one in get_args(output_type) if one is not ...]
    container = get_origin(output_type) or output_type
    return container in _CONTAINERS and (not inner or says_nothing(inner[-1]))
