"""A message is posted to an address. Redirects to another host are refused: the message holds a token."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import version

import httpx

from echelon.engine.notify.variables import secret_of
from echelon.model.errors import NotDelivered
from echelon.model.oversight.channel import WebhookChannel
from echelon.oversight.notify.message import PersonMessage, clean
from echelon.oversight.notify.shapes import SHAPES

MAX_REDIRECTS = 3

#: Of the answer of a receiver that refuses, in bytes: enough to say why.
ANSWER_BYTES = 1_000

#: Redirects that are followed: those by which a POST stays one.
_FOLLOWED = (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT)
#: Refusals that may pass; so may all from 500 on.
_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


async def post(channel: WebhookChannel, message: PersonMessage) -> None:
    """Post a message; raise `NotDelivered` unless the receiver answers that it has it."""
    url = _address(channel.url or secret_of(channel.url_env))
    headers = {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"echelon/{version('echelon')}",
        "idempotency-key": message.key,
        **{header: secret_of(name) for header, name in channel.headers_env.items()},
    }
    body = json.dumps(SHAPES[channel.shape](message)).encode()
    try:
        async with httpx.AsyncClient(timeout=channel.timeout_seconds) as client:
            await _post(client, url, body, headers)
    except httpx.TimeoutException as error:
        raise NotDelivered(f"{url.host} did not answer within {channel.timeout_seconds:g} s") from error
    except (httpx.HTTPError, OSError) as error:
        raise NotDelivered(f"{url.host} cannot be reached: {clean(str(error)) or type(error).__name__}") from error
    except (httpx.InvalidURL, ValueError) as error:  # also headers that cannot be sent
        raise NotDelivered(f"it cannot be sent: {clean(str(error))}", passing=False) from error


async def _post(client: httpx.AsyncClient, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> None:
    for _ in range(1 + MAX_REDIRECTS):
        async with client.stream("POST", url, content=body, headers=headers) as response:
            if response.is_success:
                return
            if not response.is_redirect:
                raise await _refusal(response)
            url = _redirected(url, response)
    raise NotDelivered(f"{url.host} redirects more than {MAX_REDIRECTS} times; give the last address", passing=False)


def _redirected(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    """Return where a receiver is now, on the same host; anything else is refused."""
    target = url.join(response.headers["location"])
    if response.status_code not in _FOLLOWED:
        why = f"with HTTP status {response.status_code}, which makes no POST of it"
    elif (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
        why = f"to another host, {clean(target.host)}, and the message holds a token"
    else:
        return target
    raise NotDelivered(f"{url.host} redirects {why}; nothing was sent there: give the last address", passing=False)


async def _refusal(response: httpx.Response) -> NotDelivered:
    status, said = response.status_code, await _beginning(response)
    return NotDelivered(
        f"{response.url.host} answered with HTTP status {status}{f': {said}' if said else ''}",
        passing=status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        headers=dict(response.headers),
    )


async def _beginning(response: httpx.Response) -> str:
    """Return the beginning of an answer; the rest is not read, however much it is."""
    read = b""
    async for chunk in response.aiter_raw(ANSWER_BYTES):
        read += chunk
        break
    return clean(read[:ANSWER_BYTES].decode(errors="replace"))


def _address(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise NotDelivered("its variable holds no address that begins with http:// or https://", passing=False)
    return url
