"""F10: what says that a limit is used up: errors and failed commands, never what somebody answers."""

import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from echelon.model.errors import AgentBlocked, AgentFailed, ContractViolation, DependencyFailed, QuotaExhausted
from echelon.resilience.errors import blames_dependency, can_pass
from echelon.resilience.quota.evidence import window_of

NOW = datetime(2026, 11, 29, 19, 0, tzinfo=UTC)

SENTENCE = "You've hit your usage limit. Try again in 3h 20m"


class HttpError(Exception):
    """As clients of providers raise it."""

    def __init__(self, status: int, headers: dict[str, str] | None = None, said: str = "refused") -> None:
        super().__init__(said)
        self.status_code = status
        self.headers = headers or {}


def until(error: BaseException) -> timedelta | None:
    window = window_of(error, "openai", NOW, UTC)
    return window and window.until - NOW


def failed(printed: str) -> AgentFailed:
    error = AgentFailed("command 'codex' ended with exit code 1")
    error.printed = printed
    return error


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


RESET, ZERO = {"x-ratelimit-reset-requests": "6m0s"}, {"x-ratelimit-remaining-requests": "0"}
USED_UP = {"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2026-11-29T19:02:00Z"}


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (HttpError(429, {"retry-after": "121"}), 121),
        (HttpError(503, {"Retry-After": "Sun, 29 Nov 2026 20:00:00 GMT"}), 3600),
        (HttpError(429, {**RESET, **ZERO}), 360),
        (HttpError(500, {**RESET, **ZERO}), 360),
        (HttpError(429, RESET), 360),
        (HttpError(429, USED_UP), 120),
        (HttpError(429, {**RESET, "x-ratelimit-reset-tokens": "2s"}), 2),  # nobody says by which it was refused
        (HttpError(429, {**RESET, "x-ratelimit-reset-tokens": "2s", "x-ratelimit-remaining-tokens": "0"}), 2),
        (HttpError(429, said=SENTENCE), 12_000),
        (caused(DependencyFailed("the provider failed"), HttpError(429, {"retry-after": "600"})), 600),
        (failed(SENTENCE), 12_000),
        (subprocess.CalledProcessError(1, "claude", output=SENTENCE.encode()), 12_000),
        (ExceptionGroup("all", [HttpError(429, said=SENTENCE), HttpError(429, {"retry-after": "600"})]), 600),
    ],
)
def test_a_limit_that_resets_is_recognised(error: BaseException, seconds: float) -> None:
    assert until(error) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "error",
    [
        HttpError(429, {"retry-after": "120"}),  # waited for between attempts (F3)
        HttpError(400, RESET),
        HttpError(500, {**RESET, "x-ratelimit-remaining-requests": "12"}),
        HttpError(429, {"retry-after": str(36 * 86_400)}),
        HttpError(400, said=SENTENCE),  # it may quote what it was asked
        ContractViolation(SENTENCE),
        caused(ContractViolation("broke its contract"), HttpError(429, {"retry-after": "600"})),
        AgentFailed(SENTENCE),
        AgentBlocked(SENTENCE),
        ValueError(SENTENCE),
        subprocess.CalledProcessError(0, "claude", output=SENTENCE.encode()),
        ExceptionGroup("one is there", [HttpError(429, said=SENTENCE), HttpError(500)]),
    ],
)
def test_everything_else_is_not(error: BaseException) -> None:
    assert window_of(error, "openai", NOW, UTC) is None


def test_what_will_never_be_paid_does_not_reset() -> None:
    error: Any = HttpError(429, {**RESET, **ZERO})
    error.code = "insufficient_quota"

    assert window_of(error, "openai", NOW, UTC) is None


def test_an_agent_may_say_it_itself() -> None:
    said = QuotaExhausted(until=NOW + timedelta(hours=1), said="come back later")
    window = window_of(said, "agent 'fetch'", NOW, UTC)

    assert window is not None
    assert (window.dependency, window.until, window.said) == ("agent 'fetch'", said.until, "come back later")


def test_it_is_neither_retried_nor_held_against_the_dependency() -> None:
    error = QuotaExhausted("openai", until=NOW)

    assert not can_pass(error)
    assert not blames_dependency(error)
    assert str(error) == "the quota of openai is used up until 2026-11-29 19:00:00 UTC"
