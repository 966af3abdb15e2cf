"""What the callee asks for when it refuses a call: may one come back at all, and after what time (F3).

Pure decisions. Read from what an error carries, so that no client library is imported here. A value that makes no sense
is no value; only gRPC's pushback says by it that nobody should come back.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from echelon.model.edges import Foreign

#: A server that asks for more patience than this is not waited for at all, in seconds.
LONGEST_RETRY_AFTER_SECONDS = 120.0

_PUSHBACK = "grpc-retry-pushback-ms"

_SHOULD_RETRY = {"true": True, "false": False}


def links(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was explicitly raised from, each once."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def retry_after_seconds(error: BaseException, now: datetime, *, wrapped: bool = True) -> float | None:
    """Return for how long the callee asked to be left alone, in seconds; None when it did not say so.

    Read from an attribute `retry_after` in seconds, else from the headers `grpc-retry-pushback-ms`, `retry-after-ms`
    and `retry-after` (seconds or an HTTP date), of the error or, unless `wrapped` is false, of what it wraps.
    """
    for link in links(error) if wrapped else (error,):
        for seconds in _asked_for(link, now):
            if seconds is not None and seconds >= 0:
                return seconds
    return None


def wants_another(error: BaseException) -> bool | None:
    """Say whether the callee itself asked for another attempt, or for none; None when it left that open.

    Read from the header `x-should-retry` of one error, and from a `grpc-retry-pushback-ms` that is negative or no
    number. What the error wraps is not looked at.
    """
    headers = headers_of(error)
    if _PUSHBACK in headers:
        pushback = _number(headers[_PUSHBACK])
        return None if pushback is not None and pushback >= 0 else False
    return _SHOULD_RETRY.get(str(headers.get("x-should-retry")).strip().lower())


def _asked_for(error: BaseException, now: datetime) -> Iterator[float | None]:
    yield _number(getattr(error, "retry_after", None))
    headers = headers_of(error)
    for name in (_PUSHBACK, "retry-after-ms"):
        milliseconds = _number(headers.get(name))
        yield None if milliseconds is None else milliseconds / 1000
    yield _number(headers.get("retry-after"))
    yield _until(headers.get("retry-after"), now)


def headers_of(error: BaseException) -> Mapping[str, object]:
    """Return the headers of the answer that an error carries, by their names in lower case; empty without any."""
    try:
        found: Foreign = (
            getattr(getattr(error, "response", None), "headers", None) or getattr(error, "headers", None) or {}
        )
        return {str(name).lower(): value for name, value in found.items()}
    except Exception:  # noqa: BLE001 - a broken header must never hide the error it came with
        return {}


def _number(value: object) -> float | None:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    if "_" in text:  # 1_000 is Python, not HTTP
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _until(value: object, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(str(value))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (aware - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None
