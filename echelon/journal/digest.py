"""The digest of a value: equal values have equal digests, in every process and on every day. Pure."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, cast

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_jsonable_python

from echelon.model.errors import InvalidInput


def canonical_json(value: object) -> bytes:
    """Return `value` as JSON with sorted keys and no spaces; raise `InvalidInput` when it has no such form."""
    try:
        plain = to_jsonable_python(_with_sets_in_order(value))
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    except (PydanticSerializationError, ValueError, TypeError) as error:
        raise InvalidInput(
            f"the value cannot be written as JSON ({error}); use models, text, numbers, lists, dicts"
        ) from error


def digest_of(inputs: object) -> str:
    """Return the sha256 of the canonical JSON of `inputs`, in hex: the identity of inputs between runs (F8)."""
    return hashlib.sha256(canonical_json(inputs)).hexdigest()


def _with_sets_in_order(value: object) -> object:
    """Replace sets by sorted lists: their own order differs from process to process."""
    if isinstance(value, BaseModel):
        return _with_sets_in_order(value.model_dump())
    if isinstance(value, set | frozenset):
        return sorted((_with_sets_in_order(member) for member in cast("Iterable[object]", value)), key=canonical_json)
    if isinstance(value, dict):
        members = cast("dict[Any, Any]", value)
        if len(to_jsonable_python(dict.fromkeys(members))) < len(members):
            raise ValueError("several keys of a dictionary are one and the same text in JSON")
        return {key: _with_sets_in_order(member) for key, member in members.items()}
    if isinstance(value, list | tuple):
        return [_with_sets_in_order(member) for member in cast("Iterable[object]", value)]
    return value
