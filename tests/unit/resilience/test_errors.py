"""What an error means: may it pass, whom does it blame, when may one ask again."""

import asyncio
import errno
import socket
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import openai
import pytest
from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError, ModelQuotaExceededError, ModelRequestTimeout

from echelon.model.errors import (
    AgentFailed,
    AgentTimeout,
    BreakerOpen,
    BudgetExhausted,
    ContractViolation,
    DependencyFailed,
    InvalidInput,
    JournalError,
)
from echelon.resilience.errors import blames_dependency, can_pass, retry_after_seconds, status_of

REQUEST = httpx.Request("GET", "http://127.0.0.1/")
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def answered(status: int, headers: dict[str, str] | None = None) -> httpx.HTTPStatusError:
    response = httpx.Response(status, headers=headers, request=REQUEST)
    return httpx.HTTPStatusError(f"status {status}", request=REQUEST, response=response)


def wrapped(outer: Exception, inner: BaseException) -> Exception:
    outer.__cause__ = inner
    return outer


def failed_while_handling(outer: Exception, inner: Exception) -> Exception:
    outer.__context__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        # ours know it themselves
        (AgentTimeout(3), True),
        (AgentFailed("no", passing=True), True),
        (AgentFailed("no"), False),
        (DependencyFailed("no", passing=True), True),
        (DependencyFailed("no"), False),
        (ContractViolation("no"), False),
        (BudgetExhausted("tokens", 5, 1, "job"), False),
        (BreakerOpen("provider", "5 failures in a row", 3), False),
        (InvalidInput("no"), False),
        # even when they wrap something that passes
        (wrapped(AgentFailed("no"), ConnectionError()), False),
        # the network
        (TimeoutError(), True),
        (ConnectionError(), True),
        (ConnectionResetError(), True),
        (BrokenPipeError(), True),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), True),
        (OSError(errno.ENETUNREACH, "unreachable"), True),
        (httpx.ConnectError("refused"), True),
        (httpx.ReadTimeout("slow"), True),
        (httpx.RemoteProtocolError("cut off"), True),
        (openai.APIConnectionError(request=REQUEST), True),
        (openai.APITimeoutError(request=REQUEST), True),
        # what no repetition mends
        (httpx.UnsupportedProtocol("ftp"), False),
        (httpx.LocalProtocolError("bad header"), False),
        (FileNotFoundError(errno.ENOENT, "gone"), False),
        (PermissionError(errno.EACCES, "no"), False),
        (ValueError("bad"), False),
        (KeyError("bad"), False),
        (ZeroDivisionError(), False),
        # statuses
        *[(answered(status), True) for status in (408, 409, 429, 500, 502, 503, 504, 529)],
        *[(answered(status), False) for status in (400, 401, 403, 404, 413, 422)],
        (ModelHTTPError(429, "m"), True),
        (ModelConnectionError("m", "refused"), True),
        (ModelRequestTimeout("m", 3), True),
        (ModelQuotaExceededError("m", "no credit left"), False),
        (ModelHTTPError(400, "m", body={"code": "context_length_exceeded"}), False),
        (openai.RateLimitError("slow down", response=httpx.Response(429, request=REQUEST), body=None), True),
        # wrapped with `raise ... from`
        (wrapped(RuntimeError("could not read"), ConnectionError()), True),
        (wrapped(RuntimeError("could not read"), answered(400)), False),
        (wrapped(RuntimeError("could not read"), ValueError()), False),
        (failed_while_handling(ValueError("a bug in the handler"), ConnectionError()), False),
        # groups pass when all of it does
        (ExceptionGroup("two", [TimeoutError(), ConnectionError()]), True),
        (ExceptionGroup("two", [TimeoutError(), ValueError()]), False),
        # never a signal
        (asyncio.CancelledError(), False),
        (KeyboardInterrupt(), False),
    ],
    ids=repr,
)
def test_only_errors_that_can_pass_are_worth_another_call(error: BaseException, passes: bool) -> None:
    assert can_pass(error) is passes


def test_an_error_that_is_its_own_cause_is_judged_once() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first

    assert can_pass(first) is False


@pytest.mark.parametrize(
    ("error", "blames"),
    [
        (AgentTimeout(3), True),
        (AgentFailed("provider is down", passing=True), True),
        (JournalError("disk"), True),
        (ConnectionError(), True),
        (RuntimeError("unexplained"), True),
        (answered(503), True),
        (answered(429), True),
        (answered(404), False),  # refused: so it is there
        (AgentFailed("the file cannot be parsed"), False),
        (ContractViolation("no severity"), True),
        (DependencyFailed("401"), True),
        (BudgetExhausted("calls", 1, 0, "job"), False),
        (BreakerOpen("other", "down", 3), False),
        (InvalidInput("no"), False),
    ],
    ids=repr,
)
def test_only_errors_that_blame_the_dependency_count_against_it(error: Exception, blames: bool) -> None:
    assert blames_dependency(error) is blames


@pytest.mark.parametrize(
    ("error", "status"),
    [(answered(503), 503), (ModelHTTPError(429, "m"), 429), (ValueError(), None)],
    ids=repr,
)
def test_a_status_is_read_from_the_error_or_its_response(error: Exception, status: int | None) -> None:
    assert status_of(error) == status


class WithAttribute(Exception):
    def __init__(self, retry_after: object) -> None:
        self.retry_after = retry_after


class WithHeaders(Exception):
    def __init__(self, headers: object) -> None:
        self.headers = headers


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (WithAttribute(2.5), 2.5),
        (WithAttribute("7"), 7.0),
        (answered(429, {"retry-after": "3"}), 3.0),
        (answered(429, {"Retry-After": "0.25"}), 0.25),
        (answered(429, {"retry-after-ms": "1500", "retry-after": "9"}), 1.5),
        (answered(503, {"retry-after": format_datetime(NOW.replace(second=20), usegmt=True)}), 20.0),
        (answered(503, {"retry-after": format_datetime(NOW.replace(hour=11), usegmt=True)}), 0.0),  # past
        (answered(503, {"retry-after": "Sun, 01 Mar 2026 12:00:30"}), 30.0),  # no zone: UTC
        (WithHeaders({"Retry-After": "4"}), 4.0),
        (wrapped(RuntimeError("outer"), answered(429, {"retry-after": "5"})), 5.0),
        # values that make no sense are no values
        (answered(429, {"retry-after": "soon"}), None),
        (answered(429, {"retry-after": "-3"}), None),
        (answered(429, {"retry-after": "nan"}), None),
        (answered(429, {"retry-after": "inf"}), None),
        (WithAttribute([1]), None),
        (WithHeaders(42), None),
        (ValueError(), None),
    ],
    ids=repr,
)
def test_the_wait_a_callee_asks_for_is_read_in_all_its_forms(error: Exception, seconds: float | None) -> None:
    assert retry_after_seconds(error, NOW) == seconds
