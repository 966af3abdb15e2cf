"""F1: every edge of the breaker, the rules that one call decides, and what a person may do."""

import asyncio
import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from echelon.model.errors import AgentFailed, BreakerOpen, BudgetExhausted, ContractViolation
from echelon.model.policy import BreakerPolicy
from echelon.model.usage import Usage
from echelon.resilience.breaker.breaker import Breaker
from echelon.resilience.breaker.probes import Probes
from echelon.resilience.breaker.store import BreakerRecord
from echelon.resilience.breaker.timing import open_seconds_of
from echelon.testing.clock import FakeClock

DOWN = ConnectionError("connection refused")


def overrun() -> BudgetExhausted:
    """What a model agent raises when its call used more than it was given: it tells what it used."""
    error = BudgetExhausted("tokens", 120, 100, "model 'm'")
    error.usage = Usage(tokens_in=120, calls=1)
    return error


def made(clock: FakeClock, **policy: Any) -> Breaker:
    given_policy = BreakerPolicy.model_validate(
        {"consecutive_failures": 1, "open_seconds": 30, "open_jitter": 0, "minimum_calls": 1, **policy}
    )
    return Breaker("provider", given_policy, clock=clock)


def in_state(state: str, clock: FakeClock, **policy: Any) -> Breaker:
    breaker = made(clock, **policy)
    if state != "closed":
        breaker.admit().end(DOWN)
        clock.advance(30)
    return breaker


ENDS: dict[str, tuple[float, BaseException | None]] = {
    "success": (1, None),
    "slow": (6, None),
    "failure": (1, DOWN),
    "slow failure": (6, DOWN),
    "contract": (1, ContractViolation("no field 'name'")),
    "overrun": (1, overrun()),
    "no budget left": (0, BudgetExhausted("calls", 1, 0, "job 'x'")),
    "cannot": (1, AgentFailed("cannot")),
    "slow and cannot": (6, AgentFailed("cannot")),
    "cancelled": (6, asyncio.CancelledError()),
    "refused itself": (0, BreakerOpen("tool", "down", 3)),
}


@pytest.mark.parametrize(
    ("state", "how", "then"),
    [
        ("closed", "success", "closed"),
        ("closed", "slow", "open"),
        ("closed", "failure", "open"),
        ("closed", "slow failure", "open"),
        ("closed", "contract", "open"),
        ("closed", "overrun", "open"),
        ("closed", "no budget left", "closed"),
        ("closed", "cannot", "closed"),
        ("closed", "slow and cannot", "closed"),
        ("closed", "cancelled", "closed"),
        ("closed", "refused itself", "closed"),
        ("half-open", "success", "closed"),
        ("half-open", "slow", "open"),
        ("half-open", "failure", "open"),
        ("half-open", "slow failure", "open"),
        ("half-open", "contract", "open"),
        ("half-open", "overrun", "open"),
        ("half-open", "no budget left", "half-open"),
        ("half-open", "cannot", "half-open"),
        ("half-open", "slow and cannot", "half-open"),
        ("half-open", "cancelled", "half-open"),
        ("half-open", "refused itself", "half-open"),
    ],
)
def test_what_one_call_leads_to(state: str, how: str, then: str) -> None:
    clock = FakeClock()
    breaker = in_state(state, clock, slow_call_seconds=5)
    seconds, error = ENDS[how]
    permit = breaker.admit()
    assert breaker.state == state
    clock.advance(seconds)
    permit.end(error)

    assert breaker.state == then


def test_a_call_of_exactly_the_bound_is_not_slow_and_the_callee_s_own_time_can_be_told() -> None:
    clock = FakeClock()
    breaker = made(clock, slow_call_seconds=5)
    exactly, waited = breaker.admit(), breaker.admit()
    clock.advance(5)
    exactly.end(None)
    clock.advance(100)
    waited.returned("late, but the wait was ours", seconds=1)
    waited.end(None)

    assert breaker.state == "closed"


def test_slow_calls_open_it_by_their_share_and_only_from_the_minimum_volume_on() -> None:
    clock = FakeClock()
    breaker = made(clock, slow_call_seconds=5, slow_call_rate=0.5, minimum_calls=4)
    for seconds in (6, 6, 1, 6):
        assert breaker.state == "closed"
        permit = breaker.admit()
        permit.returned("answer", seconds=seconds)
        permit.end(None)

    assert (breaker.state, breaker.reason) == ("open", "3 of the last 4 calls took longer than 5 s")


def test_a_window_of_time_forgets_what_is_too_old() -> None:
    clock = FakeClock()
    breaker = made(clock, consecutive_failures=100, minimum_calls=4, window_seconds=60)
    for _ in range(3):
        breaker.admit().end(DOWN)
    clock.advance(60)
    breaker.admit().end(DOWN)
    assert breaker.state == "closed"
    for _ in range(3):
        breaker.admit().end(DOWN)

    assert breaker.state == "open"


def reject(answer: Any) -> Exception | None:
    return ContractViolation("an empty answer") if answer == "" else None


def insist(answer: Any) -> None:
    if answer == "":
        raise ValueError("an empty answer")


@pytest.mark.parametrize("check", [reject, insist])
def test_a_result_that_is_bad_counts_as_a_failure(check: Any) -> None:
    breaker = Breaker("provider", BreakerPolicy(consecutive_failures=2), clock=FakeClock(), bad_result=check)
    for answer in ("fine", "", "fine", "", ""):
        permit = breaker.admit()
        permit.returned(answer)
        permit.end(None)

    assert breaker.state == "open"
    assert "an empty answer" in breaker.reason


@pytest.mark.parametrize(("tokens", "state"), [(100, "closed"), (101, "open"), (None, "closed")])
def test_a_call_that_used_more_tokens_than_it_may_counts_as_failed(tokens: int | None, state: str) -> None:
    breaker = made(FakeClock(), call_tokens=100)

    class Answer:
        usage = Usage(tokens_in=tokens)

    permit = breaker.admit()
    permit.returned(Answer())
    permit.end(None)

    assert breaker.state == state


def test_an_agent_that_failed_after_using_too_much_counts_too() -> None:
    breaker = made(FakeClock(), call_tokens=100)
    error = AgentFailed("lost its way")
    error.usage = Usage(tokens_in=500)
    breaker.admit().end(error)

    assert breaker.state == "open"


def test_trials_that_are_slow_are_judged_by_their_share_when_all_are_back() -> None:
    clock = FakeClock()
    for slow, then in ((1, "closed"), (2, "open")):
        breaker = in_state("half-open", clock, half_open_calls=3, slow_call_seconds=5, slow_call_rate=0.5)
        for number in range(3):
            permit = breaker.admit()
            permit.returned("answer", seconds=6 if number < slow else 1)
            permit.end(None)

        assert breaker.state == then


def test_the_open_time_grows_to_a_cap_while_trials_fail() -> None:
    clock = FakeClock()
    breaker = made(clock, open_growth=2, max_open_seconds=100)
    waits: list[float] = []
    for _ in range(5):
        breaker.admit().end(DOWN)
        with pytest.raises(BreakerOpen) as refused:
            breaker.admit()
        waits.append(refused.value.retry_in_seconds)
        clock.advance(waits[-1])

    assert waits == [30, 60, 100, 100, 100]


@pytest.mark.parametrize(("healthy_seconds", "next_wait"), [(29, 60), (30, 30)])
def test_only_a_recovery_that_lasts_as_long_as_the_opening_makes_it_start_again(
    healthy_seconds: float, next_wait: float
) -> None:
    clock = FakeClock()
    breaker = in_state("half-open", clock)
    breaker.admit().end(None)
    clock.advance(healthy_seconds)
    breaker.admit().end(DOWN)

    with pytest.raises(BreakerOpen) as refused:
        breaker.admit()

    assert refused.value.retry_in_seconds == next_wait


@given(
    base=st.floats(0.001, 1e6),
    growth=st.floats(1, 1e6),
    longest=st.floats(0.001, 1e9),
    jitter=st.floats(0, 0.99),
    trips=st.integers(1, 10**9),
    seed=st.integers(0, 100),
)
def test_the_open_time_never_overflows_never_passes_its_cap_and_is_never_nothing(
    base: float, growth: float, longest: float, jitter: float, trips: int, seed: int
) -> None:
    policy = BreakerPolicy(
        open_seconds=base, open_growth=growth, max_open_seconds=longest, open_jitter=jitter, half_open_calls=1
    )
    seconds = open_seconds_of(policy, trips, random.Random(seed))

    assert base * (1 - jitter) * 0.999 <= seconds <= max(base, longest) * 1.001
    assert math.isfinite(seconds)


def test_the_same_seed_gives_the_same_open_times() -> None:
    policy = BreakerPolicy(open_jitter=0.5)
    first, second = ([open_seconds_of(policy, 1, rng) for _ in range(5)] for rng in map(random.Random, (7, 7)))

    assert first == second
    assert len(set(first)) == 5


def test_a_trial_that_never_returns_is_given_up_and_another_may_try() -> None:
    clock = FakeClock()
    breaker = in_state("half-open", clock, probe_seconds=50)
    hung = breaker.admit()
    clock.advance(49)
    with pytest.raises(BreakerOpen) as refused:
        breaker.admit()
    assert refused.value.retry_in_seconds == 1
    clock.advance(1)
    breaker.admit().end(None)
    assert breaker.state == "closed"

    hung.end(DOWN)

    assert breaker.state == "closed"


def test_a_trial_that_was_given_up_and_returns_while_it_still_matters_counts() -> None:
    """Otherwise a dependency whose calls are longer than a trial may take would never be found well again."""
    clock = FakeClock()
    breaker = in_state("half-open", clock, probe_seconds=50)
    long = breaker.admit()
    clock.advance(60)
    long.end(None)

    assert breaker.state == "closed"


@given(places=st.integers(1, 5), moves=st.lists(st.tuples(st.sampled_from(["take", "leave", "good", "wait"]))))
def test_places_are_never_overbooked(places: int, moves: list[tuple[str]]) -> None:
    probes, now, held = Probes(places), 0.0, list[tuple[str, float]]()
    for (move,) in moves:
        held = [(token, until) for token, until in held if until > now]
        if move == "take":
            free = len(held) + probes.successes < places
            token = probes.take(now, 10)
            assert (token is not None) == free
            held += [(token, now + 10)] if token else []
        elif move == "wait":
            now += 4
        elif held:
            probes.leave(held.pop()[0])
            if move == "good":
                probes.succeeded(slow=False)


def test_each_half_open_time_has_all_its_places() -> None:
    clock = FakeClock()
    breaker = made(clock, half_open_calls=2)
    for _ in range(3):
        breaker.admit().end(DOWN)
        clock.advance(1000)
        for permit in (breaker.admit(), breaker.admit()):
            permit.end(None)

        assert breaker.state == "closed"


def test_a_half_open_time_that_others_began_anew_makes_trials_of_the_one_before_late() -> None:
    breaker = made(FakeClock())
    breaker.follow(BreakerRecord(state="half-open", epoch=1, trips=1, reason="down"))
    late = breaker.admit()
    breaker.follow(BreakerRecord(state="half-open", epoch=2, trips=2, reason="down"))
    late.end(None)

    assert breaker.state == "half-open"


def test_a_person_may_isolate_a_dependency_until_it_is_reset() -> None:
    clock = FakeClock()
    breaker = made(clock)
    under_way = breaker.admit()
    breaker.isolate("the provider is being moved")
    clock.advance(10**6)
    with pytest.raises(BreakerOpen, match=r"the provider is being moved.*until it is reset") as refused:
        breaker.admit()
    assert refused.value.retry_in_seconds == math.inf
    under_way.end(None)
    assert (breaker.state, breaker.isolated) == ("open", "the provider is being moved")

    breaker.reset()
    breaker.admit().end(None)

    assert (breaker.state, breaker.isolated) == ("closed", "")


def test_a_reset_forgets_what_was_counted() -> None:
    clock = FakeClock()
    breaker = made(clock, consecutive_failures=2, minimum_calls=50)
    breaker.admit().end(DOWN)
    breaker.reset()
    breaker.admit().end(DOWN)

    assert breaker.state == "closed"


def test_metrics_only_counts_and_tells_but_refuses_nothing_unless_a_person_does() -> None:
    clock = FakeClock()
    breaker = made(clock, metrics_only=True)
    for _ in range(10):
        breaker.admit().end(DOWN)
    assert breaker.state == "closed"
    assert breaker.degraded == (
        "10 failures in a row, the last with ConnectionError: connection refused; not opened: metrics only"
    )
    breaker.isolate("by hand")
    with pytest.raises(BreakerOpen):
        breaker.admit()
    breaker.reset()
    breaker.admit().end(None)

    assert breaker.degraded == ""


def test_a_good_call_ends_the_state_of_having_to_be_open() -> None:
    breaker = made(FakeClock(), metrics_only=True, consecutive_failures=3, minimum_calls=50)
    for _ in range(3):
        breaker.admit().end(DOWN)
    assert breaker.degraded
    breaker.admit().end(None)

    assert breaker.degraded == ""


def test_in_an_event_loop_it_is_entered_the_same_way() -> None:
    clock = FakeClock()
    breaker = made(clock)

    async def story() -> str:
        with await breaker.enter():
            pass
        with pytest.raises(ConnectionError), await breaker.enter():
            raise DOWN
        with pytest.raises(BreakerOpen):
            await breaker.enter()
        clock.advance(30)
        with await breaker.enter():
            pass
        return breaker.state

    assert asyncio.run(story()) == "closed"


def test_it_says_that_only_this_process_knows_its_state() -> None:
    assert made(FakeClock()).shared == "process"
