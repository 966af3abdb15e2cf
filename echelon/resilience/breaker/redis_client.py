"""The connection to a Redis server: quick to give up, and silent about passwords (F1)."""

import importlib
from typing import Any

from echelon.model.errors import InvalidInput

ANSWER_SECONDS = 0.25  # that Redis has for an answer


def client_of(url: str, *, answer_seconds: float = ANSWER_SECONDS) -> Any:
    """Return a client of the server at `url`; `InvalidInput` when that is no address, or redis is not installed."""
    once = _library("redis.retry").Retry(_library("redis.backoff").NoBackoff(), 0)
    try:
        return _library("redis").Redis.from_url(
            url, socket_timeout=answer_seconds, socket_connect_timeout=answer_seconds, retry=once
        )
    except ValueError:  # not passed on: it may quote the URL, and with it a password
        raise InvalidInput("redis_url is not the address of a Redis server: write redis://host:port/db") from None


def away_errors() -> tuple[type[Exception], ...]:
    """Return the errors that say that Redis did not do what it was asked for."""
    return (_library("redis").RedisError, OSError)


def address_of(client: Any) -> str:
    """Say where a client connects to, without user and password."""
    where = client.connection_pool.connection_kwargs
    if "path" in where:
        return str(where["path"])
    return f"{where.get('host', 'localhost')}:{where.get('port', 6379)}/{where.get('db', 0)}"


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InvalidInput("redis_url is set, but redis is not installed: pip install 'echelon[redis]'") from error
