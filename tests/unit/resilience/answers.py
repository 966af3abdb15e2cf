"""Errors as clients raise them: with the answer of a server, or wrapped in another one."""

import httpx

REQUEST = httpx.Request("GET", "http://127.0.0.1/")


def answered(status: int, headers: dict[str, str] | None = None) -> httpx.HTTPStatusError:
    response = httpx.Response(status, headers=headers, request=REQUEST)
    return httpx.HTTPStatusError(f"status {status}", request=REQUEST, response=response)


def wrapped(outer: Exception, inner: BaseException) -> Exception:
    outer.__cause__ = inner
    return outer
