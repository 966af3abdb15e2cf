"""What the end of a call says about the dependency (F1): errors, cancellations, slow calls and bad results."""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from echelon.model.errors import BudgetExhausted
from echelon.model.policy import BreakerPolicy
from echelon.model.usage import Usage
from echelon.resilience.errors import blames_dependency

#: Says what is wrong with what a call returned, as an error that it returns or raises; None when it is good.
BadResult = Callable[[Any], Exception | None]


class Result(Enum):
    """What a call says about the dependency."""

    SUCCESS = "success"
    SLOW = "slow"  #: a success that took too long
    FAILURE = "failure"  #: an error that blames it, or a bad result
    NEUTRAL = "neutral"  #: cancelled, or an error that does not blame it


class Judged(NamedTuple):
    """The verdict over one call."""

    result: Result
    error: BaseException | None
    """Why it failed; None unless it did."""
    slow: bool
    """Took too long, failed or not."""


def blames(error: Exception) -> bool:
    """Say whether an error counts: a budget overrun by the call itself does, unlike one refused before the call."""
    if isinstance(error, BudgetExhausted):
        return error.usage is not None
    return blames_dependency(error)


def good(_value: object) -> Exception | None:
    """Find nothing wrong with any result."""
    return None


class Judge:
    """Decides what calls say, by a policy and by what the caller says counts."""

    def __init__(
        self, name: str, policy: BreakerPolicy, counts: Callable[[Exception], bool], bad_result: BadResult
    ) -> None:
        self._name = name
        self._slow_seconds = policy.slow_call_seconds
        self._tokens = policy.call_tokens
        self._counts = counts
        self._bad_result = bad_result

    def judge(self, error: BaseException | None, value: object, seconds: float) -> Judged:
        """Judge a call that ended with an error, or with a value after so many seconds."""
        slow = self._slow_seconds is not None and seconds > self._slow_seconds
        if error is None:
            error = self._overrun(value) or self._bad(value)
            if error is None:
                return Judged(Result.SLOW if slow else Result.SUCCESS, None, slow)
            return Judged(Result.FAILURE, error, slow)
        overran = isinstance(error, Exception) and self._overrun(error) is not None
        if overran or (isinstance(error, Exception) and self._counts(error)):
            return Judged(Result.FAILURE, error, slow)
        return Judged(Result.NEUTRAL, None, slow=False)

    def _bad(self, value: object) -> Exception | None:
        try:
            return self._bad_result(value)
        except Exception as error:  # noqa: BLE001 - a check may say what is wrong by raising it, as validators do
            return error

    def _overrun(self, told: object) -> Exception | None:
        if self._tokens is None:
            return None
        usage = getattr(told, "usage", None)
        used = usage.tokens if isinstance(usage, Usage) else None
        if used is None or used <= self._tokens:
            return None
        return BudgetExhausted("tokens", used, self._tokens, f"one call to {self._name!r}")
