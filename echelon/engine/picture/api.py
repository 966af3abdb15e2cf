"""A connection to Prefect's API. Requests are plain JSON: a server of our own is asked without Prefect's client.

Measured: Prefect's client takes 1.4 s of processor time to import, httpx 0.15 s. Only a server that somebody else runs
is asked through it, since it alone knows of API keys, headers, CSRF tokens and certificates in the user's profile.
"""

import contextlib
import http
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple

import httpx

#: How long one request may take, in seconds; a server that boots answers the first one late.
REQUEST_SECONDS = 60.0

#: A server of ours enters a state at this time instead of its own (`server/process.py`); others pay no heed to it.
AT_HEADER = "x-echelon-at"

#: Answers by which a server says that it does not know who asks.
_UNKNOWN = frozenset({401, 403})

_CREDENTIALS = "PREFECT_API_AUTH_STRING or PREFECT_API_KEY must say what that server asks for"

#: Answers after which the same request may pass later; for some, with the credentials that another process has.
_LATER = frozenset({*_UNKNOWN, 408, 425, 429})

Send = Callable[[str, str, object, dict[str, str]], Awaitable[httpx.Response]]
"""Sends a request: method, path, JSON, headers."""


class Unreachable(Exception):
    """The server does not answer, or cannot at the moment."""


class Refused(Exception):
    """The server does not accept a request, and would not a second time."""


class ApiAnswer(NamedTuple):
    """What a server answered."""

    status: int
    """HTTP status."""
    body: Any
    """The JSON; None when there was none."""

    @property
    def is_new(self) -> bool:
        """Was something created, and not found?"""
        return self.status == http.HTTPStatus.CREATED


class Api:
    """Prefect's API."""

    def __init__(self, send: Send) -> None:
        self._send = send

    @classmethod
    def through(cls, client: Any) -> "Api":
        """Return the API that Prefect's own client is connected to, with everything which that knows of it."""

        async def send(method: str, path: str, body: object, headers: dict[str, str]) -> httpx.Response:
            return await client.request(method, path, json=body, headers=headers)

        return cls(send)

    async def post(self, path: str, body: object, at: datetime | None = None) -> ApiAnswer:
        """Ask for something to be done; `at` is when it happened. Raises `Unreachable` or `Refused`."""
        return await self._ask("POST", path, body, {} if at is None else {AT_HEADER: at.isoformat()})

    async def get(self, path: str) -> ApiAnswer:
        """Read something; the status of the answer is 404 when it is not there."""
        return await self._ask("GET", path, None, {})

    async def delete(self, path: str) -> ApiAnswer:
        """Take something back. Raises `Unreachable` or `Refused`."""
        return await self._ask("DELETE", path, None, {})

    async def _ask(self, method: str, path: str, body: object, headers: dict[str, str]) -> ApiAnswer:
        try:
            response = await self._send(method, path, body, headers)
        except httpx.HTTPStatusError as error:  # Prefect's client raises where httpx answers
            response = error.response
        except (httpx.TransportError, OSError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        status = response.status_code
        if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
            told = f"{method} {path} was answered with HTTP status {status}"
            raise Unreachable(f"{told}; {_CREDENTIALS}" if status in _UNKNOWN else told)
        if status >= http.HTTPStatus.BAD_REQUEST and not (method == "GET" and status == http.HTTPStatus.NOT_FOUND):
            raise Refused(f"{method} {path} was answered with HTTP status {status}: {response.text[:500]}")
        return ApiAnswer(status, response.json() if response.content else None)


@contextlib.asynccontextmanager
async def open_own(url: str, credentials: tuple[str, str]) -> AsyncGenerator[Api]:
    """Give the API of a server of ours, which asks for the credentials of its home and no more."""
    # Answers are small and come from the same machine: compressing them costs more than it saves.
    headers = {"accept-encoding": "identity"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, auth=credentials, timeout=REQUEST_SECONDS, trust_env=False
    ) as client:

        async def send(method: str, path: str, body: object, headers: dict[str, str]) -> httpx.Response:
            return await client.request(method, path, json=body, headers=headers)

        yield Api(send)


@contextlib.asynccontextmanager
async def open_configured(url: str) -> AsyncGenerator[Api]:
    """Give the API of a server that somebody else runs, with what Prefect's settings say about it."""
    os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "2")  # whoever draws tries again, and knows for how long
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    async with contextlib.AsyncExitStack() as stack:
        with temporary_settings(updates={PREFECT_API_URL: url}):
            client = get_client()
        try:
            await stack.enter_async_context(client)
        except (httpx.HTTPError, OSError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        yield Api.through(client)
