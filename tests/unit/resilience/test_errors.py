"""What an error means: may it pass, whom does it blame, when may one ask again."""

import asyncio
import errno
import socket

import httpx
import openai
import pytest
from pydantic_ai.exceptions import ModelConnectionError, ModelHTTPError, ModelQuotaExceededError, ModelRequestTimeout

from echelon.model.errors import (
    AgentFailed,
    AgentTimeout,
    BreakerOpen,
    BudgetExhausted,
    BulkheadFull,
    ContractViolation,
    DependencyFailed,
    InvalidInput,
    JournalError,
)
from echelon.resilience.errors import blames_dependency, can_pass, status_of
from tests.unit.resilience.answers import REQUEST, answered, wrapped


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
        # what no repetition fixes
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
        # the callee's own wish counts for more than the status, ours for more than the callee's
        (answered(429, {"x-should-retry": "false"}), False),
        (answered(400, {"x-should-retry": "true"}), True),
        (answered(503, {"grpc-retry-pushback-ms": "-1"}), False),
        (wrapped(ModelHTTPError(429, "m"), answered(429, {"x-should-retry": "false"})), False),
        (wrapped(RuntimeError("outer"), wrapped(AgentFailed("no"), answered(429, {"x-should-retry": "true"}))), False),
        # what is too long for the model, or not paid, stays so, whatever the status
        (ModelHTTPError(500, "m", body={"message": "maximum context length is 8192 tokens"}), False),
        (ModelHTTPError(429, "m", body={"error": {"code": "insufficient_quota"}}), False),
        (ModelHTTPError(503, "m", body={"error": {"type": "request_too_large"}}), False),
        (wrapped(AgentFailed("m", passing=True), ModelHTTPError(413, "m")), True),
        (wrapped(RuntimeError("m"), answered(429, {"x-should-retry": "true"})), True),
        (ConnectionError("the context window of the story"), True),  # no answer of a provider
        (BulkheadFull("provider", 1, 0), True),
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
        (JournalError("disk"), False),  # our own memory
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
        (BulkheadFull("provider", 1, 0), False),  # our own limit
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
