"""The name of a contract: the same type always has the same one, a changed type another (C7). Pure."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter


def contract_name(output_type: Any) -> str:
    """Name a contract, with a digest of its schema so that a changed contract is another one (C7)."""
    try:
        return _contract_name(output_type)
    except TypeError:  # an unhashable annotation
        return _contract_name.__wrapped__(output_type)


@lru_cache(maxsize=256)
def _contract_name(output_type: Any) -> str:
    schema = TypeAdapter(output_type).json_schema(mode="serialization")
    name = getattr(output_type, "__name__", None) or str(output_type)
    return f"{name}@{hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:12]}"
