"""Keep secrets out of what is recorded: providers repeat keys in errors, and errors end up in journal and report."""

import os
import re
from collections.abc import Iterator

from echelon.model.edges import is_listing

REDACTED = "[secret]"

#: Names of environment variables that hold secrets.
_SECRET_NAME = re.compile(r"(API_?KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)

#: Shorter values are no secrets, and would be found everywhere; in characters.
SHORTEST_SECRET = 8

#: What keys of the usual providers look like, whoever holds them.
_KEY_SHAPED = re.compile(r"(?:\b(?:sk|pk|rk|ghp|gho|xox[abp]|AKIA)[-_][\w-]{10,}|\bBearer\s+[\w.~+/-]{8,}=*)")


def redacted(text: str, model: object = None) -> str:
    """Return `text` without the keys of the model's clients, secrets of the environment, and what looks like a key."""
    for secret in {*_keys_of(model), *_in_environment()}:
        text = text.replace(secret, REDACTED)
    return _KEY_SHAPED.sub(REDACTED, text)


def _keys_of(model: object) -> Iterator[str]:
    """Yield the keys that the clients of a model hold, behind fallbacks and wrappers too."""
    inner = getattr(model, "models", None) or getattr(model, "wrapped", None) or ()
    for one in inner if is_listing(inner) else (inner,):
        yield from _keys_of(one)
    key = getattr(getattr(model, "client", None), "api_key", None)
    if isinstance(key, str) and len(key) >= SHORTEST_SECRET:
        yield key


def _in_environment() -> Iterator[str]:
    return (value for name, value in os.environ.items() if _SECRET_NAME.search(name) and len(value) >= SHORTEST_SECRET)
