"""F1: a breaker trips, refuses, tries again with exactly N calls, and closes."""

import asyncio
import threading
from typing import Any

import pytest
from pybreaker import CircuitBreaker, CircuitBreakerListener

from echelon.model.errors import AgentFailed, BreakerOpen
from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker.breaker import Breaker, Permit
from echelon.testing.clock import FakeClock

DOWN = ConnectionError("connection refused")


def call(breaker: Breaker, error: BaseException | None = None) -> None:
    breaker.admit().end(error)


def tripped(clock: FakeClock, **policy: Any) -> Breaker:
    breaker = Breaker(
        "provider", BreakerPolicy(consecutive_failures=1, open_seconds=30, open_jitter=0, **policy), clock=clock
    )
    call(breaker, DOWN)
    return breaker


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        # three in a row
        ("FF", "closed"),
        ("FFF", "open"),
        ("FFSFF", "closed"),
        ("FFSFFF", "open"),
        # 60 % of eight to ten, never three in a row
        ("FFSFSFF", "closed"),  # 5 of 7, below the minimum
        ("FFSSFFSF", "open"),  # 5 of 8
        ("FSSSFSSF", "closed"),  # 3 of 8
        ("SSSSSSSSFFSFFSF", "closed"),  # 5 of the last 10
        ("SSSSSSSSFFSFFSFF", "open"),  # 6 of the last 10
        # neutral outcomes count for nothing, and do not break a row
        ("FNFNN", "closed"),
        ("FNFNF", "open"),
        ("NNNNNNNNNNNN", "closed"),
    ],
)
def test_it_opens_on_failures_in_a_row_or_on_their_rate(outcomes: str, state: str) -> None:
    policy = BreakerPolicy(consecutive_failures=3, failure_rate=0.6, window_calls=10, minimum_calls=8)
    breaker = Breaker("provider", policy, clock=FakeClock())
    errors = {"F": DOWN, "S": None, "N": AgentFailed("cannot parse")}
    for outcome in outcomes:
        call(breaker, errors[outcome])

    assert breaker.state == state


def test_a_low_volume_never_opens_it_by_rate() -> None:
    policy = BreakerPolicy(consecutive_failures=100, failure_rate=0.1, window_calls=100, minimum_calls=20)
    breaker = Breaker("provider", policy, clock=FakeClock())
    for _ in range(19):
        call(breaker, DOWN)
    assert breaker.state == "closed"

    call(breaker, DOWN)

    assert breaker.state == "open"


def test_a_minimum_above_the_window_means_a_full_window() -> None:
    policy = BreakerPolicy(consecutive_failures=100, failure_rate=0.5, window_calls=4, minimum_calls=20)
    breaker = Breaker("provider", policy, clock=FakeClock())
    for _ in range(4):
        call(breaker, DOWN)

    assert breaker.state == "open"


def test_a_refusal_says_why_and_when_the_next_trial_is() -> None:
    clock = FakeClock()
    breaker = tripped(clock)
    clock.advance(12)

    with pytest.raises(BreakerOpen) as refused:
        breaker.admit()

    assert refused.value.retry_in_seconds == pytest.approx(18)
    assert "1 failures in a row, the last with ConnectionError: connection refused" in str(refused.value)
    assert "'provider'" in str(refused.value)


def test_an_endless_error_text_is_quoted_in_short() -> None:
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=1), clock=FakeClock())
    call(breaker, ConnectionError("x" * 100_000))

    assert len(breaker.reason) < 300


def test_refusals_are_not_failures() -> None:
    clock = FakeClock()
    breaker = tripped(clock)
    for _ in range(50):
        with pytest.raises(BreakerOpen):
            breaker.admit()
    clock.advance(30)

    call(breaker)

    assert breaker.state == "closed"


def test_a_trial_that_succeeds_closes_it_and_forgets_the_past() -> None:
    clock = FakeClock()
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=2, open_seconds=30), clock=clock)
    call(breaker, DOWN)
    call(breaker, DOWN)
    clock.advance(30)
    call(breaker)
    call(breaker, DOWN)

    assert breaker.state == "closed"


def test_a_trial_that_fails_opens_it_for_another_full_time() -> None:
    clock = FakeClock()
    breaker = tripped(clock)
    clock.advance(30)
    call(breaker, DOWN)
    clock.advance(29)

    with pytest.raises(BreakerOpen, match="the probe failed"):
        breaker.admit()


@pytest.mark.parametrize("probes", [1, 2, 5])
def test_all_trials_must_succeed(probes: int) -> None:
    clock = FakeClock()
    breaker = tripped(clock, half_open_calls=probes)
    clock.advance(30)
    permits = [breaker.admit() for _ in range(probes)]
    for permit in permits[:-1]:
        permit.end(None)
        assert breaker.state == "half-open"

    permits[-1].end(None)

    assert breaker.state == "closed"


@pytest.mark.parametrize("probes", [1, 3])
def test_of_100_callers_at_half_open_exactly_n_get_through(probes: int) -> None:
    clock = FakeClock()
    breaker = tripped(clock, half_open_calls=probes)
    clock.advance(30)
    reached = refused = 0

    async def caller() -> None:
        nonlocal reached, refused
        try:
            with breaker.admit():
                reached += 1
                await asyncio.sleep(0)
        except BreakerOpen:
            refused += 1

    async def crowd() -> None:
        await asyncio.gather(*(caller() for _ in range(100)))

    asyncio.run(crowd())

    assert (reached, refused, breaker.state) == (probes, 100 - probes, "closed")


@pytest.mark.parametrize(
    "end",
    [asyncio.CancelledError(), KeyboardInterrupt(), AgentFailed("cannot parse")],
    ids=lambda end: type(end).__name__,
)
def test_a_trial_that_says_nothing_gives_its_permit_back(end: BaseException) -> None:
    clock = FakeClock()
    breaker = tripped(clock)
    clock.advance(30)
    call(breaker, end)
    assert breaker.state == "half-open"

    call(breaker)

    assert breaker.state == "closed"


def test_a_cancelled_call_gives_the_cancellation_on_and_counts_for_nothing() -> None:
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=1), clock=FakeClock())

    async def cancelled() -> None:
        async def work() -> None:
            with breaker.admit():
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())

    assert breaker.state == "closed"


def test_a_late_success_does_not_close_an_open_breaker() -> None:
    clock = FakeClock()
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=1, open_seconds=30), clock=clock)
    late = breaker.admit()
    call(breaker, DOWN)
    late.end(None)
    assert breaker.state == "open"
    clock.advance(30)
    trial = breaker.admit()

    late.end(None)

    assert breaker.state == "half-open"
    trial.end(None)
    assert breaker.state == "closed"


def test_a_late_failure_does_not_open_a_breaker_that_has_recovered() -> None:
    clock = FakeClock()
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=1, open_seconds=30), clock=clock)
    late = breaker.admit()
    call(breaker, DOWN)
    clock.advance(30)
    call(breaker)

    late.end(DOWN)

    assert breaker.state == "closed"


def test_a_late_failure_does_not_hurt_a_trial() -> None:
    clock = FakeClock()
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=1, open_seconds=30), clock=clock)
    late = breaker.admit()
    call(breaker, DOWN)
    clock.advance(30)
    trial = breaker.admit()
    late.end(DOWN)

    trial.end(None)

    assert breaker.state == "closed"


def test_a_permit_ends_once() -> None:
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=2), clock=FakeClock())
    permit = breaker.admit()
    permit.end(DOWN)
    permit.end(DOWN)

    assert breaker.state == "closed"


def test_a_permit_holds_until_the_breaker_opens_and_again_when_it_has_closed() -> None:
    clock = FakeClock()
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=1, open_seconds=30), clock=clock)
    permit = breaker.admit()
    seen = [permit.holds]
    call(breaker, DOWN)
    seen.append(permit.holds)
    clock.advance(30)
    with breaker.admit() as trial:
        seen.extend([permit.holds, trial.holds])
    seen.append(permit.holds)

    assert seen == [True, False, False, True, True]


def test_fifty_calls_through_one_breaker_are_under_way_at_the_same_time() -> None:
    breaker = Breaker("provider")
    under_way = most = 0

    async def work() -> None:
        nonlocal under_way, most
        with breaker.admit():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.05)
            under_way -= 1

    async def crowd() -> None:
        await asyncio.gather(*(work() for _ in range(50)))

    asyncio.run(crowd())

    assert most == 50


class Log(CircuitBreakerListener):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def failure(self, cb: CircuitBreaker, exc: BaseException) -> None:
        self.lines.append(f"failure {exc}")

    def success(self, cb: CircuitBreaker) -> None:
        self.lines.append("success")

    def state_change(self, cb: CircuitBreaker, old_state: Any, new_state: Any) -> None:
        self.lines.append(f"{cb.name}: {old_state.name} -> {new_state.name}")


def test_listeners_hear_every_outcome_and_every_change_once() -> None:
    clock, log = FakeClock(), Log()
    policy = BreakerPolicy(consecutive_failures=1, open_seconds=30)
    breaker = Breaker("provider", policy, clock=clock, listeners=[log])
    call(breaker)
    call(breaker, DOWN)
    with pytest.raises(BreakerOpen):
        breaker.admit()
    clock.advance(30)
    call(breaker, AgentFailed("neutral"))
    call(breaker)

    assert log.lines == [
        "success",
        "failure connection refused",
        "provider: closed -> open",
        "provider: open -> half-open",
        "success",
        "provider: half-open -> closed",
    ]


def test_the_caller_may_say_what_counts() -> None:
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=1), counts=lambda e: isinstance(e, AgentFailed))
    call(breaker, DOWN)
    assert breaker.state == "closed"

    call(breaker, AgentFailed("cannot"))

    assert breaker.state == "open"


def test_threads_that_hammer_it_lose_no_outcome() -> None:
    """Eight threads, alternating outcomes: the window must end with exactly what was reported."""
    policy = BreakerPolicy(consecutive_failures=10**6, failure_rate=1, window_calls=10**6, minimum_calls=10**6)
    log = Log()
    breaker = Breaker("provider", policy, listeners=[log])
    start = threading.Barrier(8)

    def hammer() -> None:
        start.wait()
        for turn in range(1000):
            call(breaker, DOWN if turn % 2 else None)

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(log.lines), log.lines.count("success"), breaker.state) == (8000, 4000, "closed")


def test_threads_at_half_open_get_exactly_n_permits() -> None:
    for _ in range(20):
        clock = FakeClock()
        breaker = tripped(clock, half_open_calls=3)
        clock.advance(30)
        start, permits = threading.Barrier(8), list[Permit]()

        def ask(breaker: Breaker = breaker, start: Any = start, permits: Any = permits) -> None:
            start.wait()
            for _ in range(50):
                try:
                    permits.append(breaker.admit())
                except BreakerOpen:
                    continue

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(permits) == 3
