"""Identity of a step: the same key means the same work on the same inputs, in this run or after a crash (F8). Pure."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from echelon.journal.digest import digest_of
from echelon.model.run import StepKind


def step_key(
    *, job: str, phase: str, node: str, kind: StepKind, contract: str, inputs_digest: str, upstream_digest: str
) -> str:
    """Return the identity of a step: job, contract, phase, who does it, and everything it is given."""
    return digest_of((job, phase, node, kind.value, contract, inputs_digest, upstream_digest))


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
