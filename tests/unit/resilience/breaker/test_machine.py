"""F1: the breaker against a plain model of it, under any order of calls, ends, passing time and a person's hand."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from echelon.model.errors import AgentFailed, BreakerOpen
from echelon.model.policy import BreakerPolicy
from echelon.resilience.breaker.breaker import Breaker
from echelon.testing.clock import FakeClock

DOWN = ConnectionError("connection refused")
ERRORS = {"failure": DOWN, "neutral": AgentFailed("no"), "cancelled": KeyboardInterrupt()}
WINDOW, MINIMUM, RATE = 6, 4, 0.5
OPEN, LONGEST, TRIAL, SLOW = 10.0, 40.0, 15.0, 5.0


class BreakerMachine(RuleBasedStateMachine):
    permits = Bundle("permits")

    @initialize(failures=st.integers(1, 4), probes=st.integers(1, 3))
    def start(self, failures: int, probes: int) -> None:
        self.clock = FakeClock()
        self.policy = BreakerPolicy(
            consecutive_failures=failures,
            failure_rate=RATE,
            window_calls=WINDOW,
            minimum_calls=MINIMUM,
            slow_call_seconds=SLOW,
            slow_call_rate=RATE,
            half_open_calls=probes,
            probe_seconds=TRIAL,
            open_seconds=OPEN,
            max_open_seconds=LONGEST,
            open_jitter=0,
        )
        self.breaker = Breaker("provider", self.policy, clock=self.clock)
        self.trips, self.open_for, self.probe_at = 0, 0.0, 0.0
        self.closed_at: float | None = None
        self.by_hand, self.number, self.era = False, 0, 0
        self.become("closed")

    def become(self, state: str) -> None:
        self.state, self.era, self.row = state, self.era + 1, 0
        self.seen: list[tuple[bool, bool]] = []
        self.places: dict[int, float] = {}
        self.good = self.good_but_slow = 0

    def open(self) -> None:
        recovered = self.closed_at is None or self.clock.now - self.closed_at >= self.open_for
        self.trips = 1 if self.state == "closed" and recovered else self.trips + 1
        self.open_for = min(OPEN * 2 ** (self.trips - 1), LONGEST)
        self.probe_at = self.clock.now + self.open_for
        self.become("open")

    def close(self) -> None:
        self.by_hand, self.closed_at = False, self.clock.now
        self.become("closed")

    def welcome(self) -> bool:
        if self.state == "open" and not self.by_hand and self.clock.now >= self.probe_at:
            self.become("half-open")
        self.places = {number: until for number, until in self.places.items() if until > self.clock.now}
        free = len(self.places) + self.good < self.policy.half_open_calls
        return self.state == "closed" or (self.state == "half-open" and free)

    @rule(target=permits)
    def admit(self) -> Any:
        if not self.welcome():
            with pytest.raises(BreakerOpen) as refused:
                self.breaker.admit()
            assert refused.value.retry_in_seconds >= 0
            return multiple()
        self.number += 1
        if self.state == "half-open":
            self.places[self.number] = self.clock.now + TRIAL
        return self.era, self.number, self.breaker.admit()

    @rule(permit=consumes(permits), how=st.sampled_from(["success", "slow", "failure", "neutral", "cancelled"]))
    def end(self, permit: Any, how: str) -> None:
        era, number, held = permit
        held.returned("anything", seconds=SLOW + 1 if how == "slow" else SLOW)
        held.end(ERRORS.get(how))
        if era == self.era:  # a late result says nothing
            self.places.pop(number, None)
            self.model_end(how)

    def model_end(self, how: str) -> None:
        if how in ("neutral", "cancelled"):
            return
        if self.state == "closed":
            self.model_closed(failed=how == "failure", slow=how == "slow")
        elif how == "failure":
            self.open()
        else:
            self.model_trial(slow=how == "slow")

    def model_closed(self, *, failed: bool, slow: bool) -> None:
        self.row = self.row + 1 if failed else 0
        self.seen = [*self.seen, (failed, slow)][-WINDOW:]
        enough = len(self.seen) >= MINIMUM
        rates = [sum(kind) / len(self.seen) for kind in zip(*self.seen, strict=True)]
        wanted = self.row >= self.policy.consecutive_failures or (enough and max(rates) >= RATE)
        if wanted and (failed or slow):
            self.open()

    def model_trial(self, *, slow: bool) -> None:
        self.good += 1
        self.good_but_slow += slow
        if self.good >= self.policy.half_open_calls:
            if self.good_but_slow / self.good >= RATE:
                self.open()
            else:
                self.close()

    @rule(seconds=st.sampled_from([1, 5, 10, 16, 41]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def wait_for_the_next_trial(self) -> None:
        self.clock.advance(max(0.0, self.probe_at - self.clock.now))

    @rule(how=st.sampled_from(["success", "slow", "failure"]))
    def call_at_once(self, how: str) -> None:
        permit = self.admit()
        if isinstance(permit, tuple):
            self.end(permit, how)

    @rule()
    def isolate(self) -> None:
        self.breaker.isolate("maintenance")
        self.by_hand = True
        self.become("open")

    @rule()
    def reset(self) -> None:
        self.breaker.reset()
        self.trips = 0
        self.close()

    @invariant()
    def is_in_the_state_of_the_model(self) -> None:
        if hasattr(self, "breaker"):
            assert (self.breaker.state, bool(self.breaker.isolated)) == (self.state, self.by_hand)

    @invariant()
    def never_has_more_trials_than_places(self) -> None:
        if hasattr(self, "breaker"):
            alive = sum(until > self.clock.now for until in self.places.values())
            assert alive + self.good <= self.policy.half_open_calls


TestBreakerAgainstItsModel = BreakerMachine.TestCase
TestBreakerAgainstItsModel.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
