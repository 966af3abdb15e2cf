"""When a call is made again, and after what wait (F3). One tenacity object a call; nothing else retries anywhere."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from echelon.model.policy import Resilience
from echelon.resilience.errors import can_pass
from echelon.resilience.pushback import LONGEST_RETRY_AFTER_SECONDS, retry_after_seconds

Sleep = Callable[[float], Awaitable[None]]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class wait_full_jitter(wait_exponential):  # noqa: N801 - named as tenacity names its strategies
    """Wait between nothing and an exponentially growing bound, drawn from a generator of its own.

    Full jitter made the fewest calls of all known kinds of back-off; `wait_random_exponential` is the same rule on
    the global generator, which a seed cannot reach without touching everybody else's numbers.
    """

    def __init__(self, base_seconds: float, max_seconds: float, rng: random.Random) -> None:
        super().__init__(multiplier=base_seconds, max=max_seconds)
        self.rng = rng

    def __call__(self, retry_state: RetryCallState) -> float:
        """Draw the wait in seconds."""
        return self.rng.uniform(0, super().__call__(retry_state))


class wait_as_asked(wait_base):  # noqa: N801
    """Wait as long as the callee asked for, and the jitter of `otherwise` on top, so that not all return at once."""

    def __init__(self, otherwise: wait_base, now: Callable[[], datetime] = _utc_now) -> None:
        self.otherwise = otherwise
        self.now = now

    def __call__(self, retry_state: RetryCallState) -> float:
        """Return the wait in seconds."""
        error = _error(retry_state)
        asked = retry_after_seconds(error, self.now()) if error else None
        return (asked or 0.0) + self.otherwise(retry_state)


class stop_when_asked_to_stay_away(stop_base):  # noqa: N801
    """Stop when the callee wants to be left alone for longer than anybody should wait."""

    def __init__(self, now: Callable[[], datetime] = _utc_now) -> None:
        self.now = now

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Say whether to stop."""
        error = _error(retry_state)
        asked = retry_after_seconds(error, self.now()) if error else None
        return asked is not None and asked > LONGEST_RETRY_AFTER_SECONDS


class stop_unless(stop_base):  # noqa: N801
    """Stop when `another(wait_seconds)` does not grant one more attempt after that wait."""

    def __init__(self, another: Callable[[float], bool]) -> None:
        self.another = another

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Say whether to stop."""
        return not self.another(retry_state.upcoming_sleep)


def retrying(
    policy: Resilience, *, rng: random.Random, sleep: Sleep, another: Callable[[float], bool] = lambda _wait: True
) -> AsyncRetrying:
    """Return what carries out one call with all its attempts, and raises the error of the last one.

    `policy` is complete (`Resilience.over(DEFAULT_RESILIENCE)`); `another` is asked last, only when everything else
    speaks for one more attempt, so that it may take what that attempt costs.
    """
    assert policy.attempts is not None, "a policy is completed before it is used"
    assert policy.backoff_seconds is not None
    assert policy.backoff_max_seconds is not None
    jitter = wait_full_jitter(policy.backoff_seconds, policy.backoff_max_seconds, rng)
    return AsyncRetrying(
        sleep=sleep,
        stop=stop_after_attempt(policy.attempts) | stop_when_asked_to_stay_away() | stop_unless(another),
        wait=wait_as_asked(jitter),
        retry=retry_if_exception(can_pass),
        reraise=True,
    )


def _error(retry_state: RetryCallState) -> BaseException | None:
    return retry_state.outcome.exception() if retry_state.outcome else None
