"""What an error means for the guard: can it pass, does it blame the dependency, when may one ask again (F1, F3).

Pure decisions. Foreign errors are recognised by what they carry, so that no client library is imported here.
"""

import errno
import math
import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from echelon.model.errors import BreakerOpen, ContractViolation, EchelonError, InfrastructureError

#: A server that asks for more patience than this is not waited for at all, in seconds.
LONGEST_RETRY_AFTER_SECONDS = 120.0

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

#: Errors that no wait mends although their status (429) looks like it.
_HOPELESS_NAMES = frozenset({("pydantic_ai", "ModelQuotaExceededError")})


def can_pass(error: BaseException) -> bool:
    """Say whether the same call can succeed when it is simply made again later (F3).

    Our own errors know it themselves; an HTTP status decides where there is one; a group passes when all of it does;
    an error that wraps another with `raise ... from` is as passing as what it wraps.
    """
    if not isinstance(error, Exception):
        return False
    verdicts = (_passes(link) for link in _links(error))
    return next((verdict for verdict in verdicts if verdict is not None), False)


def blames_dependency(error: Exception) -> bool:
    """Say whether an error counts against the dependency that was called (F1).

    An agent that says it cannot, or a budget that is used up, say nothing about the dependency; a refused request
    (4xx) proves that it is there. An output that breaks its contract counts, as does whatever we cannot explain.
    """
    if isinstance(error, BreakerOpen):
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


def retry_after_seconds(error: BaseException, now: datetime) -> float | None:
    """Return for how long the callee asked to be left alone, in seconds; None when it did not say so.

    Read from an attribute `retry_after` in seconds, else from the headers `retry-after-ms` and `retry-after` (seconds
    or an HTTP date), of the error or of what it wraps. A value that makes no sense is no value.
    """
    for link in _links(error):
        for seconds in _asked_for(link, now):
            if seconds is not None and math.isfinite(seconds) and seconds >= 0:
                return seconds
    return None


def _asked_for(error: BaseException, now: datetime) -> Iterator[float | None]:
    yield _number(getattr(error, "retry_after", None))
    headers = _headers(error)
    milliseconds = _number(headers.get("retry-after-ms"))
    yield None if milliseconds is None else milliseconds / 1000
    yield _number(headers.get("retry-after"))
    yield _until(headers.get("retry-after"), now)


def _headers(error: BaseException) -> Mapping[str, Any]:
    found = getattr(getattr(error, "response", None), "headers", None) or getattr(error, "headers", None) or {}
    try:
        return {str(name).lower(): value for name, value in found.items()}
    except Exception:  # noqa: BLE001 - a broken header must never hide the error it came with
        return {}


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _until(value: Any, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(str(value))
    except (TypeError, ValueError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def _status_passes(status: int) -> bool:
    return status in _PASSING_STATUSES or 500 <= status < 600


def _passes(error: BaseException) -> bool | None:
    """Judge one error without what it wraps; None when it says nothing."""
    if isinstance(error, EchelonError):
        return error.passing
    if isinstance(error, BaseExceptionGroup):
        return all(map(can_pass, error.exceptions))
    if _is_named(error, _HOPELESS_NAMES):
        return False
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


def _links(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was explicitly raised from, each once."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__
