"""What an error means for the guard: can it pass, does it blame the dependency (F1, F3).

Pure decisions. Foreign errors are recognised by what they carry, so that no client library is imported here.
"""

import errno
import socket
from collections.abc import Iterator
from typing import cast

from echelon.model.edges import is_mapping
from echelon.model.errors import (
    BreakerOpen,
    BulkheadFull,
    ContractViolation,
    EchelonError,
    InfrastructureError,
    JournalError,
    NotAccepted,
    QuotaExhausted,
)
from echelon.resilience.pushback import links, wants_another

_PASSING_STATUSES = frozenset({408, 409, 429})

_PASSING_CLASSES = (TimeoutError, ConnectionError, socket.gaierror)

_PASSING_ERRNOS = frozenset({errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH})

#: Errors of libraries that may not be installed, as (top package, class).
_PASSING_NAMES = frozenset({
    ("aiohttp", "ClientConnectionError"),
    ("aiohttp", "ClientPayloadError"),
    ("anthropic", "APIConnectionError"),
    ("httpx", "NetworkError"),
    ("httpx", "ProxyError"),
    ("httpx", "RemoteProtocolError"),
    ("httpx", "TimeoutException"),
    ("openai", "APIConnectionError"),
    ("pydantic_ai", "ModelConnectionError"),
    ("pydantic_ai", "ModelRateLimitError"),
    ("pydantic_ai", "ModelRequestTimeout"),
    ("pydantic_ai", "ModelServerError"),
    ("pydantic_ai", "ModelUnavailableError"),
    ("requests", "ConnectionError"),
    ("requests", "Timeout"),
})  # fmt: skip

#: Errors that waiting does not fix although their status (429) looks like it.
_HOPELESS_NAMES = frozenset({("pydantic_ai", "ModelQuotaExceededError")})

#: Codes and types with which providers refuse what will never fit or never be paid, whatever the status.
_HOPELESS_CODES = frozenset({
    "billing_hard_limit_reached",
    "context_length_exceeded",
    "exceed_context_size_error",
    "insufficient_quota",
    "request_too_large",
    "string_above_max_length",
})  # fmt: skip

#: What they write when they have no code for a request that is longer than the model's context.
_HOPELESS_WORDS = ("context length", "context window", "context size", "prompt is too long", "input is too long")


def first_cause(error: BaseException) -> BaseException:
    """Return what went wrong first where things went wrong side by side."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    return first_cause(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])


def can_pass(error: BaseException) -> bool:
    """Say whether the same call can succeed when it is simply made again later (F3).

    Our own errors know it themselves; what is too long for a model never passes; then the callee's own wish decides,
    then an HTTP status; a group passes when all of it does; an error that wraps another with `raise ... from` is as
    passing as what it wraps.
    """
    if not isinstance(error, Exception):
        return False
    chain = tuple(_speaking(error))
    for judge in (refused_for_good, wants_another, _passes):
        verdict = next((verdict for link in chain if (verdict := judge(link)) is not None), None)
        if verdict is not None:
            return verdict
    return False


def blames_dependency(error: Exception) -> bool:
    """Say whether an error counts against the dependency that was called (F1).

    An agent that says it cannot, a result that a check rejects, a budget or a quota that is used up, or a journal that
    fails, say nothing about it; a refused request (4xx) proves that it is there. An output that breaks its contract
    counts, as does whatever we cannot explain.
    """
    if isinstance(error, BreakerOpen | BulkheadFull | JournalError | QuotaExhausted | NotAccepted):
        return False
    if isinstance(error, EchelonError):
        return error.passing or isinstance(error, InfrastructureError | ContractViolation)
    status = status_of(error)
    return True if status is None else _status_passes(status)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an error carries, itself or in its `response`; None when there is none."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None


def _status_passes(status: int) -> bool:
    return status in _PASSING_STATUSES or 500 <= status < 600


def _passes(error: BaseException) -> bool | None:
    """Judge one error without what it wraps; None when it says nothing."""
    if isinstance(error, EchelonError):
        return error.passing
    if isinstance(error, BaseExceptionGroup):
        return all(map(can_pass, cast("BaseExceptionGroup[BaseException]", error).exceptions))
    status = status_of(error)
    if status is not None:
        return _status_passes(status)
    return True if _is_passing_kind(error) else None


def _is_passing_kind(error: BaseException) -> bool:
    if isinstance(error, _PASSING_CLASSES):
        return True
    if isinstance(error, OSError) and error.errno in _PASSING_ERRNOS:
        return True
    return _is_named(error, _PASSING_NAMES)


def _is_named(error: BaseException, names: frozenset[tuple[str, str]]) -> bool:
    return any((kind.__module__.partition(".")[0], kind.__name__) in names for kind in type(error).__mro__)


def _speaking(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it wraps, down to the first of our own: it has judged what is behind it."""
    for link in links(error):
        yield link
        if isinstance(link, EchelonError):
            return


def refused_for_good(error: BaseException) -> bool | None:
    """Say False of an error that waiting does not fix although its status may look like it; None of all others."""
    if _is_named(error, _HOPELESS_NAMES):
        return False
    status = status_of(error)
    if status is None:
        return None
    said = str(error).lower()
    hopeless = not _HOPELESS_CODES.isdisjoint(_codes(error)) or any(words in said for words in _HOPELESS_WORDS)
    return False if hopeless else None


def _codes(error: BaseException) -> Iterator[str]:
    """Yield the codes and types in which a provider says what is wrong, of the error and of the body it came with."""
    body = getattr(error, "body", None)
    inner = body.get("error") if is_mapping(body) else None
    for holder in (vars(error), body, inner):
        if is_mapping(holder):
            yield from (str(holder.get(name)) for name in ("code", "type"))
