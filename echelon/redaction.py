"""What must never be read by others is taken out of every text that is recorded or shown, in one place.

Texts are messages, summaries, logs, reports. Outputs and inputs are data: they stay what they were.
"""

import json
import os
import re
import time
from collections.abc import Collection, Iterator
from typing import NamedTuple, cast
from urllib.parse import unquote

from pydantic import BaseModel, SecretBytes, SecretStr

from echelon.model.edges import is_listing, is_mapping

REDACTED = "[secret]"

#: Shorter values are no secrets, and would be found everywhere; in characters.
SHORTEST_SECRET = 8

#: Names of environment variables that hold secrets.
_SECRET_NAME = re.compile(
    r"(API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|AUTH_?KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|AUTH_STRING)"
    r"(_ID|_VALUE)?$",
    re.IGNORECASE,
)

#: How long the environment may have changed without being read again, in seconds.
_REREAD_SECONDS = 2.0


class Shape(NamedTuple):
    """What a kind of secret looks like, whoever holds it."""

    hints: tuple[str, ...]
    """Only a text with one of these in it can hold one: looking for them takes a hundredth of the time."""
    pattern: re.Pattern[str]
    """The secret; what its group matches stays."""


#: How keys of the usual providers begin, with a dash or an underscore behind it.
_PREFIXES = (
    *("sk", "pk", "rk", "ghp", "gho", "ghu", "ghs", "ghr", "glpat", "hf", "npm", "pypi"),
    *("xoxa", "xoxb", "xoxe", "xoxp", "xoxr", "xoxs"),
)

_SHAPES = (
    Shape(
        tuple(f"{prefix}{sign}" for prefix in _PREFIXES for sign in "-_"),
        re.compile(rf"\b()(?:{'|'.join(_PREFIXES)})[-_][\w-]{{10,}}"),
    ),
    Shape(("AKIA", "ASIA"), re.compile(r"\b()(?:AKIA|ASIA)[0-9A-Z_-]{10,}")),
    Shape(("github_pat_",), re.compile(r"\b()github_pat_\w{10,}")),
    Shape(("AIza",), re.compile(r"\b()AIza[\w-]{30,}")),
    Shape(("eyJ",), re.compile(r"\b()eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{5,}")),
    Shape(
        ("-----BEGIN",),
        re.compile(r"()-----BEGIN[ A-Z]*PRIVATE KEY-----[\s\S]*?(?:-----END[ A-Z]*PRIVATE KEY-----|\Z)"),
    ),
    Shape(("earer", "EARER", "asic ", "ASIC "), re.compile(r"(\b(?:Bearer|Basic)\s+)[\w.~+/-]{8,}=*", re.IGNORECASE)),
    Shape(("://",), re.compile(r"(://[^\s/:@'\"]*:)(?!\*+@)[^\s/@'\"]+(?=@)")),
    Shape(
        ("?", "&", ";"),
        re.compile(
            r"([?&;](?:password|passwd|pwd|token|access_token|api_?key|secret|signature|sig)=)[^&;\s'\"]+",
            re.IGNORECASE,
        ),
    ),
)

#: Most texts have none of the hints: one look tells that.
_ANY_HINT = re.compile("|".join(re.escape(hint) for shape in _SHAPES for hint in shape.hints))

#: Where a URL has its password, for settings and variables whose whole value is one.
_URL_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@]*:([^\s/@]+)@", re.IGNORECASE)


def redact(text: str, model: object = None) -> str:
    """Return `text` without secrets: known ones, those of the environment, and what looks like one.

    `model` is one whose keys are known through its clients.
    """
    for secret in _KNOWN.values():
        text = text.replace(secret, REDACTED)
    for key in () if model is None else set(_keys_of(model)):
        text = text.replace(key, REDACTED)
    for shape in _SHAPES if _ANY_HINT.search(text) else ():
        if any(hint in text for hint in shape.hints):
            text = shape.pattern.sub(rf"\1{REDACTED}", text)
    return text


def shows_secret(text: str) -> bool:
    """Say whether a text shows something that is known, or looks, like a secret."""
    return redact(text) != text


def register_secret(value: str) -> None:
    """Let a value be taken out of every text of this process from now on."""
    _KNOWN.add(value)
    register_password(value)


def register_password(url: str) -> None:
    """Let the password in a URL, if there is one, be taken out of every text of this process from now on."""
    if found := _URL_PASSWORD.search(url):
        _KNOWN.add(found[1])
        _KNOWN.add(unquote(found[1]))


def secrets_in(value: object) -> Iterator[SecretStr | SecretBytes]:
    """Yield every value that pydantic knows to be secret, in a model or in anything that is made of some."""
    if isinstance(value, SecretStr | SecretBytes):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secrets_in(getattr(value, name, None))
    elif is_mapping(value):
        for one in value.values():
            yield from secrets_in(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in cast("Collection[object]", value):
            yield from secrets_in(one)


def register_secrets_in(values: object) -> None:
    """Let every secret in a value be taken out of every text of this process from now on."""
    for one in secrets_in(values):
        secret = one.get_secret_value()
        register_secret(secret if isinstance(secret, str) else secret.decode(errors="replace"))


def reread_environment() -> None:
    """Let the next text be cleaned of what the environment holds at that moment."""
    _KNOWN.reread()


class _Known:
    """Secrets by their values: registered ones, and those of the environment."""

    def __init__(self) -> None:
        self._registered: set[str] = set()
        self._values: tuple[str, ...] = ()
        self._until = 0.0

    def add(self, value: str) -> None:
        if len(value) >= SHORTEST_SECRET:
            self._registered.add(value)
            self._until = 0.0

    def reread(self) -> None:
        self._until = 0.0

    def values(self) -> tuple[str, ...]:
        """Return all of them, the longest first: one may be part of another."""
        now = time.monotonic()
        if now >= self._until:
            known = {*self._registered, *_in_environment()}
            self._values = tuple(sorted({form for value in known for form in _forms(value)}, key=len, reverse=True))
            self._until = now + _REREAD_SECONDS
        return self._values


_KNOWN = _Known()


def _forms(value: str) -> tuple[str, ...]:
    """Return a secret as it is, and as it stands in a text of JSON: what is told to models, and what they answer."""
    return value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]


def _in_environment() -> Iterator[str]:
    for name, value in list(os.environ.items()):
        if _SECRET_NAME.search(name):
            secret = value
        else:
            in_url = _URL_PASSWORD.search(value)
            secret = in_url[1] if in_url else ""
        if len(secret) >= SHORTEST_SECRET:
            yield secret


def _keys_of(model: object) -> Iterator[str]:
    """Yield the keys that the clients of a model hold, behind fallbacks and wrappers too."""
    inner = getattr(model, "models", None) or getattr(model, "wrapped", None) or ()
    for one in inner if is_listing(inner) else (inner,):
        yield from _keys_of(one)
    key = getattr(getattr(model, "client", None), "api_key", None)
    if isinstance(key, str) and len(key) >= SHORTEST_SECRET:
        yield key
