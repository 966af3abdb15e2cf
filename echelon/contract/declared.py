"""The words that a contract declares: its enumerations and literals (C3). Pure."""

from collections.abc import Iterator
from typing import Any

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
