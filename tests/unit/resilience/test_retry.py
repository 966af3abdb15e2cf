"""F3: another attempt only for errors that can pass, after a jittered wait or the one asked for."""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from echelon.model.errors import AgentFailed, BreakerOpen
from echelon.model.policy import DEFAULT_RESILIENCE, Resilience
from echelon.resilience.retry import retrying
from echelon.testing.clock import FakeClock


class Asked(ConnectionError):
    def __init__(self, retry_after: Any) -> None:
        super().__init__("slow down")
        self.retry_after = retry_after


def carry_out(
    errors: list[BaseException],
    clock: FakeClock,
    another: Callable[[float], bool] = lambda _wait: True,
    seed: int = 1,
    **policy: Any,
) -> tuple[Any, int]:
    """Raise the errors one after the other, then succeed; return the result or error, and the calls made."""
    left, calls = list(errors), 0

    async def work() -> str:
        nonlocal calls
        calls += 1
        if left:
            raise left.pop(0)
        return "done"

    complete = Resilience(**policy).over(DEFAULT_RESILIENCE)
    attempts = retrying(complete, rng=random.Random(seed), sleep=clock.sleep, another=another)
    try:
        return asyncio.run(attempts(work)), calls
    except BaseException as error:  # noqa: BLE001 - the test looks at it
        return error, calls


@pytest.mark.parametrize(
    ("errors", "attempts", "calls", "ends_with"),
    [
        ([], 3, 1, "done"),
        ([ConnectionError("1")], 3, 2, "done"),
        ([ConnectionError("1"), TimeoutError("2")], 3, 3, "done"),
        ([ConnectionError("1"), TimeoutError("2"), ConnectionError("3")], 3, 3, "3"),
        ([ConnectionError("1")], 1, 1, "1"),
        ([ValueError("bug")], 3, 1, "bug"),
        ([ConnectionError("1"), ValueError("bug")], 3, 2, "bug"),
        ([AgentFailed("cannot")], 3, 1, "cannot"),
        ([AgentFailed("busy", passing=True)], 3, 2, "done"),
    ],
)
def test_attempts_end_with_a_result_or_the_last_error(
    errors: list[BaseException], attempts: int, calls: int, ends_with: str
) -> None:
    result, made = carry_out(errors, FakeClock(), attempts=attempts)

    assert (str(result), made) == (ends_with, calls)


def test_an_open_breaker_is_not_asked_again() -> None:
    clock = FakeClock()
    result, calls = carry_out([BreakerOpen("provider", "down", 3)], clock)

    assert (type(result), calls, clock.slept) == (BreakerOpen, 1, [])


def test_a_cancellation_is_never_retried() -> None:
    result, calls = carry_out([asyncio.CancelledError()], FakeClock())

    assert (type(result), calls) == (asyncio.CancelledError, 1)


def test_the_original_error_object_is_raised() -> None:
    last = ConnectionError("3")

    assert carry_out([ConnectionError("1"), last], FakeClock(), attempts=2)[0] is last


def test_waits_are_drawn_below_an_exponential_bound_with_a_cap() -> None:
    """Bounds: 1, 2, 4, 8, 10, 10 seconds; over many seeds the waits fill them (full jitter)."""
    bounds, waits = [1, 2, 4, 8, 10, 10], list[list[float]]()
    for seed in range(300):
        clock = FakeClock()
        carry_out([ConnectionError()] * 6, clock, seed=seed, attempts=7, backoff_seconds=1, backoff_max_seconds=10)
        waits.append(clock.slept)

    for position, bound in enumerate(bounds):
        drawn = [slept[position] for slept in waits]
        assert 0 <= min(drawn) < 0.1 * bound
        assert 0.9 * bound < max(drawn) <= bound


def test_one_seed_gives_one_sequence_of_waits() -> None:
    first, second = FakeClock(), FakeClock()
    for clock in (first, second):
        carry_out([ConnectionError()] * 4, clock, attempts=5, seed=7)

    assert first.slept == second.slept


def test_the_wait_that_is_asked_for_is_kept_and_jittered() -> None:
    clock = FakeClock()
    result, calls = carry_out([Asked(7)], clock, backoff_seconds=0.5, backoff_max_seconds=1)

    assert (result, calls) == ("done", 2)
    assert 7 <= clock.slept[0] <= 7.5


def test_a_date_to_come_back_at_is_kept() -> None:
    clock = FakeClock()
    error = ConnectionError("later")
    later = datetime.fromtimestamp(datetime.now(UTC).timestamp() + 60, UTC)
    error.headers = {"Retry-After": format_datetime(later, usegmt=True)}  # type: ignore[attr-defined]
    carry_out([error], clock, backoff_seconds=0)

    assert 50 <= clock.slept[0] <= 60


def test_who_wants_to_be_left_alone_for_too_long_is_left_alone() -> None:
    clock = FakeClock()
    result, calls = carry_out([Asked(121)], clock)

    assert (str(result), calls, clock.slept) == ("slow down", 1, [])


def test_one_more_attempt_can_be_refused_knowing_its_wait() -> None:
    clock, asked = FakeClock(), list[float]()

    def another(wait: float) -> bool:
        asked.append(wait)
        return len(asked) < 2

    result, calls = carry_out([ConnectionError("1"), ConnectionError("2")], clock, another, attempts=5)

    assert (str(result), calls) == ("2", 2)
    assert asked[0] == clock.slept[0]


def test_nobody_is_asked_for_an_attempt_that_would_not_be_made_anyway() -> None:
    asked = list[float]()

    def another(wait: float) -> bool:
        asked.append(wait)
        return True

    carry_out([ConnectionError("1"), ConnectionError("2")], FakeClock(), another, attempts=2)
    carry_out([ValueError("bug")], FakeClock(), another)

    assert len(asked) == 1
